CREATE TABLE t (id int PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a + 1) STORED);
INSERT INTO t (id, a) SELECT i, i FROM generate_series(1, 20) i;
