UPDATE t SET v = v || 'x', w = w || 'y' WHERE id < 10;
DELETE FROM t WHERE id = 20;
