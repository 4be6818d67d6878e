#include <inttypes.h>
#include <stdlib.h>

#include "copier/copy_dialect.h"
#include "osc/plan/values_mysql.h"

enum {
    FIRST_ROWS = 2000,
    FIRST_BYTES = 2 << 20, /* wide rows start with fewer */
};

/* Signed keys are shifted so that positions grow with the key: the lowest is 0. */
static const uint64_t sign_bit = UINT64_C(1) << 63;

static uint64_t position_of(const struct column *column, const char *number)
{
    if (column->is_unsigned)
        return strtoull(number, NULL, 10);
    return (uint64_t)strtoll(number, NULL, 10) ^ sign_bit;
}

static const char *key_at(const struct column *column, uint64_t position, struct arena *arena)
{
    if (column->is_unsigned)
        return arena_printf(arena, "%" PRIu64, position);
    return arena_printf(arena, "%" PRId64, (int64_t)(position ^ sign_bit));
}

static bool is_numeric(const struct plan *plan)
{
    return plan->key->n_columns == 1 && mysql_family(plan->key->columns[0]) == FAMILY_INT;
}

static uint64_t first_chunk_rows(const struct table *table)
{
    const uint64_t row_bytes = table->rows_estimate ? table->data_bytes / table->rows_estimate : 0;

    if (row_bytes <= FIRST_BYTES / FIRST_ROWS)
        return FIRST_ROWS;
    return row_bytes < FIRST_BYTES ? FIRST_BYTES / row_bytes : 1;
}

/* As many positions as hold that many rows if the gaps are spread evenly. */
static uint64_t first_chunk(const struct table *table, const struct extent *extent)
{
    const uint64_t rows = first_chunk_rows(table);
    const double span = (double)(extent->last - extent->first) + 1;
    const double positions =
        table->rows_estimate ? span / (double)table->rows_estimate * (double)rows : 0;

    if (positions <= (double)rows)
        return rows;
    return positions < 1e18 ? (uint64_t)positions : (uint64_t)1e18;
}

/*
 * Else a chunk of positions may hold no row or all of them: a single high key is enough.  Such keys
 * are handed out by counting rows.
 */
static bool is_dense(const struct table *table, const struct extent *extent)
{
    enum { MOST_PER_ROW = 8 };

    return (extent->last - extent->first) / MOST_PER_ROW <= table->rows_estimate;
}

static bool numeric_extent(struct db *db, const struct plan *plan, struct extent *extent,
                           struct error *err)
{
    const struct column *column = plan->key->columns[0];
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, "SELECT MIN({key}), MAX({key}) FROM {source} AS t", &plan->env,
                   err) ||
        !rows_next(&rows, err))
        return false;
    extent->is_empty = rows_is_null(&rows, 0);
    if (extent->is_empty)
        return true;
    extent->first = position_of(column, rows_text(&rows, 0));
    extent->last = position_of(column, rows_text(&rows, 1));
    extent->chunk_positions = first_chunk(plan->source, extent);
    return true;
}

static bool extent(struct db *db, const struct plan *plan, struct extent *extent, struct error *err)
{
    *extent = (struct extent){.is_numeric = is_numeric(plan)};
    if (extent->is_numeric && !numeric_extent(db, plan, extent, err))
        return false;
    if (extent->is_numeric && (extent->is_empty || is_dense(plan->source, extent)))
        return true;
    extent->is_numeric = false;

    uint64_t has_row = 0;
    extent->chunk_positions = first_chunk_rows(plan->source);
    if (!db_value_u64(
            db, &has_row,
            sql_renders(plan->arena, "SELECT EXISTS (SELECT 1 FROM {source} AS t)", &plan->env),
            err))
        return false;
    extent->is_empty = !has_row;
    return true;
}

static const char *positions(const struct plan *plan, uint64_t from, uint64_t to,
                             struct arena *arena)
{
    const struct column *column = plan->key->columns[0];

    return arena_printf(arena, "t.%s BETWEEN %s AND %s", column->quoted,
                        key_at(column, from, arena), key_at(column, to, arena));
}

static bool seek(struct db *db, const struct plan *plan, uint64_t from, uint64_t to,
                 uint64_t *position, bool *found, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    struct rows rows = ROWS_INIT;

    sql_bind_sql(&env, "range", positions(plan, from, to, arena));
    const bool asked = sql_query(db, &rows,
                                 "SELECT {key} FROM {source} AS t FORCE INDEX ({key_index})"
                                 " WHERE {range} ORDER BY {key} LIMIT 1",
                                 &env, err);
    *found = asked && rows_next(&rows, err);
    if (*found)
        *position = position_of(plan->key->columns[0], rows_text(&rows, 0));
    const bool good = asked && (*found || err->kind == ERROR_NONE);
    rows_release(&rows);
    arena_free(arena);
    return good;
}

/*
 * ON DUPLICATE KEY UPDATE of a column with itself leaves a row that is there
 * as it is, and unlike IGNORE lets every other error be one.  At READ COMMITTED
 * the SELECT takes no row locks.
 */
const struct copy_dialect mysql_copy = {
    .extent = extent,
    .positions = positions,
    .seek = seek,
    .chunk = "INSERT INTO {shadow} ({shadow_columns})\n"
             "SELECT {source_values} FROM {source} AS t FORCE INDEX ({key_index})\n"
             "WHERE {range}\n"
             "ON DUPLICATE KEY UPDATE {shadow}.{shadow_key_column} = {shadow}.{shadow_key_column}",
    .bare_chunk = "",
    .record = "",
    .recorded = "",
    .remaining = "",
};
