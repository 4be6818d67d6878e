UPDATE t SET a = CONCAT(a, '+'), b = NULL WHERE id < 10;
DELETE FROM t WHERE id = 50;
INSERT INTO t (id, a, b, c) SELECT MAX(id) + 1, 'new', 'newb', 0 FROM t;
