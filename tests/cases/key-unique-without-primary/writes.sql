UPDATE t SET other = other + 1000 WHERE code < 10;
UPDATE t SET other = NULL WHERE code = 11;
UPDATE t SET code = code + 500 WHERE code = 12;
DELETE FROM t WHERE code = 13;
