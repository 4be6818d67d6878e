CREATE TABLE "таблица_表" ("таблица_表1" int PRIMARY KEY, "таблица_表2" varchar(20), "таблица_表" int);
CREATE INDEX "таблица_表i" ON "таблица_表" ("таблица_表2");
CREATE UNIQUE INDEX "таблица_表u" ON "таблица_表" ("таблица_表");
INSERT INTO "таблица_表" WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) SELECT i, CONCAT('v', i), i FROM n;
