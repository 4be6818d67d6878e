UPDATE t SET id = UPPER(id) WHERE v < 10;
UPDATE t SET id = LOWER(id) WHERE v < 5;
DELETE FROM t WHERE id = 'Key 50';
