CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a bytea, b bit(9), c bit varying, d bit(1));
INSERT INTO t VALUES (1, 1, 1, '', B'000000000', B'', B'0'), (2, 1, 1, '\x005C27FF22', B'101011100', B'1', B'1'), (3, NULL, NULL, NULL, NULL, NULL, NULL), (4, 1, 1, '\x0A0D1A0925', B'111111111', B'0000000000000000000000000000000000000000000000000000000000000000000000', B'0');
INSERT INTO t (id, a) SELECT 100 + i, decode(lpad(to_hex(i), 2, '0') || '5C' || lpad(to_hex(255 - i), 2, '0'), 'hex') FROM generate_series(0, 255) i;
