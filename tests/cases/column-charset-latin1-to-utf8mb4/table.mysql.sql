CREATE TABLE t (id int PRIMARY KEY, a varchar(20) CHARACTER SET latin1, b text CHARACTER SET latin1);
INSERT INTO t VALUES (1, x'E980FF', 'é'), (2, '', x'81'), (3, NULL, NULL), (4, x'5C27', x'00');
