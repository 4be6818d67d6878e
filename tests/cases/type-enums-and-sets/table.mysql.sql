CREATE TABLE t (id int PRIMARY KEY, w int, gone int, a enum('b', 'a', '1', '0', ''), b enum('x', 'é', '日') CHARACTER SET utf8mb4, c set('a', 'b', '1', '2'), d enum('10', '2', '1') NOT NULL, e set('x') NOT NULL);
INSERT INTO t VALUES (1, 1, 1, '1', 'é', '1,2', '1', 'x'), (2, 1, 1, '0', '日', '', '2', ''), (3, NULL, NULL, NULL, NULL, NULL, '10', 'x'), (4, 1, 1, '', 'x', 'a,b,1,2', 1, ''), (5, 1, 1, 1, 1, 3, 2, 1), (6, 1, 1, 'b', 'x', 'b', 3, '');
SET sql_mode = '';
INSERT INTO t VALUES (7, 1, 1, 0, 'wrong', 'wrong', 'wrong', 'wrong'), (8, 1, 1, 'wrong', '', '', '', '');
