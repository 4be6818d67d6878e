CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY d (a DESC, b), UNIQUE KEY u (b DESC));
INSERT INTO t VALUES (1, 1, 2), (2, 2, 3);
