-- journal
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
CREATE TABLE IF NOT EXISTS "shop"."parts_osc_journal" (k1, k2)
WITH (autovacuum_enabled = on, autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_threshold = -1, vacuum_truncate = off)
AS SELECT t."tenant", t."code" FROM ONLY "shop"."parts" AS t WITH NO DATA;
COMMENT ON TABLE "shop"."parts_osc_journal" IS 'osc: journal of "shop"."parts"';
COMMIT;

-- triggers
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL lock_timeout = 3000;
LOCK TABLE ONLY "shop"."parts" IN SHARE UPDATE EXCLUSIVE MODE;
SET LOCAL lock_timeout = 300;
CREATE FUNCTION "shop"."parts_osc_capture"() RETURNS pg_catalog.trigger
LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN
  IF TG_OP OPERATOR(pg_catalog.=) ''UPDATE'' THEN
    INSERT INTO "shop"."parts_osc_journal" VALUES (OLD."tenant", OLD."code");
    IF NOT (NEW."tenant" OPERATOR(pg_catalog.=) OLD."tenant" AND ROW(NEW."code")::pg_catalog.record OPERATOR(pg_catalog.*=) ROW(OLD."code")::pg_catalog.record) THEN
      INSERT INTO "shop"."parts_osc_journal" VALUES (NEW."tenant", NEW."code");
    END IF;
  ELSIF TG_OP OPERATOR(pg_catalog.=) ''INSERT'' THEN
    INSERT INTO "shop"."parts_osc_journal" VALUES (NEW."tenant", NEW."code");
  ELSE
    INSERT INTO "shop"."parts_osc_journal" VALUES (OLD."tenant", OLD."code");
  END IF;
  RETURN NULL;
END';
CREATE OR REPLACE TRIGGER "parts_osc_capture" AFTER INSERT OR UPDATE OR DELETE ON "shop"."parts"
FOR EACH ROW WHEN (NULL::"shop"."parts_osc_journal" IS NULL) EXECUTE FUNCTION "shop"."parts_osc_capture"();
ALTER TABLE ONLY "shop"."parts" ENABLE ALWAYS TRIGGER "parts_osc_capture";
COMMIT;

-- chunk of positions
INSERT INTO "shop"."parts_osc_new" ("tenant", "code", "v") OVERRIDING SYSTEM VALUE
SELECT t."tenant", t."code", t."v" FROM ONLY "shop"."parts" AS t WHERE t.ctid >= '(100,0)'::pg_catalog.tid AND t.ctid < '(200,0)'::pg_catalog.tid
ON CONFLICT ("tenant", "code") DO NOTHING;

-- chunk of a bare shadow
INSERT INTO "shop"."parts_osc_new" ("tenant", "code", "v") OVERRIDING SYSTEM VALUE
SELECT t."tenant", t."code", t."v" FROM ONLY "shop"."parts" AS t WHERE t.ctid >= '(100,0)'::pg_catalog.tid AND t.ctid < '(200,0)'::pg_catalog.tid;

-- its record
INSERT INTO "shop"."parts_osc_chunks" VALUES (100, 199, 7000);

-- ask for it
SELECT c.copied FROM ONLY "shop"."parts_osc_chunks" AS c
WHERE c.first_page = 100 AND c.last_page = 199;

-- what has no record
WITH edge AS (SELECT c.first_page, c.last_page FROM ONLY "shop"."parts_osc_chunks" AS c
    UNION ALL SELECT -1, -1 UNION ALL SELECT 199::pg_catalog.int8 + 1, 199),
  gap AS (SELECT e.last_page + 1 AS first,
    LEAD(e.first_page) OVER (ORDER BY e.first_page) - 1 AS last FROM edge e)
SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format('["%s","%s"]', g.first, g.last),
  ',' ORDER BY g.first), '') FROM gap g WHERE g.first <= g.last AND g.last <= 199
HAVING EXISTS (SELECT FROM ONLY "shop"."parts_osc_chunks");

-- before the purge
SET LOCAL enable_nestloop = off;

-- purge
DELETE FROM ONLY "shop"."parts_osc_new" AS s USING (SELECT k1, k2
FROM ONLY "shop"."parts_osc_journal" AS j) AS j WHERE s."tenant" = j.k1 AND s."code" = j.k2;

