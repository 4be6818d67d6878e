CREATE TABLE t (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, v varchar(10));
INSERT INTO t VALUES (0, 'zero'), (1, 'one'), (500, 'top');
DELETE FROM t WHERE id = 500;
