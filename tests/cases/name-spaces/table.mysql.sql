CREATE TABLE `a  b` (`a  b1` int PRIMARY KEY, `a  b2` varchar(20), `a  b` int);
CREATE INDEX `a  bi` ON `a  b` (`a  b2`);
CREATE UNIQUE INDEX `a  bu` ON `a  b` (`a  b`);
INSERT INTO `a  b` WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
