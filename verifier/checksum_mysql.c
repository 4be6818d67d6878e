#include <string.h>

#include "verifier/checksum_dialect.h"

/* How a value becomes bytes that tell it from every other value of its type. */
enum image {
    IMAGE_PLAIN,  /* the text of the value holds no comma: numbers, dates, addresses     */
    IMAGE_BYTES,  /* length, then the bytes, whatever charset and collation they are of  */
    IMAGE_PADDED, /* the same without blanks at the end, which the type does not store   */
    IMAGE_LONG,   /* may outgrow max_allowed_packet, which ends what CONCAT can yield    */
    IMAGE_BITS,
    IMAGE_REAL, /* through a point: as text, 17 digits may be cut                      */
};

static const struct {
    const char *type_name;
    enum image image;
} images[] = {
    {"tinyint",   IMAGE_PLAIN },
    {"smallint",  IMAGE_PLAIN },
    {"mediumint", IMAGE_PLAIN },
    {"int",       IMAGE_PLAIN },
    {"bigint",    IMAGE_PLAIN },
    {"decimal",   IMAGE_PLAIN },
    {"year",      IMAGE_PLAIN },
    {"date",      IMAGE_PLAIN },
    {"time",      IMAGE_PLAIN },
    {"datetime",  IMAGE_PLAIN },
    {"timestamp", IMAGE_PLAIN },
    {"inet4",     IMAGE_PLAIN },
    {"inet6",     IMAGE_PLAIN },
    {"uuid",      IMAGE_PLAIN },
    {"float",     IMAGE_REAL  },
    {"double",    IMAGE_REAL  },
    {"bit",       IMAGE_BITS  },
    {"char",      IMAGE_PADDED},
    {"varchar",   IMAGE_BYTES },
    {"binary",    IMAGE_BYTES },
    {"varbinary", IMAGE_BYTES },
    {"enum",      IMAGE_BYTES },
    {"set",       IMAGE_BYTES },
    {"tinytext",  IMAGE_BYTES },
    {"text",      IMAGE_BYTES },
    {"tinyblob",  IMAGE_BYTES },
    {"blob",      IMAGE_BYTES },
};

static enum image image_of(const struct column *column)
{
    for (size_t i = 0; i < ARRAY_SIZE(images); i++)
        if (strcmp(images[i].type_name, column->type_name) == 0)
            return images[i].image;
    return IMAGE_LONG; /* mediumtext, longblob, json, geometry, vector, … */
}

/*
 * A string as it is stored.  A column is what it is; an expression may be of
 * another character set, may end with blanks where the type stores none, and
 * its COLLATE may not meet another's.
 */
static const char *stored(const struct column *column, const char *ref, bool is_padded,
                          struct arena *arena)
{
    if (!strchr(ref, '('))
        return ref;
    if (*column->charset)
        ref = arena_printf(arena, "CONVERT(%s USING %s)", ref, column->charset);
    if (is_padded)
        ref = arena_printf(arena, "RTRIM(%s)", ref);
    return arena_printf(arena, "CAST(%s AS BINARY)", ref);
}

/* N stands for NULL, which CONCAT_WS would leave out. */
static const char *or_null(const struct column *column, const char *expression, struct arena *arena)
{
    return column->is_nullable ? arena_printf(arena, "IFNULL(%s, 'N')", expression) : expression;
}

/* One or two elements of a list that is joined by commas. */
static const char *image(const struct column *column, const char *ref, struct arena *arena)
{
    const enum image image = image_of(column);

    switch (image) {
    case IMAGE_PLAIN: return or_null(column, ref, arena);
    case IMAGE_BITS: return or_null(column, arena_printf(arena, "%s + 0", ref), arena);
    case IMAGE_REAL: return or_null(column, arena_printf(arena, "Point(%s, 0)", ref), arena);
    case IMAGE_LONG: return or_null(column, arena_printf(arena, "SHA2(%s, 256)", ref), arena);
    case IMAGE_PADDED:
    case IMAGE_BYTES: break;
    }
    ref = stored(column, ref, image == IMAGE_PADDED, arena);
    const char *length = or_null(column, arena_printf(arena, "LENGTH(%s)", ref), arena);
    return arena_printf(arena, "%s, %s", length, ref);
}

/*
 * Said explicitly, the separator's collation wins over those of the columns:
 * the result is bytes, and nothing is converted on the way to it.
 */
