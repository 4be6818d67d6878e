UPDATE t SET b = 'x' WHERE id = 1;
