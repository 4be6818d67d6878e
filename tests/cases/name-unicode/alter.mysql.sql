ADD COLUMN `таблица_表3` int DEFAULT 5, DROP COLUMN `таблица_表2`, RENAME COLUMN `таблица_表` TO `таблица_表4`
