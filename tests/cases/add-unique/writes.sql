UPDATE t SET v = 'swap' WHERE id = 1;
UPDATE t SET v = 'a' WHERE id = 42;
UPDATE t SET v = 'b' WHERE id = 1;
UPDATE t SET v = 'swap' WHERE id = 42;
UPDATE t SET v = 'a' WHERE id = 1;
UPDATE t SET v = 'b' WHERE id = 42;