-- chunk of keys
INSERT INTO "shop"."parts_osc_new" ("tenant", "code", "v") OVERRIDING SYSTEM VALUE
SELECT t."tenant", t."code", t."v" FROM ONLY "shop"."parts" AS t WHERE (t."tenant", t."code") > ('low 1', 'low 2') AND (t."tenant", t."code") <= ('end 1', 'end 2')
ON CONFLICT ("tenant", "code") DO NOTHING;

-- key literals
pg_catalog.quote_literal((t."tenant")::pg_catalog.text) || '::pg_catalog."int4"', pg_catalog.quote_literal((t."code")::pg_catalog.text) || '::pg_catalog."text"'

-- read the journal
SELECT pg_catalog.quote_literal(j.ctid),
  pg_catalog.hash_record_extended(ROW(j.k1, j.k2), 0) & 65535,
  pg_catalog.quote_literal(j.ctid)
FROM ONLY "shop"."parts_osc_journal" AS j WHERE j.ctid > '(0,0)'::pg_catalog.tid LIMIT 4000;

-- replay: delete
DELETE FROM ONLY "shop"."parts_osc_new" AS s USING (SELECT k1, k2
FROM ONLY "shop"."parts_osc_journal" AS j WHERE j.ctid = ANY (ARRAY[…]::pg_catalog.tid[])) AS j WHERE s."tenant" = j.k1 AND s."code" = j.k2;

-- replay: insert
INSERT INTO "shop"."parts_osc_new" ("tenant", "code", "v") OVERRIDING SYSTEM VALUE
SELECT t."tenant", t."code", t."v" FROM (SELECT DISTINCT k1, k2 FROM ONLY "shop"."parts_osc_journal" AS j WHERE j.ctid = ANY (ARRAY[…]::pg_catalog.tid[])) AS j
JOIN ONLY "shop"."parts" AS t ON t."tenant" = j.k1 AND t."code" = j.k2;

-- replay: insert where free
INSERT INTO "shop"."parts_osc_new" ("tenant", "code", "v") OVERRIDING SYSTEM VALUE
SELECT t."tenant", t."code", t."v" FROM (SELECT DISTINCT k1, k2 FROM ONLY "shop"."parts_osc_journal" AS j WHERE j.ctid = ANY (ARRAY[…]::pg_catalog.tid[])) AS j
JOIN ONLY "shop"."parts" AS t ON t."tenant" = j.k1 AND t."code" = j.k2
ON CONFLICT DO NOTHING;

-- replay: what was left out
SELECT pg_catalog.quote_literal(j.ctid) FROM ONLY "shop"."parts_osc_journal" AS j
JOIN ONLY "shop"."parts" AS t ON t."tenant" = j.k1 AND t."code" = j.k2
LEFT JOIN ONLY "shop"."parts_osc_new" AS s ON s."tenant" = t."tenant" AND s."code" = t."code"
WHERE j.ctid = ANY (ARRAY[…]::pg_catalog.tid[]) AND s.tableoid IS NULL;

-- replay: forget
DELETE FROM ONLY "shop"."parts_osc_journal" AS j WHERE j.ctid = ANY (ARRAY[…]::pg_catalog.tid[]);

-- settle
BEGIN ISOLATION LEVEL REPEATABLE READ;
DELETE FROM ONLY "shop"."parts_osc_new" AS s USING (SELECT k1, k2
FROM ONLY "shop"."parts_osc_journal" AS j) AS j WHERE s."tenant" = j.k1 AND s."code" = j.k2;
INSERT INTO "shop"."parts_osc_new" ("tenant", "code", "v") OVERRIDING SYSTEM VALUE
SELECT t."tenant", t."code", t."v" FROM (SELECT DISTINCT k1, k2 FROM ONLY "shop"."parts_osc_journal" AS j) AS j
JOIN ONLY "shop"."parts" AS t ON t."tenant" = j.k1 AND t."code" = j.k2
ON CONFLICT ("tenant", "code") DO NOTHING;
DELETE FROM ONLY "shop"."parts_osc_journal" AS j WHERE j.… IN (…);
COMMIT;

-- backlog
SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY "shop"."parts_osc_journal" LIMIT 4000) AS j;

-- backlog, about
SELECT COALESCE(max(pg_catalog.pg_stat_get_live_tuples(c.oid)), 0)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
ON n.oid = c.relnamespace WHERE n.nspname = 'schema' AND c.relname = 'journal';

