CREATE TABLE t (`{id}` int PRIMARY KEY, `{v` varchar(30), `key}` int);
INSERT INTO t VALUES (1, 'short', 1), (42, 'much too long', 2), (43, NULL, 3);
