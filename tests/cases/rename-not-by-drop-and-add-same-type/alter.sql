DROP COLUMN a, ADD COLUMN a varchar(30) DEFAULT 'fresh'
