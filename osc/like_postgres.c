#include <string.h>

#include "osc/plan/names.h"
#include "osc/shadow_postgres.h"

/*
 * LIKE leaves out what belongs to the table rather than to its columns, and
 * gives indexes names of its own: both are done here.  It also takes checks for
 * validated that are not.  Column options that begin with pg_
 * are the server's own marks.
 */
static const char create_table[] =
    "SELECT pg_catalog.format('CREATE %sTABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES"
    " EXCLUDING STATISTICS) USING %I%s TABLESPACE %I',\n"
    "  CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' END, {shadow_text}, {source_text},\n"
    "  am.amname, ' WITH (' || o.list || ')', COALESCE(s.spcname, ds.spcname))\n"
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am am ON am.oid = c.relam\n"
    "LEFT JOIN pg_catalog.pg_class toast ON toast.oid = c.reltoastrelid\n"
    "LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace\n"
    "JOIN pg_catalog.pg_database b ON b.datname = pg_catalog.current_database()\n"
    "JOIN pg_catalog.pg_tablespace ds ON ds.oid = b.dattablespace\n"
    "CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(u.option, ', ') FROM (\n"
    "    SELECT pg_catalog.format('%I=%L', p.option_name, p.option_value)\n"
    "      FROM pg_catalog.pg_options_to_table(c.reloptions) p\n"
    "    UNION ALL SELECT pg_catalog.format('toast.%I=%L', p.option_name, p.option_value)\n"
    "      FROM pg_catalog.pg_options_to_table(toast.reloptions) p) u(option)) o(list)\n"
    "WHERE c.oid = {source_class}";

static const char table_properties[] =
    "SELECT pg_catalog.format('ALTER TABLE %s OWNER TO %I', {shadow_text}, r.rolname)\n"
    "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n"
    "  WHERE c.oid = {source_class} AND r.rolname <> CURRENT_USER\n"
    "UNION ALL\n"
    "SELECT pg_catalog.format('ALTER TABLE ONLY %s REPLICA IDENTITY %s', {shadow_text},\n"
    "    CASE c.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)\n"
    "  FROM pg_catalog.pg_class c WHERE c.oid = {source_class} AND c.relreplident IN ('f', 'n')\n"
    "UNION ALL\n"
    "SELECT pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s',\n"
    "    {shadow_text}, a.attname, a.attstattarget)\n"
    "  FROM pg_catalog.pg_attribute a WHERE a.attrelid = {source_class} AND a.attnum > 0\n"
    "  AND NOT a.attisdropped AND a.attstattarget >= 0\n"
    "UNION ALL\n"
    "SELECT pg_catalog.format('ALTER TABLE ONLY %s ALTER COLUMN %I SET (%I=%L)', {shadow_text},\n"
    "    a.attname, p.option_name, p.option_value)\n"
    "  FROM pg_catalog.pg_attribute a, pg_catalog.pg_options_to_table(a.attoptions) p\n"
    "  WHERE a.attrelid = {source_class} AND a.attnum > 0 AND NOT a.attisdropped\n"
    "  AND pg_catalog.left(p.option_name, 3) <> 'pg_'";

/* LIKE forgets an identity sequence's type. */
static const char sequences[] =
    "SELECT pg_catalog.format('ALTER SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s"
    " START WITH %s CACHE %s %sCYCLE', nd.objid::pg_catalog.regclass, "
    "q.seqtypid::pg_catalog.regtype,\n"
    "  q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache,\n"
    "  CASE WHEN NOT q.seqcycle THEN 'NO ' END)\n"
    "FROM (SELECT a.attnum, pg_catalog.row_number() OVER (ORDER BY a.attnum) AS n\n"
    "  FROM pg_catalog.pg_attribute a WHERE a.attrelid = {source_class} AND a.attnum > 0\n"
    "  AND NOT a.attisdropped) m\n"
    "JOIN pg_catalog.pg_depend od ON od.refobjid = {source_class} AND od.refobjsubid = m.attnum\n"
    "JOIN pg_catalog.pg_depend nd ON nd.refobjid = {shadow_class} AND nd.refobjsubid = m.n\n"
    "JOIN pg_catalog.pg_sequence q ON q.seqrelid = od.objid\n"
    "JOIN pg_catalog.pg_sequence nq ON nq.seqrelid = nd.objid\n"
    "WHERE od.deptype = 'i' AND nd.deptype = 'i' AND od.classid = od.refclassid\n"
    "AND nd.classid = nd.refclassid AND od.classid = nd.classid\n"
    "AND od.classid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
    "AND (q.seqtypid, q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, q.seqcycle) IS\n"
    "  DISTINCT FROM (nq.seqtypid, nq.seqincrement, nq.seqmin, nq.seqmax, nq.seqstart,\n"
    "  nq.seqcache, nq.seqcycle)";

