CREATE TABLE `a``b````` (`a``b````1` int PRIMARY KEY, `a``b````2` varchar(20), `a``b````` int);
CREATE INDEX `a``b````i` ON `a``b````` (`a``b````2`);
CREATE UNIQUE INDEX `a``b````u` ON `a``b````` (`a``b`````);
INSERT INTO `a``b````` WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
