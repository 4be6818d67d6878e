CREATE TABLE `$a$1` (`$a$11` int PRIMARY KEY, `$a$12` varchar(20), `$a$1` int);
CREATE INDEX `$a$1i` ON `$a$1` (`$a$12`);
CREATE UNIQUE INDEX `$a$1u` ON `$a$1` (`$a$1`);
INSERT INTO `$a$1` WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
