CREATE TABLE t (ID int PRIMARY KEY, A int, `B` varchar(10));
INSERT INTO t VALUES (1, 1, 'x');
