CREATE TABLE t (id int PRIMARY KEY, a int, s int GENERATED ALWAYS AS (a + 1) STORED, z varchar(20));
CREATE INDEX t_s ON t (s);
INSERT INTO t (id, a, z) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) SELECT i, i * 3, 'z' FROM n;
