UPDATE t SET name = CONCAT(name, '!') WHERE id = 3 AND v < 50;
UPDATE t SET id = id + 10 WHERE name = '';
DELETE FROM t WHERE id = 4;
INSERT INTO t (id, name, v) SELECT 4, CONCAT('again ', MAX(v)), MAX(v) + 1 FROM t;
