CREATE TABLE "100%s%d" ("100%s%d1" int PRIMARY KEY, "100%s%d2" varchar(20), "100%s%d" int);
CREATE INDEX "100%s%di" ON "100%s%d" ("100%s%d2");
CREATE UNIQUE INDEX "100%s%du" ON "100%s%d" ("100%s%d");
INSERT INTO "100%s%d" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
