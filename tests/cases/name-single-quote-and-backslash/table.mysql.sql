CREATE TABLE `it's \n` (`it's \n1` int PRIMARY KEY, `it's \n2` varchar(20), `it's \n` int);
CREATE INDEX `it's \ni` ON `it's \n` (`it's \n2`);
CREATE UNIQUE INDEX `it's \nu` ON `it's \n` (`it's \n`);
INSERT INTO `it's \n` WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
