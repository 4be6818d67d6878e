CREATE TABLE t (k varbinary(16) PRIMARY KEY, v int);
INSERT INTO t VALUES (x'', 0), (x'00', 1), (x'0000', 2), (x'5C', 3), (x'27', 4), (x'FF', 5), (x'FF00', 6), (x'5C27', 7), (x'61', 8), (x'6120', 9), (x'C3', 10), (x'0A0D1A22', 11);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT UNHEX(LEFT(SHA2(i, 256), 32)), i FROM n;
