UPDATE t SET k = '1582-10-10', v = v + 10 WHERE v IN (3, 13);
