UPDATE t SET v = v + 1 WHERE id <> 42;
UPDATE t SET v = -v WHERE id = 42;
