#include <string.h>

#include "verifier/checksum_dialect.h"

/*
 * Types whose binary image says all there is to say, and nothing more.  Their
 * hash functions would not do: they follow equality (1.0 = 1.00, -0 = 0) and
 * fold 64 bits to 32.  Everything else goes by its output function, which a
 * dump has to be able to rely on.
 */
static const char *const by_image[] = {
    "bigint",
    "bit",
    "bit varying",
    "boolean",
    "box",
    "\"char\"",
    "character",
    "cidr",
    "circle",
    "date",
    "double precision",
    "inet",
    "integer",
    "interval",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "real",
    "smallint",
    "time without time zone",
    "time with time zone",
    "timestamp without time zone",
    "timestamp with time zone",
    "uuid",
};

/* These may be long: hashed one by one, a row of several cannot outgrow the server's limits. */
static const char *const by_text[] = {"character varying", "json", "jsonb", "text", "xml"};

/* `name` begins the type, and what follows is a length or precision: numeric(10,2), time(3) … */
static bool is_type(const char *type, const char *name)
{
    while (*name && *type) {
        if (*type == '(' && *name != '(')
            type += strcspn(type, ")") + 1;
        if (*type++ != *name++)
            return false;
    }
    if (*type == '(')
        type += strcspn(type, ")") + 1;
    return !*name && !*type;
}

static bool is_one_of(const char *type, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_type(type, names[i]))
            return true;
    return false;
}

static const char *image(const struct column *column, const char *ref, struct arena *arena)
{
    if (is_one_of(column->type, by_image, ARRAY_SIZE(by_image)))
        return ref;
    if (is_one_of(column->type, by_text, ARRAY_SIZE(by_text)))
        return arena_printf(arena, "hashtextextended((%s)::text COLLATE \"C\", 0)", ref);
    if (is_type(column->type, "bytea"))
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
