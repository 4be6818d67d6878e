#include "osc/index_postgres.h"

#include <stdlib.h>
#include <string.h>

/*
 * The definition is cut behind the table's name, where the server put exactly
 * what we put here.  What takes the longest is to compare texts by their collation;
 * what is no B-tree takes longer still.
 */
static const char read_indexes[] =
    "SELECT ic.relname, CASE WHEN i.indisexclusion THEN NULL WHEN i.indisunique\n"
    "    THEN 'CREATE UNIQUE INDEX' ELSE 'CREATE INDEX' END,\n"
    "  pg_catalog.substr(d.def, 1 + pg_catalog.length(pg_catalog.format('CREATE %sINDEX %I ON %s "
    "',\n"
    "    CASE WHEN i.indisunique THEN 'UNIQUE ' END, ic.relname,\n"
    "    i.indrelid::pg_catalog.regclass))),\n"
    "  pg_catalog.quote_ident(COALESCE(s.spcname, ds.spcname)),\n"
    "  CASE WHEN i.indisexclusion THEN pg_catalog.pg_get_constraintdef(k.oid)\n"
    "    WHEN k.contype = 'p' THEN 'PRIMARY KEY' WHEN k.contype = 'u' THEN 'UNIQUE' END,\n"
    "  CASE WHEN k.condeferrable AND NOT i.indisexclusion THEN ' DEFERRABLE' ELSE '' END ||\n"
    "  CASE WHEN k.condeferred AND NOT i.indisexclusion THEN ' INITIALLY DEFERRED' ELSE '' END,\n"
    "  (SELECT pg_catalog.string_agg(a.attnum || ':' || a.attstattarget, ',')\n"
    "    FROM pg_catalog.pg_attribute a WHERE a.attrelid = ic.oid AND a.attstattarget >= 0),\n"
    "  pg_catalog.quote_literal(pg_catalog.obj_description(ic.oid, 'pg_class')),\n"
    "  pg_catalog.quote_literal(pg_catalog.obj_description(k.oid, 'pg_constraint')),\n"
    "  i.indisclustered, i.indisreplident,\n"
    "  CASE m.amname WHEN 'btree' THEN 0 ELSE 100 END + (SELECT pg_catalog.count(*)\n"
    "    FROM pg_catalog.unnest(i.indcollation::pg_catalog.oid[]) c(id) WHERE c.id <> 0)\n"
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid\n"
    "JOIN pg_catalog.pg_am m ON m.oid = ic.relam\n"
    "LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = ic.oid AND k.conrelid = i.indrelid\n"
    "  AND k.contype IN ('p', 'u', 'x')\n"
    "LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = ic.reltablespace\n"
    "CROSS JOIN LATERAL pg_catalog.pg_get_indexdef(i.indexrelid) d(def)\n"
    "CROSS JOIN pg_catalog.pg_database b JOIN pg_catalog.pg_tablespace ds\n"
    "  ON ds.oid = b.dattablespace\n"
    "WHERE i.indrelid = {class} AND b.datname = pg_catalog.current_database()\n"
    "ORDER BY i.indexrelid";

static const char *text_or_null(const struct rows *rows, unsigned column, struct arena *arena)
{
    return rows_is_null(rows, column) ? NULL : arena_string(arena, rows_text(rows, column));
}

bool indexes_read(struct db *db, const char *class, struct arena *arena, struct index **indexes,
                  size_t *n, struct error *err)
{
    struct sql_env env = {.arena = arena};
    AUTO(rows) rows = ROWS_INIT;
    size_t size = 16;

    *indexes = ARENA_ARRAY(arena, struct index, size);
    *n = 0;
    sql_bind_sql(&env, "class", class);
    if (!sql_query(db, &rows, read_indexes, &env, err))
        return false;
    while (rows_next(&rows, err)) {
        if (*n == size) {
            struct index *more = ARENA_ARRAY(arena, struct index, size * 2);
            memcpy(more, *indexes, size * sizeof *more);
            *indexes = more;
            size *= 2;
        }
        (*indexes)[(*n)++] = (struct index){
            .name = arena_string(arena, rows_text(&rows, 0)),
            .verb = text_or_null(&rows, 1, arena),
            .tail = arena_string(arena, rows_text(&rows, 2)),
            .tablespace = arena_string(arena, rows_text(&rows, 3)),
            .constraint = text_or_null(&rows, 4, arena),
            .deferrable = arena_string(arena, rows_text(&rows, 5)),
            .statistics = arena_string(arena, rows_text(&rows, 6)),
            .comment = text_or_null(&rows, 7, arena),
            .constraint_comment = text_or_null(&rows, 8, arena),
            .is_clustered = rows_bool(&rows, 9),
            .is_replica_identity = rows_bool(&rows, 10),
            .effort = rows_u64(&rows, 11),
        };
    }
    return err->kind == ERROR_NONE;
}

const char *index_create(const struct index *index, const char *name, const char *table,
                         struct arena *arena)
{
    return index->verb
               ? arena_printf(arena, "%s %s ON %s %s", index->verb, name, table, index->tail)
               : NULL;
}

const char *index_attach(const struct index *index, const char *name, const char *table,
                         struct arena *arena)
{
    if (!index->constraint)
        return NULL;
    if (!index->verb)
        return arena_printf(arena, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s", table, name,
                            index->constraint);
    return arena_printf(arena, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s USING INDEX %s%s", table,
                        name, index->constraint, name, index->deferrable);
}

void index_finish(const struct index *index, const char *schema, const char *name,
                  const char *table, struct statements *statements)
{
    for (const char *at = index->statistics; *at; at += strcspn(at, ","), at += *at == ',') {
        char *colon = NULL;
        const unsigned long column = strtoul(at, &colon, 10);
        statements_add(statements, "ALTER INDEX %s.%s ALTER COLUMN %lu SET STATISTICS %lu", schema,
                       name, column, strtoul(colon + 1, NULL, 10));
    }
    if (index->comment)
        statements_add(statements, "COMMENT ON INDEX %s.%s IS %s", schema, name, index->comment);
    if (index->constraint_comment)
        statements_add(statements, "COMMENT ON CONSTRAINT %s ON %s IS %s", name, table,
                       index->constraint_comment);
    if (index->is_clustered)
        statements_add(statements, "ALTER TABLE ONLY %s CLUSTER ON %s", table, name);
    if (index->is_replica_identity)
        statements_add(statements, "ALTER TABLE ONLY %s REPLICA IDENTITY USING INDEX %s", table,
                       name);
}
