CREATE TABLE t (id int PRIMARY KEY, a enum('1', 'b', '0'), b set('x', 'y'));
INSERT INTO t VALUES (1, '1', 'x'), (2, 'b', 'x,y'), (3, NULL, NULL), (4, '0', '');
