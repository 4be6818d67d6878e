CREATE TABLE t (id int PRIMARY KEY, v varchar(10));
INSERT INTO t VALUES (1, 'a'), (42, 'twice'), (43, NULL), (44, NULL), (45, 'twice');
