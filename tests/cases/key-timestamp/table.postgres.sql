CREATE TABLE t (k timestamptz PRIMARY KEY, v int);
SET TimeZone = 'Europe/Berlin';
INSERT INTO t VALUES ('1970-01-01 02:00:00.000001', 1), ('2038-01-19 05:14:07.999999', 2), ('2024-03-31 02:30:00', 3), ('infinity', 4), ('-infinity', 5), ('0044-03-15 12:00:00 BC', 6), ('294276-12-31 23:59:59.999999', 7), ('4713-01-01 00:00:00 BC', 8);
INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) SELECT TIMESTAMP '2024-01-01 00:00:00' + i * interval '1 microsecond', 10 + i FROM n;
