CREATE TABLE t (id int PRIMARY KEY, b text);
INSERT INTO t VALUES (1, 'some words');
