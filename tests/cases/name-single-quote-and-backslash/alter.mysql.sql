ADD COLUMN `it's \n3` int DEFAULT 5, DROP COLUMN `it's \n2`, RENAME COLUMN `it's \n` TO `it's \n4`
