CREATE TABLE t (a varchar(100) NOT NULL, b int, UNIQUE KEY a (a(10)));
INSERT INTO t VALUES ('abc', 1);
