CREATE TABLE t (k bit(8), x bit varying, b boolean, v int, PRIMARY KEY (k, x, b));
INSERT INTO t VALUES (B'00000000', B'', false, 1), (B'11111111', B'0', true, 2), (B'10000000', B'00', false, 3), (B'10000000', B'01', false, 4);
