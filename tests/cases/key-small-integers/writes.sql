UPDATE t SET c = -1 - c WHERE a = 127;
UPDATE t SET b = 0, c = 5 WHERE a = 0 AND c = 0;
