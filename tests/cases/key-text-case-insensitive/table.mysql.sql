CREATE TABLE t (k varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, v int);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT CONCAT('Key-', i), i FROM n;
INSERT INTO t VALUES ('a', 1001), ('B', 2), ('ß', 3), ('é', 4);
