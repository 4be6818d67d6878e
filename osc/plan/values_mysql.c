#include "osc/plan/values_mysql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum family family;
} families[] = {
    {"tinyint",    FAMILY_INT     },
    {"smallint",   FAMILY_INT     },
    {"mediumint",  FAMILY_INT     },
    {"int",        FAMILY_INT     },
    {"bigint",     FAMILY_INT     },
    {"decimal",    FAMILY_DECIMAL },
    {"float",      FAMILY_FLOAT   },
    {"double",     FAMILY_DOUBLE  },
    {"bit",        FAMILY_BIT     },
    {"year",       FAMILY_YEAR    },
    {"date",       FAMILY_DATE    },
    {"time",       FAMILY_TIME    },
    {"datetime",   FAMILY_DATETIME},
    {"timestamp",  FAMILY_DATETIME},
    {"char",       FAMILY_TEXT    },
    {"varchar",    FAMILY_TEXT    },
    {"tinytext",   FAMILY_TEXT    },
    {"text",       FAMILY_TEXT    },
    {"mediumtext", FAMILY_TEXT    },
    {"longtext",   FAMILY_TEXT    },
    {"binary",     FAMILY_BINARY  },
    {"varbinary",  FAMILY_BINARY  },
    {"tinyblob",   FAMILY_BINARY  },
    {"blob",       FAMILY_BINARY  },
    {"mediumblob", FAMILY_BINARY  },
    {"longblob",   FAMILY_BINARY  },
    {"enum",       FAMILY_ENUM    },
    {"set",        FAMILY_SET     },
    {"json",       FAMILY_JSON    },
};

enum family mysql_family(const struct column *column)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (strcmp(families[i].name, column->type_name) == 0)
            return families[i].family;
    return FAMILY_OTHER;
}

static bool is_type(const struct column *column, const char *name)
{
    return strcmp(column->type_name, name) == 0;
}

static bool is_same_type(const struct column *a, const struct column *b)
{
    return strcmp(a->type, b->type) == 0 && strcmp(a->charset, b->charset) == 0 &&
           strcmp(a->collation, b->collation) == 0;
}

/* The numbers in varchar(20) and decimal(10,2); -1 where there is none. */
static void read_numbers(const struct column *column, int *first, int *second)
{
    const char *open = strchr(column->type, '(');

    *first = *second = -1;
    if (open)
        (void)sscanf(open, "(%d,%d", first, second);
}

static int first_number(const struct column *column, int otherwise)
{
    int first, second;

    read_numbers(column, &first, &second);
    return first < 0 ? otherwise : first;
}

/* ---- conversion ---- */

static const char *cast(const char *ref, const char *type, struct arena *arena)
{
    return arena_printf(arena, "CAST(%s AS %s)", ref, type);
}

/* decimal(10,2) unsigned zerofill → DECIMAL(10,2) */
static const char *decimal_type(const struct column *column, struct arena *arena)
{
    int precision, scale;

    read_numbers(column, &precision, &scale);
    return arena_printf(arena, "DECIMAL(%d,%d)", precision < 0 ? 10 : precision,
                        scale < 0 ? 0 : scale);
}

const char *mysql_assigned(const struct column *from, const struct column *to, const char *ref,
                           struct arena *arena)
{
    const enum family target = mysql_family(to);

    if (target != FAMILY_TEXT && target != FAMILY_BINARY)
        return ref;
    switch (mysql_family(from)) {
    case FAMILY_INT:
    case FAMILY_DECIMAL:
    case FAMILY_FLOAT:
    case FAMILY_DOUBLE:
    case FAMILY_YEAR: return arena_printf(arena, "CONCAT(%s)", ref);
    default: return ref;
    }
}

