UPDATE t SET b = b + 100 WHERE id < 10;
