ADD COLUMN `select3` int DEFAULT 5, DROP COLUMN `select2`, RENAME COLUMN `select` TO `select4`
