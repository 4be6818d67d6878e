CREATE TABLE t (id int PRIMARY KEY, v double precision);
INSERT INTO t VALUES (1, 0.5), (42, 0.1), (43, NULL);
