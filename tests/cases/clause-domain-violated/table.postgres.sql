CREATE TABLE t (id int PRIMARY KEY, a int, b text);
INSERT INTO t SELECT i, i, 'b' || i FROM generate_series(1, 20) i;
CREATE DOMAIN small AS int CHECK (VALUE < 15);