static const char *to_text(const struct column *from, const struct column *to, const char *ref,
                           struct arena *arena)
{
    if (mysql_family(from) == FAMILY_BIT)
        ref = arena_printf(arena, "(%s + 0)", ref);
    else
        ref = mysql_assigned(from, to, ref, arena);
    if (strcmp(from->charset, to->charset) == 0)
        return arena_printf(arena, "(%s COLLATE %s)", ref, to->collation);
    return arena_printf(arena, "(CONVERT(%s USING %s) COLLATE %s)", ref, to->charset,
                        to->collation);
}

/* The members of enum('a','b') as they stand there: 'a','b' */
static const char *members(const struct column *column, struct arena *arena)
{
    const char *open = strchr(column->type, '('), *close = strrchr(column->type, ')');

    return open && close > open ? arena_copy(arena, open + 1, (size_t)(close - open - 1)) : "''";
}

/* In the spelling of the enum; NULL stays NULL, and what is no member becomes ''. */
static const char *to_enum(const struct column *from, const struct column *to, const char *ref,
                           struct arena *arena)
{
    const char *list = members(to, arena);

    if (mysql_family(from) == FAMILY_INT)
        return arena_printf(arena, "ELT(%s, %s)", ref, list);
    const char *text = to_text(from, to, ref, arena);
    return arena_printf(arena, "IF(%s IS NULL, NULL, IFNULL(ELT(FIELD(%s, %s), %s), ''))", ref,
                        text, list, list);
}

/* The members that are in `ref`, in the set's own order. */
static const char *to_set(const struct column *from, const struct column *to, const char *ref,
                          struct arena *arena)
{
    const char *text = to_text(from, to, ref, arena), *at = members(to, arena);
    AUTO(text) out = TEXT_INIT;

    text_printf(&out, "IF(%s IS NULL, NULL, CONCAT_WS(','", ref);
    while (*at == '\'') {
        const char *end = at + 1;
        while (*end && !(end[0] == '\'' && end[1] != '\''))
            end += end[0] == '\'' ? 2 : 1;
        const int length = (int)(end + 1 - at);
        text_printf(&out, ", IF(FIND_IN_SET(%.*s, %s), %.*s, NULL)", length, at, text, length, at);
        at = *end ? end + 1 : end;
        at += *at == ',';
    }
    text_add(&out, "))");
    return arena_copy(arena, out.bytes, out.length);
}

static const char *to_int(const struct column *from, const struct column *to, const char *ref,
                          struct arena *arena)
{
    const char *type = to->is_unsigned ? "UNSIGNED" : "SIGNED";
    const enum family family = mysql_family(from);

    /* '12.6' becomes 13 and '1e2' 100, which a plain CAST does not know. */
    if (family == FAMILY_TEXT || family == FAMILY_BINARY)
        ref = cast(ref, "DECIMAL(65,20)", arena);
    return cast(ref, type, arena);
}

static const char *to_temporal(const struct column *to, const char *ref, struct arena *arena)
{
    const char *name = mysql_family(to) == FAMILY_TIME ? "TIME" : "DATETIME";

    return arena_printf(arena, "CAST(%s AS %s(%d))", ref, name, first_number(to, 0));
}

static const char *to_binary(const struct column *from, const struct column *to, const char *ref,
                             struct arena *arena)
{
    ref = mysql_assigned(from, to, ref, arena);
    if (is_type(to, "binary"))
        return arena_printf(arena, "CAST(%s AS BINARY(%d))", ref, first_number(to, 1));
    return cast(ref, "BINARY", arena);
}

