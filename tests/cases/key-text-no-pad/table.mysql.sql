CREATE TABLE t (k varchar(30) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v int);
INSERT INTO t VALUES ('a', 1), ('a ', 2), ('a  ', 3), ('b', 4), ('', 5), (' ', 6);
