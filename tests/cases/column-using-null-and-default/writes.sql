UPDATE t SET a = 'yy' WHERE id = 2;
