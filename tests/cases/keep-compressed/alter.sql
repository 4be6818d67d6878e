ADD COLUMN c varchar(10)
