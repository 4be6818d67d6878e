#include "osc/parity_postgres.h"

#include "osc/plan/postgres.h"

/*
 * Pairs of relations with privileges: the tables, and the identity sequences
 * of mapped columns.
 */
#define RELATIONS                                                                                  \
    "(SELECT {source_class}::pg_catalog.oid AS source, {shadow_class}::pg_catalog.oid AS shadow,"  \
    " 'r'::\"char\" AS kind, 'TABLE' AS word\n"                                                    \
    " UNION ALL SELECT od.objid, nd.objid, 's', 'SEQUENCE' FROM (VALUES {map}) m(source, "         \
    "shadow)\n"                                                                                    \
    " JOIN pg_catalog.pg_depend od ON od.refobjid = {source_class}\n"                              \
    "  AND od.refobjsubid = m.source\n"                                                            \
    " JOIN pg_catalog.pg_sequence oq ON oq.seqrelid = od.objid\n"                                  \
    " JOIN pg_catalog.pg_depend nd ON nd.refobjid = {shadow_class}\n"                              \
    "  AND nd.refobjsubid = m.shadow\n"                                                            \
    " JOIN pg_catalog.pg_sequence nq ON nq.seqrelid = nd.objid\n"                                  \
    " WHERE od.deptype = 'i' AND nd.deptype = 'i' AND od.classid = od.refclassid\n"                \
    " AND nd.classid = nd.refclassid\n"                                                            \
    " AND od.classid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"                               \
    " AND nd.classid = od.classid) r"

#define GRANTEE                                                                                    \
    "CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE\n"                                                 \
    "    pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END"

/*
 * ALTER DEFAULT PRIVILEGES may have given the shadow grants of its own: where
 * the lists differ, all are taken back and the source's given.
 */
static const char carry[] =
    "SELECT p.statement FROM (\n"
    "SELECT r.word, g.n, g.statement FROM " RELATIONS "\n"
    "  JOIN pg_catalog.pg_class o ON o.oid = r.source\n"
    "  JOIN pg_catalog.pg_class n ON n.oid = r.shadow\n"
    "  CROSS JOIN LATERAL (\n"
    "    SELECT DISTINCT 0, pg_catalog.format('REVOKE ALL ON %s %s FROM %s', r.word,\n"
    "        n.oid::pg_catalog.regclass, " GRANTEE ")\n"
    "      FROM pg_catalog.aclexplode(\n"
    "        COALESCE(n.relacl, pg_catalog.acldefault(r.kind, n.relowner))) x\n"
    "    UNION ALL SELECT pg_catalog.min(x.n), pg_catalog.format('GRANT %s ON %s %s TO %s%s',\n"
    "        pg_catalog.string_agg(x.privilege_type, ', ' ORDER BY x.n), r.word,\n"
    "        n.oid::pg_catalog.regclass, " GRANTEE ",\n"
    "        CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)\n"
    "      FROM pg_catalog.aclexplode(\n"
    "        COALESCE(o.relacl, pg_catalog.acldefault(r.kind, o.relowner)))\n"
    "        WITH ORDINALITY x(grantor, grantee, privilege_type, is_grantable, n)\n"
    "      GROUP BY x.grantee, x.is_grantable) g(n, statement)\n"
    "  WHERE o.relacl IS DISTINCT FROM n.relacl\n"
    "UNION ALL\n"
    "SELECT 'column', m.shadow, pg_catalog.format('GRANT %s (%I) ON TABLE %s TO %s%s',\n"
    "    x.privilege_type, n.attname, n.attrelid::pg_catalog.regclass, " GRANTEE ",\n"
    "    CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' END)\n"
    "  FROM (VALUES {map}) m(source, shadow)\n"
    "  JOIN pg_catalog.pg_attribute o ON o.attrelid = {source_class} AND o.attnum = m.source\n"
    "  JOIN pg_catalog.pg_attribute n ON n.attrelid = {shadow_class} AND n.attnum = m.shadow\n"
    "  CROSS JOIN LATERAL pg_catalog.aclexplode(o.attacl) x\n"
    "UNION ALL\n"
    "SELECT r.word, 0, pg_catalog.format('COMMENT ON %s %s IS %s', r.word,\n"
    "    r.shadow::pg_catalog.regclass,\n"
    "    pg_catalog.quote_nullable(pg_catalog.obj_description(r.source, 'pg_class')))\n"
    "  FROM " RELATIONS "\n"
    "  WHERE pg_catalog.obj_description(r.source, 'pg_class') IS DISTINCT FROM\n"
    "    pg_catalog.obj_description(r.shadow, 'pg_class')\n"
    "UNION ALL\n"
    "SELECT 'column', 0, pg_catalog.format('COMMENT ON COLUMN %s.%I IS %s', {shadow_text},\n"
    "    a.attname, pg_catalog.quote_nullable(pg_catalog.col_description({source_class}, "
    "m.source)))\n"
    "  FROM (VALUES {map}) m(source, shadow)\n"
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid = {shadow_class} AND a.attnum = m.shadow\n"
    "  WHERE pg_catalog.col_description({source_class}, m.source) IS DISTINCT FROM\n"
    "    pg_catalog.col_description({shadow_class}, m.shadow)\n"
    ") p(word, n, statement) ORDER BY p.word, p.n, p.statement";

