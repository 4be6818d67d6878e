UPDATE t SET a = NULL WHERE id = 3;
INSERT INTO t (id, d, e) SELECT MAX(id) + 1, 'd', '2001-01-01' FROM t;
