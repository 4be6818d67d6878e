CREATE TABLE "{source} {key}" ("{source} {key}1" int PRIMARY KEY, "{source} {key}2" varchar(20), "{source} {key}" int);
CREATE INDEX "{source} {key}i" ON "{source} {key}" ("{source} {key}2");
CREATE UNIQUE INDEX "{source} {key}u" ON "{source} {key}" ("{source} {key}");
INSERT INTO "{source} {key}" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
