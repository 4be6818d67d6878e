CREATE TABLE t (id int PRIMARY KEY, a enum('a', 'b', 'c'), b set('x', 'y'));
INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'x,y'), (3, NULL, NULL), (4, 'c', '');
