UPDATE t SET v = 'y' WHERE id = 1;
