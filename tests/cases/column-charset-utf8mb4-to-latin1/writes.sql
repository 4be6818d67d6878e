UPDATE t SET a = 'ü' WHERE id = 2;
