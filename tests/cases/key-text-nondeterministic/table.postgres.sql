CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TABLE t (k text COLLATE ci PRIMARY KEY, v int);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT 'Key-' || i, i FROM n;
INSERT INTO t VALUES ('résumé', 1001), ('A', 1002);