static const char unproved_checks[] =
    "SELECT s.statement FROM pg_catalog.pg_constraint c CROSS JOIN LATERAL (VALUES\n"
    "  (1, pg_catalog.format('ALTER TABLE ONLY %s DROP CONSTRAINT %I', {shadow_text}, "
    "c.conname)),\n"
    "  (2, pg_catalog.format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', {shadow_text}, "
    "c.conname,\n"
    "    pg_catalog.pg_get_constraintdef(c.oid))),\n"
    "  (3, pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %s', c.conname, {shadow_text},\n"
    "    pg_catalog.quote_nullable(pg_catalog.obj_description(c.oid, 'pg_constraint')))))\n"
    "  s(n, statement)\n"
    "WHERE c.conrelid = {source_class} AND c.contype IN ('c', 'n') AND NOT c.convalidated\n"
    "ORDER BY c.oid, s.n";

/*
 * The table's name is where the definition says ON for the first time; a
 * column whose quoted name holds the very same text would give broken SQL,
 * which the server refuses.  Triggers do not fire before the swap enables them.
 */
static const char triggers[] =
    "SELECT s.statement FROM (\n"
    "SELECT t.oid, 1 AS n, pg_catalog.overlay(d.def, ' ON ' || {shadow_text},\n"
    "    pg_catalog.strpos(d.def, p.at), pg_catalog.length(p.at)) AS statement\n"
    "  FROM pg_catalog.pg_trigger t CROSS JOIN LATERAL pg_catalog.pg_get_triggerdef(t.oid) d(def)\n"
    "  CROSS JOIN LATERAL pg_catalog.concat(' ON ', t.tgrelid::pg_catalog.regclass) p(at)\n"
    "  WHERE t.tgrelid = {source_class} AND NOT t.tgisinternal\n"
    "UNION ALL\n"
    "SELECT t.oid, 2, pg_catalog.format('ALTER TABLE ONLY %s %s TRIGGER %I', {shadow_text},\n"
    "    CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'\n"
    "      ELSE 'ENABLE ALWAYS' END, t.tgname)\n"
    "  FROM pg_catalog.pg_trigger t WHERE t.tgrelid = {source_class} AND NOT t.tgisinternal\n"
    "  AND t.tgenabled <> 'O'\n"
    "UNION ALL\n"
    "SELECT t.oid, 3, pg_catalog.format('COMMENT ON TRIGGER %I ON %s IS %L', t.tgname,\n"
    "    {shadow_text}, m.description)\n"
    "  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_description m ON m.objoid = t.oid\n"
    "    AND m.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass\n"
    "  WHERE t.tgrelid = {source_class} AND NOT t.tgisinternal) s ORDER BY s.oid, s.n";

static bool run_answers(struct maker *maker, const char *template, struct error *err)
{
    struct statements statements = {.arena = maker->arena};

    return statements_ask(&statements, maker->db, template, &maker->env, err) &&
           statements_run(&statements, maker->db, err);
}

static void add_pair(struct maker *maker, struct name_pair **list, const char *from,
                     const char *suffix, size_t number)
{
    struct name_pair *pair = ARENA_NEW(maker->arena, struct name_pair);
    const char *name = names_with_suffix(
        maker->plan->source->name, arena_printf(maker->arena, "_osc_new_%s%zu", suffix, number),
        maker->plan->facts, maker->arena);

    pair->from = from;
    pair->to = db_quote_name(maker->db, maker->arena, name);
    pair->next = *list;
    *list = pair;
}

