#include <stdlib.h>
#include <string.h>

#include "osc/plan/postgres.h"

enum family {
    FAMILY_OTHER,
    FAMILY_INTEGER,
    FAMILY_NUMERIC,
    FAMILY_FLOAT,
    FAMILY_MONEY,
    FAMILY_DATE,
    FAMILY_TIMESTAMP, /* with or without time zone: ours is UTC */
    FAMILY_TIME,
    FAMILY_INTERVAL,
    FAMILY_STRING,
    FAMILY_PADDED, /* char(n): blanks at the end mean nothing */
    FAMILY_NAME,
    FAMILY_ADDRESS,
};

static const struct type {
    const char *name;
    enum family family;
    int digits; /* decimal digits that every value has room for */
} types[] = {
    {"int2",        FAMILY_INTEGER,   5 },
    {"int4",        FAMILY_INTEGER,   10},
    {"int8",        FAMILY_INTEGER,   19},
    {"numeric",     FAMILY_NUMERIC,   0 },
    {"float4",      FAMILY_FLOAT,     6 },
    {"float8",      FAMILY_FLOAT,     15},
    {"money",       FAMILY_MONEY,     0 },
    {"date",        FAMILY_DATE,      0 },
    {"timestamp",   FAMILY_TIMESTAMP, 0 },
    {"timestamptz", FAMILY_TIMESTAMP, 0 },
    {"time",        FAMILY_TIME,      0 },
    {"timetz",      FAMILY_TIME,      0 },
    {"interval",    FAMILY_INTERVAL,  0 },
    {"text",        FAMILY_STRING,    0 },
    {"varchar",     FAMILY_STRING,    0 },
    {"bpchar",      FAMILY_PADDED,    0 },
    {"name",        FAMILY_NAME,      0 },
    {"inet",        FAMILY_ADDRESS,   0 },
    {"cidr",        FAMILY_ADDRESS,   0 },
};

/* Of an array, the type of its elements: it is converted element by element. */
static const struct type *type_of(const struct column *column)
{
    static const struct type other = {.name = ""};
    const char *name = column->type_name + (column->type_name[0] == '_');

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    return &other;
}

static bool is_array(const struct column *column)
{
    return column->type_name[0] == '_';
}

static bool is_same(const struct column *from, const struct column *to)
{
    return strcmp(from->type, to->type) == 0 && strcmp(from->collation, to->collation) == 0;
}

/* The n-th number in brackets: numeric(10,2), varchar(20); `missing` when there is none. */
static long modifier(const struct column *column, unsigned n, long missing)
{
    const char *at = strchr(column->type, '(');

    for (; at && n > 0; n--)
        at = strchr(at + 1, ',');
    return at ? strtol(at + 1, NULL, 10) : missing;
}

/* Every string of `from` has room in `to`. */
static bool is_as_long(const struct column *from, const struct column *to)
{
    const long room = modifier(to, 0, -1);
    const long longest = modifier(from, 0, -1);

    return room < 0 || (longest >= 0 && longest <= room);
}

/* Digits behind the point: -1 means any number of them. */
static long scale_of(const struct column *column)
{
    return strchr(column->type, '(') ? modifier(column, 1, 0) : -1;
}

static bool numeric_keeps(const struct column *from, const struct column *to)
{
    const long room = scale_of(to);
    const long scale = type_of(from)->family == FAMILY_NUMERIC ? scale_of(from) : 0;

    return room == -1 || (scale != -1 && scale <= room);
}

/* Fewer digits of a second than before. */
static bool cuts_seconds(const struct column *from, const struct column *to)
{
    return modifier(to, 0, 6) < modifier(from, 0, 6);
}

/* True when no value is changed without an error of the server. */
static bool keeps_value(const struct column *from, const struct column *to)
{
    const struct type *a = type_of(from), *b = type_of(to);

    switch (b->family) {
    case FAMILY_INTEGER:
        return a->family == FAMILY_INTEGER || (a->family == FAMILY_NUMERIC && scale_of(from) == 0);
    case FAMILY_NUMERIC:
        return (a->family == FAMILY_INTEGER || a->family == FAMILY_NUMERIC) &&
               numeric_keeps(from, to);
    case FAMILY_FLOAT:
        return (a->family == FAMILY_INTEGER || a->family == FAMILY_FLOAT) && a->digits <= b->digits;
    case FAMILY_MONEY: return a->family == FAMILY_INTEGER || a->family == FAMILY_MONEY;
    case FAMILY_TIMESTAMP:
        return a->family == FAMILY_DATE || (a->family == b->family && !cuts_seconds(from, to));
    case FAMILY_TIME:
        return a->family == FAMILY_TIMESTAMP || (a->family == b->family && !cuts_seconds(from, to));
    case FAMILY_DATE:
    case FAMILY_INTERVAL: return a->family == b->family && strcmp(from->type, to->type) == 0;
    case FAMILY_STRING:
        return (a->family != FAMILY_STRING && a->family != FAMILY_PADDED) || is_as_long(from, to);
    case FAMILY_PADDED: return a->family == FAMILY_PADDED && is_as_long(from, to);
    case FAMILY_NAME: return a->family == FAMILY_NAME;
    case FAMILY_ADDRESS: return strcmp(from->type_name, "cidr") == 0 || a == b;
    case FAMILY_OTHER: break;
    }
    return true;
}

