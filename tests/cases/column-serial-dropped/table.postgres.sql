CREATE TABLE t (id int PRIMARY KEY, n serial, v int);
INSERT INTO t (id, v) SELECT i, i FROM generate_series(1, 20) i;
