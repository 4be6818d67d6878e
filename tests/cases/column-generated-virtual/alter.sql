ADD COLUMN added int
