/*
 * What strict mode lets pass.  Seen on MariaDB 10.11, 11.8 and MySQL 9.7 with
 * STRICT_ALL_TABLES (INSERT … SELECT):
 *
 *   out of range, too long, no such member, not in the charset   error on both
 *   a datetime that no TIMESTAMP can be, text that is no number  error on both
 *   varchar 'abc  ' → varchar(3)                 error on MySQL, cut with a note on MariaDB
 *   decimal, float, text → fewer decimals, int   rounded, at most a note
 *   int, decimal → float, double; double → float rounded without a word
 *   float → varchar                              six digits
 *   varchar '5' → bit                            the bytes, where ALTER takes the number
 *   datetime(6), time(6) → fewer places          rounded on MySQL, cut on MariaDB
 *   datetime → date, time                        the other half is dropped with a note
 *   time → date, datetime                        completed with today's date
 *   varchar 'a ' → char                          blanks dropped
 *   varchar 'RED', '2' → enum('blue','red')      both become 'red'
 *   varbinary → binary(n)                        zero bytes added
 *   1…99 → year                                  becomes 2001…1999
 *
 * Each of the latter has its condition here: true for a value that would be
 * another one afterwards.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "osc/plan/values_mysql.h"

struct change {
    const struct column *from, *to;
    enum family old, new;
    const char *ref;
    struct arena *arena;
};

static const char *converted(const struct change *c)
{
    return mysql_convert(c->from, c->to, c->ref, c->arena);
}

static bool is_text(enum family family)
{
    return family == FAMILY_TEXT || family == FAMILY_ENUM || family == FAMILY_SET;
}

static bool is_number(enum family family)
{
    return family == FAMILY_INT || family == FAMILY_DECIMAL || family == FAMILY_FLOAT ||
           family == FAMILY_DOUBLE;
}

static bool is_moment(enum family family)
{
    return family == FAMILY_DATE || family == FAMILY_TIME || family == FAMILY_DATETIME;
}

/* The two numbers of decimal(10,2); `otherwise` for the second when there is none. */
static int places(const struct column *column, int otherwise)
{
    const char *open = strchr(column->type, '(');
    int first = 0, second = otherwise;

    if (open)
        (void)sscanf(open, "(%d,%d", &first, &second);
    return second;
}

static int length_of(const struct column *column)
{
    const char *open = strchr(column->type, '(');
    int length = -1;

    if (open)
        (void)sscanf(open, "(%d", &length);
    return length;
}

/* ---- to numbers ---- */

static const char *number_to_exact(const struct change *c)
{
    switch (c->old) {
    case FAMILY_DECIMAL:
        if (c->new == FAMILY_DECIMAL && places(c->from, 0) <= places(c->to, 0))
            return NULL;
        return arena_printf(c->arena, "%s <> %s", converted(c), c->ref);
    case FAMILY_FLOAT:
        return arena_printf(c->arena, "CAST(%s AS FLOAT) <> %s", converted(c), c->ref);
    case FAMILY_DOUBLE:
        return arena_printf(c->arena, "CAST(%s AS DOUBLE) <> %s", converted(c), c->ref);
    default: return NULL; /* whole numbers: out of range is an error */
    }
}

/* There and back again must give the same number. */
static const char *number_to_float(const struct change *c)
{
    const char *there = arena_printf(c->arena, "CAST(%s AS DOUBLE)", converted(c));

    switch (c->old) {
    case FAMILY_INT:
        return arena_printf(c->arena, "CAST(%s AS DECIMAL(65,0)) <> %s", there, c->ref);
    case FAMILY_DECIMAL:
        return arena_printf(c->arena, "CAST(%s AS DECIMAL(65,%d)) <> %s", there, places(c->from, 0),
                            c->ref);
    case FAMILY_DOUBLE:
        if (c->new == FAMILY_FLOAT)
            return arena_printf(c->arena, "%s <> %s", there, c->ref);
        /* fall through */
    default:
        if (places(c->to, -1) < 0)
            return NULL;
        return arena_printf(c->arena, "ROUND(%s, %d) <> %s", c->ref, places(c->to, 0), c->ref);
    }
}

static const char *text_to_number(const struct change *c)
{
    if (c->new != FAMILY_INT && c->new != FAMILY_DECIMAL)
        return NULL; /* a binary fraction is never quite the decimal one */
    return arena_printf(c->arena, "CAST(%s AS DECIMAL(65,30)) <> %s", c->ref, converted(c));
}

static const char *to_number(const struct change *c)
{
    if (c->old == FAMILY_TEXT)
        return text_to_number(c);
    if (c->old == FAMILY_DATETIME || c->old == FAMILY_TIME)
        return arena_printf(c->arena, "MICROSECOND(%s) <> 0", c->ref);
    if (!is_number(c->old))
        return NULL;
    return c->new == FAMILY_INT || c->new == FAMILY_DECIMAL ? number_to_exact(c)
                                                            : number_to_float(c);
}

