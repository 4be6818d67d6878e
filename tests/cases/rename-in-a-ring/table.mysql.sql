CREATE TABLE t (id int PRIMARY KEY, a varchar(30), b varchar(30), c int);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) SELECT i, CONCAT('a', i), CONCAT('b', i), i FROM n;
