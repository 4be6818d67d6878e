UPDATE t SET v = 'eleven char' WHERE id = 43;
