UPDATE t SET v = 0 WHERE id = 1;
UPDATE t SET v = 10 WHERE id = 2;
UPDATE t SET v = 20 WHERE id = 3;
UPDATE t SET v = 30 WHERE id = 1;
