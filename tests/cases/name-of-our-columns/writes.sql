UPDATE t SET k1 = 5, s = NULL, j = NULL WHERE id < 5;
