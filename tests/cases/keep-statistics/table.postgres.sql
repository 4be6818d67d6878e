CREATE TABLE t (id int PRIMARY KEY, a int, b text);
INSERT INTO t SELECT i, i, 'b' FROM generate_series(1, 20) i;
CREATE STATISTICS ab (dependencies, mcv) ON a, b FROM t;
CREATE STATISTICS "odd Name" (ndistinct) ON a, b, id FROM t;
CREATE STATISTICS ex ON (a + 1), b FROM t;
COMMENT ON STATISTICS ab IS 'both';
ALTER STATISTICS ab SET STATISTICS 400;
