CREATE TABLE t (k varbinary(16) PRIMARY KEY, v int);
INSERT INTO t VALUES (x'', 0), (x'00', 1), (x'0000', 2), (x'FF', 3), (x'FF00', 4), (x'6120', 5), (x'61', 6);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT UNHEX(LEFT(SHA2(i, 256), 32)), i FROM n;