#define AS_BYTES "CONCAT_WS(_binary',' COLLATE `binary`"

/*
 * CRC32 would be cheap, but it is linear: a second one with a salt in front
 * says nothing new, and rows that exchange values keep its XOR.  MD5 is gone
 * from newer servers.
 */
static const char *row_hash(const struct column *const *columns, const char *const *refs, size_t n,
                            struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    text_add(&out, "IFNULL(CAST(CONV(LEFT(SHA2(" AS_BYTES);
    for (size_t i = 0; i < n; i++)
        text_printf(&out, ", %s", image(columns[i], refs[i], arena));
    text_add(&out, "), 256), 16), 16, 10) AS UNSIGNED), " DIGEST_POISON ")");
    return arena_copy(arena, out.bytes, out.length);
}

static const char *differs(const struct column *column, const char *a, const char *b,
                           struct arena *arena)
{
    return arena_printf(arena, "NOT (" AS_BYTES ", %s) <=> " AS_BYTES ", %s))",
                        image(column, a, arena), image(column, b, arena));
}

static const char *shown(const struct column *column, const char *ref, struct arena *arena)
{
    const char *const type = column->type_name;

    if (strcmp(type, "binary") == 0 || strcmp(type, "varbinary") == 0)
        return arena_printf(arena, "CONCAT('0x', HEX(%s))", ref);
    if (strcmp(type, "bit") == 0)
        return arena_printf(arena, "CAST(%s + 0 AS CHAR)", ref);
    return arena_printf(arena, "CAST(%s AS CHAR)", ref);
}

static bool is_one_of(const struct column *column, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(column->type_name, names[i]) == 0)
            return true;
    return false;
}

/* Two of one such type are the same where they are equal. */
static const char *const exact[] = {"tinyint",  "smallint",  "mediumint", "int",      "bigint",
                                    "decimal",  "year",      "date",      "time",     "datetime",
                                    "binary",   "varbinary", "timestamp", "tinyblob", "blob",
                                    "longblob", "mediumblob"};
static const char *const texts[] = {"char", "varchar",    "tinytext",
                                    "text", "mediumtext", "longtext"};

static bool is_integer(const struct column *column)
{
    return is_one_of(column, exact, 5);
}

/* The unique index finds one row of the shadow, or none. */
static bool finds_by_key(const struct plan *plan)
{
    bool finds = plan->key_keeps_order && !plan->key_may_merge;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *from = plan->key->columns[i], *to = plan->shadow_key[i];
        finds &= (is_integer(from) && is_integer(to)) ||
                 ((is_one_of(from, exact, ARRAY_SIZE(exact)) ||
                   is_one_of(from, texts, ARRAY_SIZE(texts))) &&
                  strcmp(from->type, to->type) == 0 && strcmp(from->charset, to->charset) == 0 &&
                  strcmp(from->collation, to->collation) == 0);
    }
    return finds;
}

static void add_same(struct text *out, const struct mapping *mapping, const struct column *column,
                     const char *a, const char *b, struct arena *arena)
{
    const bool is_plain = !mapping->is_converted && !strchr(a, '(');

    if (is_plain && is_one_of(column, exact, ARRAY_SIZE(exact)))
        text_printf(out, " AND %s <=> %s", a, b);
    else if (is_plain && is_one_of(column, texts, ARRAY_SIZE(texts)) &&
             strcmp(column->charset, "utf8mb4") == 0)
        text_printf(out, " AND %s <=> %s COLLATE utf8mb4_0900_bin", a, b);
    else
        text_printf(out, " AND IFNULL(" AS_BYTES ", %s) = " AS_BYTES ", %s), FALSE)",
                    image(column, a, arena), image(column, b, arena));
}

/* Where text is not compared by its bytes at its own speed, hashing both rows costs no more. */
static const char *same_row(const struct plan *plan, const struct column *const *columns,
                            const char *const *values, const char *const *refs, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    if (!plan->facts->compares_text_by_bytes || !finds_by_key(plan))
        return NULL;
    text_add(&out, "TRUE");
    for (size_t i = 0; i < plan->n_map; i++)
        add_same(&out, &plan->map[i], columns[i], values[i], refs[i], arena);
    return arena_copy(arena, out.bytes, out.length);
}

const struct checksum_dialect mysql_checksum = {
    .row_hash = row_hash,
    .same_row = same_row,
    .differs = differs,
    .shown = shown,
    .as_bytes = "CAST(%s AS BINARY)",
};