/* ---- to moments ---- */

static const char *to_moment(const struct change *c)
{
    if (is_text(c->old))
        return arena_printf(c->arena, "CAST(%s AS %s(6)) <> %s", c->ref,
                            c->new == FAMILY_TIME ? "TIME" : "DATETIME", converted(c));
    if (!is_moment(c->old) || (c->old == FAMILY_DATE && c->new == FAMILY_DATETIME))
        return NULL;
    /* Half of it would be dropped, or be made up. */
    if ((c->old == FAMILY_TIME) != (c->new == FAMILY_TIME))
        return arena_printf(c->arena, "%s IS NOT NULL", c->ref);
    if (c->old == c->new &&length_of(c->from) <= length_of(c->to))
        return NULL;
    return arena_printf(c->arena, "%s <> %s", converted(c), c->ref);
}

/* ---- to texts ---- */

static const struct {
    const char *type;
    int64_t bytes;
} text_limits[] = {
    {"tinytext",   255       },
    {"text",       65535     },
    {"mediumtext", 16777215  },
    {"longtext",   4294967295},
};

/* The longest text the column can hold: characters where it has a length, else bytes. */
static int64_t capacity(const struct column *column)
{
    for (size_t i = 0; i < ARRAY_SIZE(text_limits); i++)
        if (strcmp(column->type_name, text_limits[i].type) == 0)
            return text_limits[i].bytes;
    return length_of(column);
}

static const char *to_text(const struct change *c)
{
    AUTO(text) out = TEXT_INIT;
    const bool has_length = length_of(c->to) >= 0;
    const int64_t most = c->old == FAMILY_TEXT ? capacity(c->from) : 0;

    /* Six digits are shown, and more may be there. */
    if (c->old == FAMILY_FLOAT)
        return arena_printf(c->arena, "CAST(CONCAT(%s) AS FLOAT) <> %s", c->ref, c->ref);
    if (!is_text(c->old))
        return NULL;
    if (has_length && most > capacity(c->to))
        text_printf(&out, "CHAR_LENGTH(%s) > %d", c->ref, length_of(c->to));
    else if (!has_length && most * (length_of(c->from) >= 0 ? 4 : 1) > capacity(c->to))
        text_printf(&out, "LENGTH(%s) > %" PRId64, converted(c), capacity(c->to));
    if (strcmp(c->to->type_name, "char") == 0 && strcmp(c->from->type_name, "char") != 0)
        text_printf(&out, "%sLENGTH(RTRIM(%s)) <> LENGTH(%s)", out.length ? " OR " : "", c->ref,
                    c->ref);
    return out.length ? arena_copy(c->arena, out.bytes, out.length) : NULL;
}

static const char *to_member(const struct change *c)
{
    if (c->old != FAMILY_TEXT)
        return NULL; /* by name, or by number: what is missing is an error */
    /* The order of members means nothing. */
    if (c->new == FAMILY_SET)
        return arena_printf(c->arena, "CHAR_LENGTH(%s) <> CHAR_LENGTH(%s)", converted(c), c->ref);
    return arena_printf(c->arena, "CAST(%s AS BINARY) <> CAST(CONVERT(%s USING %s) AS BINARY)",
                        converted(c), c->ref, c->to->charset);
}

static const char *to_binary(const struct change *c)
{
    if (strcmp(c->to->type_name, "binary") != 0 || strcmp(c->from->type_name, "binary") == 0)
        return NULL;
    return arena_printf(c->arena, "LENGTH(%s) <> %d", c->ref, length_of(c->to));
}

const char *mysql_silent_loss(const struct column *from, const struct column *to, const char *ref,
                              struct arena *arena)
{
    const struct change c = {from, to, mysql_family(from), mysql_family(to), ref, arena};

    if (strcmp(from->type, to->type) == 0 && strcmp(from->charset, to->charset) == 0)
        return NULL;
    if (is_number(c.new))
        return to_number(&c);
    if (is_moment(c.new))
        return to_moment(&c);
    switch (c.new) {
    case FAMILY_TEXT: return to_text(&c);
    case FAMILY_ENUM:
    case FAMILY_SET: return to_member(&c);
    case FAMILY_BINARY: return to_binary(&c);
    case FAMILY_BIT: return is_text(c.old) ? arena_printf(arena, "%s IS NOT NULL", ref) : NULL;
    case FAMILY_YEAR:
        return c.old == FAMILY_YEAR
                   ? NULL
                   : arena_printf(arena, "CAST(%s AS SIGNED) BETWEEN 1 AND 99", ref);
    default: return NULL;
    }
}