static bool make_indexes(struct maker *maker, struct error *err)
{
    struct statements statements = {.arena = maker->arena};
    struct index *indexes = NULL;
    size_t n = 0;

    if (!indexes_read(maker->db, sql_lookup(&maker->env, "source_class"), maker->arena, &indexes,
                      &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        add_pair(maker, &maker->indexes, indexes[i].name, "", i + 1);
        const char *name = maker->indexes->to;
        const char *create = index_create(&indexes[i], name, maker->shadow, maker->arena);
        const char *attach = index_attach(&indexes[i], name, maker->shadow, maker->arena);
        statements_add(&statements, "SET LOCAL default_tablespace = %s", indexes[i].tablespace);
        if (create)
            statements_add(&statements, "%s", create);
        if (attach)
            statements_add(&statements, "%s", attach);
        index_finish(&indexes[i], maker->schema, name, maker->shadow, &statements);
    }
    return statements_run(&statements, maker->db, err) &&
           db_exec(maker->db, "SET LOCAL default_tablespace = ''", NULL, err);
}

/* The definition says CREATE STATISTICS name … FROM table. */
static const char read_statistics[] =
    "SELECT s.stxname, pg_catalog.substr(d.def, 1 + pg_catalog.length(q.head),\n"
    "    pg_catalog.length(d.def) - pg_catalog.length(q.head) - pg_catalog.length(q.tail)),\n"
    "  (pg_catalog.to_jsonb(s) ->> 'stxstattarget'), pg_catalog.quote_literal(\n"
    "  pg_catalog.obj_description(s.oid, 'pg_statistic_ext'))\n"
    "FROM pg_catalog.pg_statistic_ext s\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace\n"
    "CROSS JOIN LATERAL pg_catalog.pg_get_statisticsobjdef(s.oid) d(def)\n"
    "CROSS JOIN LATERAL (SELECT pg_catalog.format('CREATE STATISTICS %I.%I', n.nspname, "
    "s.stxname),\n"
    "  pg_catalog.format(' FROM %s', s.stxrelid::pg_catalog.regclass)) q(head, tail)\n"
    "WHERE s.stxrelid = {source_class} ORDER BY s.oid";

static bool make_statistics(struct maker *maker, struct error *err)
{
    struct statements statements = {.arena = maker->arena};
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(maker->db, &rows, read_statistics, &maker->env, err))
        return false;
    for (size_t n = 1; rows_next(&rows, err); n++) {
        add_pair(maker, &maker->statistics, arena_string(maker->arena, rows_text(&rows, 0)), "x",
                 n);
        const char *name = maker->statistics->to;
        statements_add(&statements, "CREATE STATISTICS %s.%s%s FROM %s", maker->schema, name,
                       rows_text(&rows, 1), maker->shadow);
        if (!rows_is_null(&rows, 2) && strcmp(rows_text(&rows, 2), "-1") != 0)
            statements_add(&statements, "ALTER STATISTICS %s.%s SET STATISTICS %s", maker->schema,
                           name, rows_text(&rows, 2));
        if (!rows_is_null(&rows, 3))
            statements_add(&statements, "COMMENT ON STATISTICS %s.%s IS %s", maker->schema, name,
                           rows_text(&rows, 3));
    }
    return err->kind == ERROR_NONE && statements_run(&statements, maker->db, err);
}

bool like_source(struct maker *maker, struct error *err)
{
    const char *comment =
        arena_printf(maker->arena, "osc: shadow of %s", maker->plan->source->quoted);

    sql_bind_literal(&maker->env, maker->db, "comment", comment);
    return run_answers(maker, create_table, err) &&
           sql_exec(maker->db, "COMMENT ON TABLE {shadow} IS {comment}", &maker->env, NULL, err) &&
           run_answers(maker, table_properties, err) && run_answers(maker, sequences, err) &&
           run_answers(maker, unproved_checks, err) && make_indexes(maker, err) &&
           make_statistics(maker, err) && run_answers(maker, triggers, err);
}
