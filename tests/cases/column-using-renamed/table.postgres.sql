CREATE TABLE t (id int PRIMARY KEY, "Odd Col" text, b text);
INSERT INTO t SELECT i, i::text, 'b' FROM generate_series(1, 30) i;
