CREATE TABLE t (id int PRIMARY KEY, v varbinary(8));
INSERT INTO t VALUES (1, 'abcdefgh'), (42, 'abc'), (43, NULL);
