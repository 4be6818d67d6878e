CREATE TABLE "CamelCase" ("CamelCase1" int PRIMARY KEY, "CamelCase2" varchar(20), "CamelCase" int);
CREATE INDEX "CamelCasei" ON "CamelCase" ("CamelCase2");
CREATE UNIQUE INDEX "CamelCaseu" ON "CamelCase" ("CamelCase");
INSERT INTO "CamelCase" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
