CREATE TABLE t (`{id}` int PRIMARY KEY, `{v` decimal(10,3), `key}` int);
INSERT INTO t VALUES (1, 1.500, 1), (42, 1.005, 2), (43, NULL, 3);
