CREATE TABLE t (k varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_ci PRIMARY KEY, v int);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT CONCAT('Clé-', i), i FROM n;
INSERT INTO t VALUES ('résumé', 1001), ('naïve', 2), ('straße', 1003);
