UPDATE t SET v = CASE id WHEN 43 THEN 'eleven char' ELSE 'y' END;
