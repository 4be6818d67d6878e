UPDATE t SET v = v + 100 WHERE id < 5;
INSERT INTO t (id, v) SELECT MAX(id) + 1, 1 FROM t;
