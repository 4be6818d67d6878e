CREATE TABLE t (id int PRIMARY KEY, v decimal(10,3));
INSERT INTO t VALUES (1, 1.500), (42, 1.5), (43, NULL);
