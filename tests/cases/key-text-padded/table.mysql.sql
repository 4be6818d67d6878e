CREATE TABLE t (k varchar(30) CHARACTER SET latin1 COLLATE latin1_swedish_ci PRIMARY KEY, v int);
INSERT INTO t VALUES ('a  ', 1), ('b', 2), ('', 3), ('Å', 4), ('ü', 5);
