CREATE TABLE t (id int PRIMARY KEY, a varchar(20) CHARACTER SET utf8mb4);
INSERT INTO t VALUES (1, 'é€'), (2, ''), (3, NULL), (4, '\\''');
