CREATE TABLE t (id int PRIMARY KEY, k1 int, t int, s int, j int, n int, e int);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, i, i, i, i, i, i FROM n;
