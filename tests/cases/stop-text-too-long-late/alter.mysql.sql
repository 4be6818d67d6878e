MODIFY v varchar(10)
