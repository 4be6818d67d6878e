CREATE TABLE t (id int PRIMARY KEY, v varchar(10) CHARACTER SET utf8mb4);
INSERT INTO t VALUES (1, 'é'), (42, '日'), (43, NULL);
