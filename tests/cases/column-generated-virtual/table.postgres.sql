CREATE TABLE t (id int PRIMARY KEY, a int, v int GENERATED ALWAYS AS (a * 2) VIRTUAL);
INSERT INTO t (id, a) SELECT i, i FROM generate_series(1, 30) i;
