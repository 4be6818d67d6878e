UPDATE t SET k = CASE LENGTH(k) WHEN 1 THEN 'b  ' ELSE 'b' END WHERE v = 4;
UPDATE t SET v = v + 10 WHERE k = 'a ' AND v < 10;
