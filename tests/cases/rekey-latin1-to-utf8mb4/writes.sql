UPDATE t SET v = 'ñ' WHERE id = 'é';
DELETE FROM t WHERE id = 'ÿ';
INSERT INTO t VALUES ('ÿ', 'Ÿ');
