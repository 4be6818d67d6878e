CREATE TABLE t (id int PRIMARY KEY, a text, b text, c int);
INSERT INTO t SELECT i, i::text, 'x,y', i FROM generate_series(1, 30) i;
INSERT INTO t VALUES (100, NULL, NULL, NULL), (101, ' 7 ', '', 5);
