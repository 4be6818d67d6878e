CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a smallint, b int, c bigint, d small, e oid, f boolean, g money, h "char", i pg_lsn, j xid8, k tid);
INSERT INTO t VALUES (1, 1, 1, -32768, -2147483648, -9223372036854775808, -5, 4294967295, true, '-92233720368547758.08', 'x', 'FFFFFFFF/FFFFFFFF', '18446744073709551615', '(4294967295,65535)'), (2, 1, 1, 32767, 2147483647, 9223372036854775807, 99, 0, false, 0, '', '0/0', '0', '(0,1)'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
