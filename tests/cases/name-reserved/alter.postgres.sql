ADD COLUMN "select3" int DEFAULT 5, DROP COLUMN "select2"
