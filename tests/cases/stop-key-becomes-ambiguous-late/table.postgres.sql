CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
CREATE TABLE t (id varchar(20) PRIMARY KEY, v int);
INSERT INTO t VALUES ('a', 1), ('b', 3);
