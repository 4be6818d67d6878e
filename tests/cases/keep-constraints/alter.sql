ADD COLUMN c int CHECK (c > 0)
