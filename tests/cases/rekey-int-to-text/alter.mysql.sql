MODIFY id varchar(20) NOT NULL
