CREATE TABLE t (id int PRIMARY KEY, v varchar(10));
INSERT INTO t VALUES (1, '12'), (42, '12x'), (43, NULL);
