CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public;
CREATE TABLE t (id int PRIMARY KEY, a citext UNIQUE, b hstore);
CREATE INDEX t_b ON t USING gin (b);
INSERT INTO t VALUES (1, 'Abc', 'a=>1,b=>NULL'), (2, 'abd', ''), (3, NULL, NULL);
