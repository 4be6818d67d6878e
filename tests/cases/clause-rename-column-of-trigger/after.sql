UPDATE t SET z = 5 WHERE id = 9;
