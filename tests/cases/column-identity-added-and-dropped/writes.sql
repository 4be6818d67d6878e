UPDATE t SET v = 50 WHERE id = 5;
