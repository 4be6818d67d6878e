CREATE SEQUENCE counter;
CREATE TABLE t (id int PRIMARY KEY DEFAULT nextval('counter'), v int);
INSERT INTO t (v) SELECT i FROM generate_series(1, 20) i;