const char *mysql_convert(const struct column *from, const struct column *to, const char *ref,
                          struct arena *arena)
{
    if (is_same_type(from, to))
        return ref;
    switch (mysql_family(to)) {
    case FAMILY_INT: return to_int(from, to, ref, arena);
    case FAMILY_DECIMAL: return cast(ref, decimal_type(to, arena), arena);
    case FAMILY_FLOAT: return cast(ref, "FLOAT", arena);
    case FAMILY_DOUBLE: return cast(ref, "DOUBLE", arena);
    case FAMILY_DATE: return cast(ref, "DATE", arena);
    case FAMILY_TIME:
    case FAMILY_DATETIME: return to_temporal(to, ref, arena);
    case FAMILY_TEXT: return to_text(from, to, ref, arena);
    case FAMILY_BINARY: return to_binary(from, to, ref, arena);
    case FAMILY_ENUM: return to_enum(from, to, ref, arena);
    case FAMILY_SET: return to_set(from, to, ref, arena);
    case FAMILY_JSON: return cast(ref, "JSON", arena);
    default: return ref;
    }
}

/* ---- equality and order ---- */

/* enum('a','b') → enum('a','b','c'): the numbers mean the same. */
static bool has_members_appended(const struct column *from, const struct column *to)
{
    const size_t length = strlen(from->type) - 1;

    return strncmp(from->type, to->type, length) == 0 &&
           (to->type[length] == ',' || to->type[length] == ')');
}

static const char *without_charset(const char *collation)
{
    const char *behind = strchr(collation, '_');

    return behind ? behind : collation;
}

static bool is_utf8(const char *charset)
{
    return strncmp(charset, "utf8", 4) == 0;
}

static bool is_bin(const struct column *column)
{
    const size_t length = strlen(column->collation);

    return length > 4 && strcmp(column->collation + length - 4, "_bin") == 0;
}

/* Collations that agree about every text the smaller character set can say. */
static bool is_same_collation(const struct column *from, const struct column *to)
{
    if (strcmp(from->collation, to->collation) == 0)
        return true;
    return is_utf8(from->charset) && is_utf8(to->charset) &&
           strcmp(without_charset(from->collation), without_charset(to->collation)) == 0;
}

static bool is_fixed_binary(const struct column *column)
{
    return is_type(column, "binary");
}

bool mysql_keeps_equality(const struct column *from, const struct column *to)
{
    const enum family a = mysql_family(from), b = mysql_family(to);

    if (is_same_type(from, to))
        return true;
    if (a == FAMILY_TEXT && b == FAMILY_TEXT)
        return is_same_collation(from, to) || (is_bin(from) && is_bin(to));
    if (a == FAMILY_BINARY && b == FAMILY_BINARY)
        return is_fixed_binary(from) || !is_fixed_binary(to);
    if (a == FAMILY_ENUM && b == FAMILY_ENUM)
        return strcmp(from->collation, to->collation) == 0;
    if ((a == FAMILY_INT || a == FAMILY_BIT || a == FAMILY_YEAR) &&
        (b == FAMILY_INT || b == FAMILY_DECIMAL))
        return true;
    if (a == FAMILY_DATE && b == FAMILY_DATETIME)
        return true;
    /* What is cut off could make two values one: more places behind the point keep them apart. */
    if (a == b && (a == FAMILY_DATETIME || a == FAMILY_TIME))
        return first_number(from, 0) <= first_number(to, 0);
    if (a == FAMILY_DECIMAL && b == FAMILY_DECIMAL) {
        int precision, scale_from, scale_to;
        read_numbers(from, &precision, &scale_from);
        read_numbers(to, &precision, &scale_to);
        return scale_from <= scale_to;
    }
    return false;
}

bool mysql_keeps_order(const struct column *from, const struct column *to)
{
    const enum family a = mysql_family(from), b = mysql_family(to);

    if (!mysql_keeps_equality(from, to))
        return false;
    if (a == FAMILY_TEXT && b == FAMILY_TEXT)
        return is_same_collation(from, to) ||
               (is_utf8(to->charset) &&
                (is_utf8(from->charset) || strcmp(from->charset, "ascii") == 0));
    if (a == FAMILY_ENUM || a == FAMILY_SET)
        return has_members_appended(from, to);
    return true;
}

