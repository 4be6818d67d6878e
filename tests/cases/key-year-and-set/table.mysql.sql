CREATE TABLE t (y year NOT NULL, s set('a', 'b', '1') NOT NULL, v int, PRIMARY KEY (y, s));
INSERT INTO t VALUES (0, '', 1), (1901, 'a,b', 2), (2155, '1', 3), (2024, 'b,1', 4);
