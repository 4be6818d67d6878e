UPDATE t SET a = a + 1000 WHERE id < 5;
