CREATE TABLE `select` (`select1` int PRIMARY KEY, `select2` varchar(20), `select` int);
CREATE INDEX `selecti` ON `select` (`select2`);
CREATE UNIQUE INDEX `selectu` ON `select` (`select`);
INSERT INTO `select` WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
