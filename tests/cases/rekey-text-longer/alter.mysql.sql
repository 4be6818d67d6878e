MODIFY id varchar(100) NOT NULL
