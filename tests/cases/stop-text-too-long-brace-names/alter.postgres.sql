ALTER COLUMN "{v" TYPE varchar(7)
