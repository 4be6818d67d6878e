UPDATE t SET b = 'xx' WHERE id = 3;
