-- a range

BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;

SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_sort', 'off', true);

SELECT COUNT(t."id"), 0, COUNT(t."id"), COALESCE(SUM(CASE
  WHEN t."id" IS NOT NULL AND s."id" IS NOT NULL AND TRUE AND (t.osc_value_1) IS NOT DISTINCT FROM (s."id") AND (t."part")::text COLLATE "C" IS NOT DISTINCT FROM (s."part")::text COLLATE "C" AND (t.osc_value_3)::text COLLATE "C" IS NOT DISTINCT FROM (s."name")::text COLLATE "C" AND record_image_eq(ROW(t."data"), ROW(s."data")) AND record_image_eq(ROW(t.osc_value_4), ROW(s."price")) THEN 0
  ELSE 1 END), 0)
FROM (SELECT *, (t."id")::bigint AS osc_value_1, (t."name")::text AS osc_value_3, (t."price")::numeric(12,4) AS osc_value_4 FROM ONLY "shop"."orders" AS t WHERE (t."id", t."part") > (17, 'a') AND (t."id", t."part") <= (99, 'b')) AS t
FULL JOIN (SELECT * FROM ONLY "shop"."orders_osc_new" AS s WHERE (s."id", s."part") > (17, 'a') AND (s."id", s."part") <= (99, 'b')) AS s ON s."id" = t."id" AND s."part" = t."part";

COMMIT;

-- without the rows in flight

BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;

SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_sort', 'off', true);

SELECT COUNT(t."id"), 0, COUNT(t."id"), COALESCE(SUM(CASE
  WHEN t."id" IS NOT NULL AND s."id" IS NOT NULL AND TRUE AND (t.osc_value_1) IS NOT DISTINCT FROM (s."id") AND (t."part")::text COLLATE "C" IS NOT DISTINCT FROM (s."part")::text COLLATE "C" AND (t.osc_value_3)::text COLLATE "C" IS NOT DISTINCT FROM (s."name")::text COLLATE "C" AND record_image_eq(ROW(t."data"), ROW(s."data")) AND record_image_eq(ROW(t.osc_value_4), ROW(s."price")) THEN 0
  WHEN EXISTS (SELECT 1 FROM "shop"."orders_osc_journal" AS j WHERE t."id" = j.k1 AND t."part" = j.k2) OR EXISTS (SELECT 1 FROM "shop"."orders_osc_journal" AS j WHERE s."id" = (j.k1)::bigint AND s."part" = j.k2) THEN 0
  ELSE 1 END), 0)
FROM (SELECT *, (t."id")::bigint AS osc_value_1, (t."name")::text AS osc_value_3, (t."price")::numeric(12,4) AS osc_value_4 FROM ONLY "shop"."orders" AS t WHERE (t."id", t."part") > (17, 'a') AND (t."id", t."part") <= (99, 'b')) AS t
FULL JOIN (SELECT * FROM ONLY "shop"."orders_osc_new" AS s WHERE (s."id", s."part") > (17, 'a') AND (s."id", s."part") <= (99, 'b')) AS s ON s."id" = t."id" AND s."part" = t."part";

COMMIT;

-- its rows that differ, and the columns of one

SELECT MIN(e.a0), e.b0, MIN(e.c0), MIN(e.a1), e.b1, MIN(e.c1), MAX(e.side), MIN(e.side)
FROM (SELECT MIN(d.a0) AS a0, MIN(d.b0) AS b0, MIN(d.c0) AS c0, MIN(d.a1) AS a1, MIN(d.b1) AS b1, MIN(d.c1) AS c1, SUM(d.side) AS side
  FROM (SELECT (pg_catalog.quote_literal((t."id")::pg_catalog.text) || '::pg_catalog."int4"') COLLATE "C" AS a0, (pg_catalog.quote_literal(((t."id")::bigint)::pg_catalog.text) || '::pg_catalog."int8"') COLLATE "C" AS b0, ((t."id")::bigint)::text AS c0, (pg_catalog.quote_literal((t."part")::pg_catalog.text) || '::pg_catalog."text"') COLLATE "C" AS a1, (pg_catalog.quote_literal((t."part")::pg_catalog.text) || '::pg_catalog."text"') COLLATE "C" AS b1, (t."part")::text AS c1, hash_record_extended(ROW(record_send(ROW((t."id")::bigint, hashtextextended((t."part")::text COLLATE "C", 0), hashtextextended(((t."name")::text)::text COLLATE "C", 0), (t."price")::numeric(12,4), CASE WHEN num_nulls(t."data") = 0 THEN hashtextextended(ROW(t."data")::text COLLATE "C", 0) END))), 0) AS h, 1 AS side
    FROM ONLY "shop"."orders" AS t WHERE (t."id", t."part") > (17, 'a') AND (t."id", t."part") <= (99, 'b')
  AND NOT EXISTS (SELECT 1 FROM "shop"."orders_osc_journal" AS j WHERE t."id" = j.k1 AND t."part" = j.k2)
    UNION ALL SELECT NULL AS a0, (pg_catalog.quote_literal((s."id")::pg_catalog.text) || '::pg_catalog."int8"') COLLATE "C" AS b0, (s."id")::text AS c0, NULL AS a1, (pg_catalog.quote_literal((s."part")::pg_catalog.text) || '::pg_catalog."text"') COLLATE "C" AS b1, (s."part")::text AS c1, hash_record_extended(ROW(record_send(ROW(s."id", hashtextextended((s."part")::text COLLATE "C", 0), hashtextextended((s."name")::text COLLATE "C", 0), s."price", CASE WHEN num_nulls(s."data") = 0 THEN hashtextextended(ROW(s."data")::text COLLATE "C", 0) END))), 0), -1
    FROM ONLY "shop"."orders_osc_new" AS s WHERE (s."id", s."part") > (17, 'a') AND (s."id", s."part") <= (99, 'b')
  AND NOT EXISTS (SELECT 1 FROM "shop"."orders_osc_journal" AS j WHERE s."id" = (j.k1)::bigint AND s."part" = j.k2)) AS d
  GROUP BY d.h HAVING SUM(d.side) <> 0) AS e
