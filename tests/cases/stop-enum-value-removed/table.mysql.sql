CREATE TABLE t (id int PRIMARY KEY, v enum('a', 'b', 'c'));
INSERT INTO t VALUES (1, 'a'), (42, 'b'), (43, NULL);
