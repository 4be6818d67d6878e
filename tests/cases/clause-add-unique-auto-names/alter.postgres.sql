ADD UNIQUE (a), ADD UNIQUE (a, b), ADD CHECK (a > -5), ADD CHECK (id > -5), ADD COLUMN c int UNIQUE CHECK (c > 0)
