UPDATE t SET c = 5 WHERE id = 2;
