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

/* There is no FULL JOIN. */
static const char *same_row(const struct plan *plan UNUSED,
                            const struct column *const *columns UNUSED,
                            const char *const *values UNUSED, const char *const *refs UNUSED,
                            struct arena *arena UNUSED)
{
    return NULL;
}

const struct checksum_dialect mysql_checksum = {
    .row_hash = row_hash,
    .same_row = same_row,
    .walk_in_order = "",
    .differs = differs,
    .shown = shown,
    .as_bytes = "CAST(%s AS BINARY)",
};
