UPDATE t SET b = 'bb' WHERE id = 3;
