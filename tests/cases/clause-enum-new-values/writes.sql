UPDATE t SET b = 'y' WHERE id < 5;
