CREATE TABLE t (gone int, id int PRIMARY KEY, a int, gone2 text, b text);
INSERT INTO t SELECT 1, i, i, 'x', 'b' FROM generate_series(1, 20) i;
ALTER TABLE t DROP gone, DROP gone2;
ALTER TABLE t ADD c int DEFAULT 9;
INSERT INTO t (id) VALUES (50);
