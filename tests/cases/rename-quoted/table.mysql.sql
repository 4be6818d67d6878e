CREATE TABLE t (id int PRIMARY KEY, `to` varchar(30), `a ``b` varchar(30));
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) SELECT i, CONCAT('a', i), CONCAT('b', i) FROM n;
