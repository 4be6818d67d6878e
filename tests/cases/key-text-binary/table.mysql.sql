CREATE TABLE t (k varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v int);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT CONCAT('key-', i), i FROM n;
INSERT INTO t VALUES ('a', 1001), ('A', 2), ('á', 3), ('\\', 4), ('''', 5), ('"', 6), ('', 7), ('%', 8), ('😀', 9), (' a', 10), (0x61002762, 11), ('\\''', 12);
