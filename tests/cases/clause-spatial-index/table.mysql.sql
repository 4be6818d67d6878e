CREATE TABLE t (id int PRIMARY KEY, a int, p point NOT NULL);
INSERT INTO t VALUES (1, 1, POINT(1, 2)), (2, 2, POINT(3, 4));