const char *postgres_silent_loss(const struct column *from, const struct column *to,
                                 const char *ref, struct arena *arena)
{
    const enum family family = type_of(to)->family;

    if (is_same(from, to) || type_of(from)->family == FAMILY_OTHER || keeps_value(from, to))
        return NULL;
    if (family == FAMILY_STRING || family == FAMILY_PADDED || family == FAMILY_NAME)
        return arena_printf(arena,
                            "((%s)::%s)::pg_catalog.text COLLATE pg_catalog.\"C\" <> "
                            "(%s)::pg_catalog.text COLLATE pg_catalog.\"C\"",
                            ref, to->type, ref);
    return arena_printf(arena, "((%s)::%s)::%s <> %s", ref, to->type, from->type, ref);
}

/*
 * A cast says more than an assignment does (it cuts long strings), so values
 * enter the shadow without one.  Where the assignment went through, both give
 * the same.
 */
const char *postgres_convert(const struct column *from, const struct column *to, const char *ref,
                             struct arena *arena)
{
    if (strcmp(from->type, to->type) == 0)
        return ref;
    return arena_printf(arena, "(%s)::%s", ref, to->type);
}

static bool has_zone(const struct type *type)
{
    return strcmp(type->name, "timestamptz") == 0 || strcmp(type->name, "timetz") == 0;
}

static bool is_time(const struct type *type)
{
    return type->family == FAMILY_TIMESTAMP || type->family == FAMILY_TIME ||
           type->family == FAMILY_DATE;
}

bool postgres_depends_on_zone(const struct column *from, const struct column *to)
{
    const struct type *a = type_of(from), *b = type_of(to);

    if (a == b || (!has_zone(a) && !has_zone(b)) || a->family == FAMILY_OTHER)
        return false;
    return is_time(b) || b->family == FAMILY_STRING || b->family == FAMILY_PADDED;
}

static bool is_deterministic(const struct column *column)
{
    return !strchr(column->collation, '(');
}

static bool is_textual(const struct type *type)
{
    return type->family == FAMILY_STRING || type->family == FAMILY_PADDED ||
           type->family == FAMILY_NAME;
}

bool postgres_keeps_equality(const struct column *from, const struct column *to)
{
    const struct type *a = type_of(from), *b = type_of(to);

    if (is_same(from, to))
        return true;
    if (is_array(from) || is_array(to) || !is_deterministic(from) || !is_deterministic(to))
        return false;
    if (b->family == FAMILY_STRING) /* every other type has one spelling for equal values */
        return is_textual(a) ? is_as_long(from, to)
                             : a->family == FAMILY_INTEGER || a->family == FAMILY_DATE ||
                                   strcmp(from->type_name, "uuid") == 0;
    return b->family != FAMILY_OTHER && a->family != FAMILY_OTHER && keeps_value(from, to) &&
           (b->family == a->family || b->family == FAMILY_NUMERIC || b->family == FAMILY_INTEGER ||
            (b->family == FAMILY_TIMESTAMP && a->family == FAMILY_DATE));
}

bool postgres_keeps_order(const struct column *from, const struct column *to)
{
    if (!postgres_keeps_equality(from, to) || strcmp(from->collation, to->collation) != 0)
        return false;
    return is_textual(type_of(from)) == is_textual(type_of(to));
}

/* Values of these are equal only when they are the same to the byte. */
static bool is_equal_by_bytes(const struct column *column)
{
    static const char *const names[] = {"int2", "int4",      "int8",        "oid",  "uuid",
                                        "date", "timestamp", "timestamptz", "bool", "bytea"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], column->type_name) == 0)
            return true;
    return false;
}

/* A comparison of records costs a trigger as much as its insert does. */
const char *postgres_same_bytes(const struct column *column, const char *a, const char *b,
                                struct arena *arena)
{
    if (is_equal_by_bytes(column))
        return arena_printf(arena, "%s OPERATOR(pg_catalog.=) %s", a, b);
    return arena_printf(
        arena, "ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*=) ROW(%s)::pg_catalog.record", a,
        b);
}

/* A type of the server's own goes by its internal name. */
static const char *type_in_sql(const struct column *column, struct arena *arena)
{
    if (strchr(column->type_name, '.'))
        return column->type_name;
    return arena_printf(arena, "pg_catalog.\"%s\"", column->type_name);
}

const char *postgres_literal_of(const struct column *column, const char *ref, struct arena *arena)
{
    AUTO(text) suffix = TEXT_INIT;

    text_add(&suffix, "::");
    for (const char *c = type_in_sql(column, arena); *c; c++)
        text_add_bytes(&suffix, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1);
    return arena_printf(arena, "pg_catalog.quote_literal((%s)::pg_catalog.text) || '%s'", ref,
                        suffix.bytes);
}
