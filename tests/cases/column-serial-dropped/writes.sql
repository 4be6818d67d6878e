INSERT INTO t (id, v) SELECT max(id) + 1, 100 FROM t;
