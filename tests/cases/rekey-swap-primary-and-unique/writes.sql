UPDATE t SET v = 'x' WHERE id < 10;
DELETE FROM t WHERE id = 50;
UPDATE t SET code = 5000 - code WHERE id = 60;
UPDATE t SET id = 5000 - id WHERE code = 930;
