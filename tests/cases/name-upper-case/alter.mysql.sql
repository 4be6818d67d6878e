ADD COLUMN `CamelCase3` int DEFAULT 5, DROP COLUMN `CamelCase2`, RENAME COLUMN `CamelCase` TO `CamelCase4`
