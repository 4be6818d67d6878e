CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL CHECK (a > 0), b varchar(10), CONSTRAINT both_ok CHECK (a > 0 OR b IS NULL), CHECK (a < 10000));
INSERT INTO t VALUES (1, 1, 'b');
