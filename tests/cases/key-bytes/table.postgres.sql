CREATE TABLE t (k bytea PRIMARY KEY, v int);
INSERT INTO t VALUES ('\x', 0), ('\x00', 1), ('\x0000', 2), ('\x5C', 3), ('\x27', 4), ('\xFF', 5), ('\xFF00', 6), ('\x5C27', 7), ('\x61', 8), ('\x6120', 9), ('\xC3', 10), ('\x0A0D1A22', 11);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT decode(md5(i::text), 'hex'), i FROM n;
