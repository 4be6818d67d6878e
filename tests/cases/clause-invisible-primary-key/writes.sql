UPDATE t SET a = a + 100 WHERE b = 1;
