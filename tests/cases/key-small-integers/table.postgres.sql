CREATE TABLE t (a smallint, b int, c smallint, PRIMARY KEY (a, b, c));
INSERT INTO t VALUES (-128, 0, -32768), (-128, 16777215, 32767), (127, 16777215, 32767), (0, 0, 0), (0, 0, -1);
