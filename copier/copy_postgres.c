#include <inttypes.h>

#include "copier/copy_dialect.h"

/*
 * Positions are pages: a chunk is a sequential read whatever the key's order.
 * Pages that are appended later hold only rows written after capture began.
 */

enum { FIRST_CHUNK_PAGES = 128 };

static const char measure[] =
    "SELECT pg_catalog.pg_relation_size(c.oid) /\n"
    "    pg_catalog.current_setting('block_size')::pg_catalog.int8,\n"
    "  pg_catalog.pg_table_size(c.oid) / GREATEST(pg_catalog.pg_relation_size(c.oid), 1)\n"
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "WHERE n.nspname = {schema} AND c.relname = {name}";

static bool extent(struct db *db, const struct plan *plan, struct extent *extent, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    struct rows rows = ROWS_INIT;
    uint64_t pages = 0, weight = 1;

    sql_bind_literal(&env, db, "schema", plan->source->schema);
    sql_bind_literal(&env, db, "name", plan->source->name);
    if (sql_query(db, &rows, measure, &env, err) && rows_next(&rows, err)) {
        pages = rows_u64(&rows, 0);
        weight += rows_u64(&rows, 1); /* long values stand outside the pages */
    }
    rows_release(&rows);
    arena_free(arena);
    if (err->kind != ERROR_NONE)
        return error_prefix(err, "measuring %s", plan->source->quoted);
    *extent = (struct extent){
        .is_empty = pages == 0,
        .is_numeric = true,
        .last = pages ? pages - 1 : 0,
        .chunk_positions = 1 + 2 * FIRST_CHUNK_PAGES / (weight > 2 ? weight : 2),
    };
    return true;
}

static const char *positions(const struct plan *plan UNUSED, uint64_t from, uint64_t to,
                             struct arena *arena)
{
    return arena_printf(arena,
                        "t.ctid >= '(%" PRIu64 ",0)'::pg_catalog.tid AND "
                        "t.ctid < '(%" PRIu64 ",0)'::pg_catalog.tid",
                        from, to + 1);
}

/* Pages have no gaps. */
static bool seek(struct db *db UNUSED, const struct plan *plan UNUSED, uint64_t from, uint64_t to,
                 uint64_t *position, bool *found, struct error *err UNUSED)
{
    *position = from;
    *found = from <= to;
    return true;
}

#define CHUNK                                                                                      \
    "INSERT INTO {shadow} ({shadow_columns}) OVERRIDING SYSTEM VALUE\n"                            \
    "SELECT {source_values} FROM {only_source} AS t WHERE {range}"

/* The gaps between the records, and behind the last. */
static const char remaining[] =
    "WITH edge AS (SELECT c.first_page, c.last_page FROM ONLY {chunks} AS c\n"
    "    UNION ALL SELECT -1, -1 UNION ALL SELECT {last}::pg_catalog.int8 + 1, {last}),\n"
    "  gap AS (SELECT e.last_page + 1 AS first,\n"
    "    LEAD(e.first_page) OVER (ORDER BY e.first_page) - 1 AS last FROM edge e)\n"
    "SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format('[\"%s\",\"%s\"]', g.first, g.last),\n"
    "  ',' ORDER BY g.first), '') FROM gap g WHERE g.first <= g.last AND g.last <= {last}\n"
    "HAVING EXISTS (SELECT FROM ONLY {chunks})";

const struct copy_dialect postgres_copy = {
    .extent = extent,
    .positions = positions,
    .seek = seek,
    .chunk = CHUNK "\nON CONFLICT ({shadow_key}) DO NOTHING",
    .bare_chunk = CHUNK,
    .record = "INSERT INTO {chunks} VALUES ({first}, {last}, {rows})",
    .recorded = "SELECT c.copied FROM ONLY {chunks} AS c\n"
                "WHERE c.first_page = {first} AND c.last_page = {last}",
    .remaining = remaining,
};
