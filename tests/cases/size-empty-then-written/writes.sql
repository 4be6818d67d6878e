INSERT INTO t (id, v) SELECT COUNT(*), 'x' FROM t;
