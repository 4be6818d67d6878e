CREATE TABLE t (id int PRIMARY KEY, a int, b text, UNIQUE KEY long_b (b));
INSERT INTO t VALUES (1, 1, 'x'), (2, 2, 'y'), (3, 3, NULL);
