UPDATE t SET a = UPPER(a::text) WHERE id = 1;
UPDATE t SET b = b || 'z=>3' WHERE id = 2;
