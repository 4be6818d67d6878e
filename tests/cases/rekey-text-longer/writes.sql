UPDATE t SET v = CONCAT(v, '+') WHERE id LIKE '1%';
DELETE FROM t WHERE id = '50';
UPDATE t SET id = '6-0' WHERE id = '60';
INSERT INTO t (id, v) SELECT CONCAT('n', COUNT(*)), 'new' FROM t;