const char *mysql_same_bytes(const struct column *column, const char *a, const char *b,
                             struct arena *arena)
{
    if (mysql_family(column) != FAMILY_TEXT)
        return arena_printf(arena, "%s = %s", a, b);
    return arena_printf(arena, "CAST(%s AS BINARY) = CAST(%s AS BINARY)", a, b);
}

/* ---- literals ---- */

/*
 * The bytes with their own character set named, whatever the connection's is:
 * as they are where they are plain ASCII (people read literals, too), else in hex.
 */
static const char *text_literal(const struct column *column, const char *ref, struct arena *arena)
{
    const char *text = arena_printf(arena, "CONCAT('x''', HEX(%s), '''')", ref);

    /* In these a plain 'abc' would be the bytes of one and a half characters. */
    const bool is_wide = strncmp(column->charset, "utf16", 5) == 0 ||
                         strcmp(column->charset, "utf32") == 0 ||
                         strcmp(column->charset, "ucs2") == 0;
    if (!is_wide)
        text = arena_printf(arena,
                            "IF(CONVERT(%s USING utf8mb4) RLIKE '^[ -&(-Z^-~]*$',"
                            " CONCAT('''', CONVERT(%s USING utf8mb4), ''''), %s)",
                            ref, ref, text);
    /* MariaDB mixes it with a shadow's column of another character set if it names no collation. */
    if (strcmp(column->charset, "ascii") == 0)
        return arena_printf(arena, "CONCAT('(_ascii ', %s, ')')", text);
    return arena_printf(arena, "CONCAT('(_%s ', %s, ' COLLATE %s)')", column->charset, text,
                        column->collation);
}

const char *mysql_literal_of(const struct column *column, const char *ref, struct arena *arena)
{
    switch (mysql_family(column)) {
    case FAMILY_INT:
    case FAMILY_DECIMAL:
    case FAMILY_FLOAT:
    case FAMILY_DOUBLE:
    case FAMILY_YEAR: return ref;
    case FAMILY_BIT:
    case FAMILY_ENUM:
    case FAMILY_SET: return cast(ref, "UNSIGNED", arena);
    case FAMILY_TEXT: return text_literal(column, ref, arena);
    case FAMILY_BINARY: return arena_printf(arena, "CONCAT('x''', HEX(%s), '''')", ref);
    default: return arena_printf(arena, "QUOTE(%s)", ref);
    }
}

const char *mysql_declared_type(const struct column *column, struct arena *arena)
{
    if (!*column->collation)
        return column->type;
    return arena_printf(arena, "%s CHARACTER SET %s COLLATE %s", column->type, column->charset,
                        column->collation);
}

static bool is_timestamp(const struct column *column)
{
    return strncasecmp(column->type, "timestamp", 9) == 0;
}

/* Of a column as it is stored; nothing else can tell two instants of the hour that comes twice. */
static const char *epoch_of(const char *timestamp, struct arena *arena)
{
    return arena_printf(arena, "COALESCE(UNIX_TIMESTAMP(%s), 0)", timestamp);
}

/*
 * A server of the family hands a TIMESTAMP on as a local time of the session: in
 * the hour that comes twice, when summer ends, another instant would be journalled.
 */
const char *mysql_journalled_type(const struct column *column, struct arena *arena)
{
    return is_timestamp(column)
               ? arena_printf(arena, "datetime%s", column->type + strlen("timestamp"))
               : mysql_declared_type(column, arena);
}

const char *mysql_journalled_value(const struct column *column, const char *row,
                                   struct arena *arena)
{
    const char *value = arena_printf(arena, "%s.%s", row, column->quoted);
    const char *epoch = epoch_of(value, arena);

    return is_timestamp(column)
               ? arena_printf(arena,
                              "IF(%s = 0, '0000-00-00 00:00:00',"
                              " TIMESTAMP'1970-01-01 00:00:00' + INTERVAL %s SECOND)",
                              epoch, epoch)
               : value;
}
