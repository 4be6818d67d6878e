CREATE TABLE t (id int PRIMARY KEY, v varbinary(5));
INSERT INTO t VALUES (1, 'abcde'), (42, 'abc'), (43, NULL);
