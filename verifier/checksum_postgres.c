#include <string.h>

#include "verifier/checksum_dialect.h"

/*
 * Types whose binary image says all there is to say, and nothing more.  Their
 * hash functions would not do: they follow equality (1.0 = 1.00, -0 = 0) and
 * fold 64 bits to 32.  Everything else goes by its output function, which a
 * dump has to be able to rely on.
 */
static const char *const by_image[] = {
    "bit",       "bool",        "box",    "bpchar",  "char",     "cidr",    "circle",
    "date",      "float4",      "float8", "inet",    "int2",     "int4",    "int8",
    "interval",  "line",        "lseg",   "macaddr", "macaddr8", "money",   "name",
    "numeric",   "oid",         "path",   "pg_lsn",  "point",    "polygon", "time",
    "timestamp", "timestamptz", "timetz", "uuid",    "varbit",
};

/* These may be long: hashed one by one, a row of several cannot outgrow the server's limits. */
static const char *const by_text[] = {"json", "jsonb", "text", "varchar", "xml"};

static bool is_one_of(const struct column *column, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(column->type_name, names[i]) == 0)
            return true;
    return false;
}

static const char *image(const struct column *column, const char *ref, struct arena *arena)
{
    if (is_one_of(column, by_image, ARRAY_SIZE(by_image)))
        return ref;
    if (is_one_of(column, by_text, ARRAY_SIZE(by_text)))
        return arena_printf(arena, "hashtextextended((%s)::text COLLATE \"C\", 0)", ref);
    if (strcmp(column->type_name, "bytea") == 0)
        return arena_printf(arena,
                            "CASE WHEN (%s) IS NOT NULL THEN hash_record_extended(ROW(%s), 0) END",
                            ref, ref);
    return arena_printf(arena,
                        "CASE WHEN num_nulls(%s) = 0 THEN "
                        "hashtextextended(ROW(%s)::text COLLATE \"C\", 0) END",
                        ref, ref);
}

static const char *row_hash(const struct column *const *columns, const char *const *refs, size_t n,
                            struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    text_add(&out, "hash_record_extended(ROW(record_send(ROW(");
    for (size_t i = 0; i < n; i++)
        text_printf(&out, "%s%s", i ? ", " : "", image(columns[i], refs[i], arena));
    text_add(&out, "))), 0)");
    return arena_copy(arena, out.bytes, out.length);
}

/* ---- two rows, side by side ---- */

/* Keys of these are equal in both tables where they are equal at all, and sort alike. */
static const char *const pairs[] = {"bool", "bpchar", "bytea",   "date",      "int2",
                                    "int4", "int8",   "numeric", "oid",       "text",
                                    "time", "uuid",   "varchar", "timestamp", "timestamptz"};

/* Here "=" means the same bytes, and costs less than an image. */
static const char *const equal_by_bytes[] = {"bool", "bytea", "date",      "int2",        "int4",
                                             "int8", "oid",   "timestamp", "timestamptz", "uuid"};

static bool is_integer(const struct column *column)
{
    return strncmp(column->type_name, "int", 3) == 0 && strlen(column->type_name) == 4;
}

/* Both indexes must yield the key in one order, or the server would sort. */
static bool pair_by_key(const struct plan *plan)
{
    bool pair = plan->key_keeps_order;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *from = plan->key->columns[i], *to = plan->shadow_key[i];
        pair &=
            is_one_of(from, pairs, ARRAY_SIZE(pairs)) &&
            (strcmp(from->type_name, to->type_name) == 0 || (is_integer(from) && is_integer(to)));
    }
    return pair;
}

static void add_same(struct text *out, const struct column *column, const char *a, const char *b)
{
    if (is_one_of(column, equal_by_bytes, ARRAY_SIZE(equal_by_bytes)))
        text_printf(out, " AND (%s) IS NOT DISTINCT FROM (%s)", a, b);
    else if (is_one_of(column, by_text, ARRAY_SIZE(by_text)))
        text_printf(out,
                    " AND (%s)::text COLLATE \"C\" IS NOT DISTINCT FROM (%s)::text COLLATE \"C\"",
                    a, b);
    else if (!is_one_of(column, by_image, ARRAY_SIZE(by_image)))
        text_printf(out, " AND record_image_eq(ROW(%s), ROW(%s))", a, b);
}

/* Values of the short types together: an image of its own for each would cost more. */
static void add_same_images(struct text *out, const struct column *const *columns,
                            const char *const *values, const char *const *refs, size_t n)
{
    AUTO(text) a = TEXT_INIT;
    AUTO(text) b = TEXT_INIT;

    for (size_t i = 0; i < n; i++) {
        if (is_one_of(columns[i], equal_by_bytes, ARRAY_SIZE(equal_by_bytes)) ||
            !is_one_of(columns[i], by_image, ARRAY_SIZE(by_image)))
            continue;
        text_printf(&a, "%s%s", a.length ? ", " : "", values[i]);
        text_printf(&b, "%s%s", b.length ? ", " : "", refs[i]);
    }
    if (a.length)
        text_printf(out, " AND record_image_eq(ROW(%s), ROW(%s))", a.bytes, b.bytes);
}

static const char *same_row(const struct plan *plan, const struct column *const *columns,
                            const char *const *values, const char *const *refs, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    if (!pair_by_key(plan))
        return NULL;
    text_add(&out, "TRUE");
    for (size_t i = 0; i < plan->n_map; i++)
        add_same(&out, columns[i], values[i], refs[i]);
    add_same_images(&out, columns, values, refs, plan->n_map);
    return arena_copy(arena, out.bytes, out.length);
}

/*
 * A hash join would write both ranges to disk, a sort as well: work_mem is small.  Two walks
 * along indexes side by side need neither, and cost half.
 */
static const char walk_in_order[] =
    "SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_sort', 'off', true)";

static const char *differs(const struct column *column, const char *a, const char *b,
                           struct arena *arena)
{
    return arena_printf(arena, "record_send(ROW(%s)) <> record_send(ROW(%s))",
                        image(column, a, arena), image(column, b, arena));
}

static const char *shown(const struct column *column, const char *ref, struct arena *arena)
{
    (void)column;
    return arena_printf(arena, "(%s)::text", ref);
}

const struct checksum_dialect postgres_checksum = {
    .row_hash = row_hash,
    .same_row = same_row,
    .has_full_join = true,
    .walk_in_order = walk_in_order,
    .differs = differs,
    .shown = shown,
    .as_bytes = "(%s) COLLATE \"C\"",
};
