CREATE TABLE t (id int PRIMARY KEY, a smallint, b varchar(5), c decimal(5,2), d real, e int);
INSERT INTO t VALUES (1, 32767, 'abcde', 999.99, 0.5, 1), (2, -32768, '', -0.01, 1e10, 0), (3, NULL, NULL, NULL, NULL, NULL), (4, 0, ' ', 0, 0.1, 5);
