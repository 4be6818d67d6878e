CREATE TABLE t (id int PRIMARY KEY, a varchar(10));
INSERT INTO t VALUES (1, '1'), (2, 'b'), (3, NULL), (4, '2');
