CREATE TABLE t (id serial PRIMARY KEY, v int);
INSERT INTO t (v) SELECT i FROM generate_series(1, 20) i;
