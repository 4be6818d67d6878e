CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE VIEW reader AS SELECT id FROM t;
