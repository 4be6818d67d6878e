CREATE TABLE t (a double precision NOT NULL PRIMARY KEY, b int);
INSERT INTO t VALUES (1.5, 1);
