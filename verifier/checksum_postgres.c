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
    .differs = differs,
    .shown = shown,
    .as_bytes = "(%s) COLLATE \"C\"",
};
