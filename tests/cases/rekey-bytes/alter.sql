MODIFY id varbinary(8) NOT NULL
