ALTER COLUMN "{v" TYPE decimal(10,1)
