CREATE TABLE t (v varchar(20), code int NOT NULL, other int, CONSTRAINT t_code UNIQUE (code), CONSTRAINT t_other UNIQUE (other));
INSERT INTO t (code, other) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) SELECT i, CASE WHEN i < 50 THEN i ELSE NULL END FROM n;
