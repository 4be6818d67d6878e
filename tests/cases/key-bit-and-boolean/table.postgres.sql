CREATE TABLE t (k bit(8) UNIQUE, x int, b boolean, v int, PRIMARY KEY (x, b));
INSERT INTO t VALUES (B'00000000', 0, false, 1), (B'11111111', 1, true, 2), (B'10000000', 2, false, 3), (B'10000001', 3, false, 4);
