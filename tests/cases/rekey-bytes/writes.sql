UPDATE t SET id = 'abcf' WHERE v = 2;
DELETE FROM t WHERE v = 3;
