CREATE TABLE t (id int PRIMARY KEY, a int, b text COMPRESSED);
INSERT INTO t VALUES (1, 1, REPEAT('x', 5000)), (2, 2, ''), (3, 3, NULL);
