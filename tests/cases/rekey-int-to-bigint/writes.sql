UPDATE t SET v = CONCAT(v, '+') WHERE id < 20;
DELETE FROM t WHERE id = 50;
UPDATE t SET id = -id WHERE id IN (60, -60);
INSERT INTO t (id, v) SELECT MAX(id) + 1, 'new' FROM t;
