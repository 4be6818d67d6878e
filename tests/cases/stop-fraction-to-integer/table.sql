CREATE TABLE t (id int PRIMARY KEY, v decimal(10,2));
INSERT INTO t VALUES (1, 5), (42, 5.01), (43, NULL);
