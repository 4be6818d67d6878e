UPDATE t SET v = 'x' WHERE id < 10;
DELETE FROM t WHERE id = 50;
UPDATE t SET id = -id WHERE id IN (60, -60);
