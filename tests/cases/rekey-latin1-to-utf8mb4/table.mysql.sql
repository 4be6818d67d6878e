CREATE TABLE t (id varchar(20) CHARACTER SET latin1 PRIMARY KEY, v varchar(30) CHARACTER SET latin1);
INSERT INTO t VALUES ('é', 'ü€'), ('a', x'80FF'), ('ÿ', '');