GROUP BY e.b0, e.b1 ORDER BY e.b0, e.b1;

SELECT CASE WHEN record_send(ROW((t."id")::bigint)) <> record_send(ROW(s."id")) THEN 1 ELSE 0 END, CASE WHEN record_send(ROW(hashtextextended((t."part")::text COLLATE "C", 0))) <> record_send(ROW(hashtextextended((s."part")::text COLLATE "C", 0))) THEN 1 ELSE 0 END, CASE WHEN record_send(ROW(hashtextextended(((t."name")::text)::text COLLATE "C", 0))) <> record_send(ROW(hashtextextended((s."name")::text COLLATE "C", 0))) THEN 1 ELSE 0 END, CASE WHEN record_send(ROW((t."price")::numeric(12,4))) <> record_send(ROW(s."price")) THEN 1 ELSE 0 END, CASE WHEN record_send(ROW(CASE WHEN num_nulls(t."data") = 0 THEN hashtextextended(ROW(t."data")::text COLLATE "C", 0) END)) <> record_send(ROW(CASE WHEN num_nulls(s."data") = 0 THEN hashtextextended(ROW(s."data")::text COLLATE "C", 0) END)) THEN 1 ELSE 0 END FROM ONLY "shop"."orders" AS t, ONLY "shop"."orders_osc_new" AS s WHERE t."id" = 7 AND s."id" = 7 AND t."part" = 'x' AND s."part" = 'x';

-- repair

INSERT INTO "shop"."orders_osc_journal" (k1, k2)
SELECT t."id", t."part" FROM ONLY "shop"."orders" AS t WHERE (t."id", t."part") > (17, 'a') AND (t."id", t."part") <= (99, 'b')
  AND NOT EXISTS (SELECT 1 FROM ONLY "shop"."orders_osc_new" AS s
    WHERE s."id" = (t."id")::bigint AND s."part" = t."part" AND (s."id", s."part") > (17, 'a') AND (s."id", s."part") <= (99, 'b') AND hash_record_extended(ROW(record_send(ROW(s."id", hashtextextended((s."part")::text COLLATE "C", 0), hashtextextended((s."name")::text COLLATE "C", 0), s."price", CASE WHEN num_nulls(s."data") = 0 THEN hashtextextended(ROW(s."data")::text COLLATE "C", 0) END))), 0) = hash_record_extended(ROW(record_send(ROW((t."id")::bigint, hashtextextended((t."part")::text COLLATE "C", 0), hashtextextended(((t."name")::text)::text COLLATE "C", 0), (t."price")::numeric(12,4), CASE WHEN num_nulls(t."data") = 0 THEN hashtextextended(ROW(t."data")::text COLLATE "C", 0) END))), 0));

INSERT INTO "shop"."orders_osc_journal" (k1, k2)
SELECT (s."id")::integer, s."part" FROM ONLY "shop"."orders_osc_new" AS s WHERE (s."id", s."part") > (17, 'a') AND (s."id", s."part") <= (99, 'b')
  AND NOT EXISTS (SELECT 1 FROM ONLY "shop"."orders" AS t WHERE s."id" = (t."id")::bigint AND s."part" = t."part" AND (t."id", t."part") > (17, 'a') AND (t."id", t."part") <= (99, 'b'));

