ADD COLUMN `{source} {key}3` int DEFAULT 5, DROP COLUMN `{source} {key}2`, RENAME COLUMN `{source} {key}` TO `{source} {key}4`
