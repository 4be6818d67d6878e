CREATE TABLE t (id int PRIMARY KEY, a int, b text, FULLTEXT KEY f (b));
INSERT INTO t VALUES (1, 1, 'some words'), (2, 2, NULL);
