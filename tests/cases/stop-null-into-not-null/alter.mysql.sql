MODIFY v varchar(20) NOT NULL
