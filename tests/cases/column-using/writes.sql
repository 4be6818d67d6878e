UPDATE t SET a = '77', c = 9 WHERE id = 3;
