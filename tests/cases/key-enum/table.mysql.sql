CREATE TABLE t (k enum('10', '2', 'b', 'a', '1') NOT NULL, l enum('x', 'y') NOT NULL, v int, PRIMARY KEY (k, l));
INSERT INTO t VALUES ('10', 'x', 1), ('2', 'x', 2), ('b', 'y', 3), ('a', 'x', 4), ('1', 'y', 5), (5, 'x', 6);
