CREATE TABLE t (id int PRIMARY KEY, a text, b text COMPRESSION pglz, c int);
ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER c SET STATISTICS 500, ALTER c SET (n_distinct = -0.5, n_distinct_inherited = 3);
INSERT INTO t SELECT i, repeat('x', 3000), repeat('y', 3000), i FROM generate_series(1, 20) i;
