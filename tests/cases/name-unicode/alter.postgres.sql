ADD COLUMN "таблица_表3" int DEFAULT 5, DROP COLUMN "таблица_表2"
