MODIFY k varbinary(32) NOT NULL
