UPDATE t SET v = 'x' WHERE id < 10;
DELETE FROM t WHERE id = 0;
INSERT INTO t VALUES (0, 'zero');
