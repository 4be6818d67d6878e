CREATE TABLE t (id int PRIMARY KEY COMMENT 'it''s a "key" \\ é', a int COMMENT 'column', KEY a (a) COMMENT 'index') COMMENT = 'it''s a "table" \\ é';
INSERT INTO t VALUES (1, 1);