/* Generated columns are not in plan->map, yet they have grants and comments. */
static const char *column_pairs(const struct plan *plan, struct arena *arena)
{
    AUTO(text) map = TEXT_INIT;

    for (size_t i = 0; i < plan->shadow->n_columns; i++) {
        const unsigned number = plan->shadow->columns[i].number;
        if (number <= plan->source->n_columns)
            text_printf(&map, "%s(%u,%u)", map.length ? "," : "",
                        plan->source->columns[number - 1].number, number);
    }
    return arena_copy(arena, map.bytes, map.length);
}

bool parity_carry(struct db *db, const struct plan *plan, struct statements *statements,
                  struct error *err)
{
    struct sql_env env = {.arena = statements->arena};

    sql_bind_sql(&env, "source_class", postgres_oid(plan->source, env.arena));
    sql_bind_sql(&env, "shadow_class", postgres_oid(plan->shadow, env.arena));
    sql_bind_literal(&env, db, "shadow_text", plan->shadow->quoted);
    sql_bind_sql(&env, "map", column_pairs(plan, env.arena));
    return statements_ask(statements, db, carry, &env, err);
}

static const char our_names[] =
    "SELECT pg_catalog.string_agg(x.name, ', ') FROM (\n"
    "  SELECT c.relname FROM pg_catalog.pg_index i\n"
    "    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = {shadow_class}\n"
    "  UNION ALL SELECT c.conname FROM pg_catalog.pg_constraint c\n"
    "    WHERE c.conrelid = {shadow_class}\n"
    "  UNION ALL SELECT s.stxname FROM pg_catalog.pg_statistic_ext s\n"
    "    WHERE s.stxrelid = {shadow_class}\n"
    "  UNION ALL SELECT c.relname FROM pg_catalog.pg_depend d\n"
    "    JOIN pg_catalog.pg_class c ON c.oid = d.objid AND c.relkind = 'S'\n"
    "    WHERE d.refobjid = {shadow_class} AND d.deptype IN ('a', 'i')\n"
    "    AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
    "    AND d.refclassid = d.classid) x(name)\n"
    "WHERE pg_catalog.strpos(x.name, '_osc_new') > 0";

bool parity_check_names(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    const char *names = NULL;

    sql_bind_sql(&env, "shadow_class", postgres_oid(plan->shadow, arena));
    bool good = db_value(db, arena, &names, sql_renders(arena, our_names, &env), err);
    if (good && names)
        /* uncovered: the names were free a moment ago */
        good = error_set(err, ERROR_SERVER,
                         "not swapped: these parts of the new table could not be given their "
                         "names: %s",
                         names);
    arena_free(arena);
    return good;
}
