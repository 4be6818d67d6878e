ADD COLUMN `a``b````3` int DEFAULT 5, DROP COLUMN `a``b````2`, RENAME COLUMN `a``b````` TO `a``b````4`
