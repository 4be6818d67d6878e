CREATE TABLE t (a tinyint NOT NULL, b mediumint unsigned NOT NULL, c smallint NOT NULL, PRIMARY KEY (a, b, c));
INSERT INTO t VALUES (-128, 0, -32768), (-128, 16777215, 32767), (127, 16777215, 32767), (0, 0, 0), (0, 0, -1);
