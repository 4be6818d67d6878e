CREATE TABLE t (id varchar(20) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, v int);
INSERT INTO t VALUES ('a', 1), ('B', 2), ('b', 3), ('zz', 4);
