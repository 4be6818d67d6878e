UPDATE t SET a = 'b' WHERE id = 1;
