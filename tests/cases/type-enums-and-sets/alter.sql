ADD COLUMN added int, DROP COLUMN gone
