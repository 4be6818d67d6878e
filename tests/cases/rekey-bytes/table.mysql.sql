CREATE TABLE t (id binary(4) PRIMARY KEY, v int);
INSERT INTO t VALUES ('abcd', 1), ('abce', 2), ('zzzz', 3), (0x00010203, 4);
