UPDATE t SET v = CONCAT(COALESCE(v, ''), 'x');
