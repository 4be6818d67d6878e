CREATE TABLE t (id int PRIMARY KEY, a int, b text);
CREATE INDEX t_a_key ON t (b);
INSERT INTO t SELECT i, i, 'b' || i FROM generate_series(1, 20) i;
