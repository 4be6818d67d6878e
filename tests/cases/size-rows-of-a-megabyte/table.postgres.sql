CREATE TABLE t (id int PRIMARY KEY, v bytea, w text);
INSERT INTO t SELECT 1, decode(repeat('005C27FF', 262144), 'hex'), repeat('ß', 100000);
ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
INSERT INTO t SELECT id + 1, v, w FROM t;
INSERT INTO t SELECT id + 2, v, w FROM t;
INSERT INTO t SELECT id + 4, v, w FROM t;
