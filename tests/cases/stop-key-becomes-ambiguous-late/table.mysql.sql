CREATE TABLE t (id varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY, v int);
INSERT INTO t VALUES ('a', 1), ('b', 3);
