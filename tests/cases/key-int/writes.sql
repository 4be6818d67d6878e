INSERT INTO t (id, v) SELECT MAX(id) + 1, 'new' FROM t WHERE id < 1000000;
UPDATE t SET id = -id, v = 'moved' WHERE id IN (7, -7);
UPDATE t SET v = CONCAT(v, '+') WHERE id > 290 AND id < 320;
UPDATE t SET v = v WHERE id = 20;
DELETE FROM t WHERE id BETWEEN 100 AND 110;
