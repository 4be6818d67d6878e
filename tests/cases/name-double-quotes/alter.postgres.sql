ADD COLUMN "a""b""""3" int DEFAULT 5, DROP COLUMN "a""b""""2"
