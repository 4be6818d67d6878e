ADD COLUMN w varchar(5)
