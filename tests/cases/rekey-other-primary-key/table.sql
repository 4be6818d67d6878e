CREATE TABLE t (id int NOT NULL, code int NOT NULL, v varchar(30), CONSTRAINT t_pkey PRIMARY KEY (id), CONSTRAINT t_code UNIQUE (code));
INSERT INTO t (id, code, v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i, 1000 - i, CONCAT('v', i) FROM n;
