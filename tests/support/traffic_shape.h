/*
 * Shapes of tables, and the content of their rows.
 *
 * A row is identified by its ordinal: the text of its key follows from it, and back.  Every other
 * value follows from a generation: a number saying who wrote it.  So a row's state is a handful
 * of numbers, and any value can be made again when the table is read back.
 */
#ifndef OSC_TESTS_TRAFFIC_SHAPE_H
#define OSC_TESTS_TRAFFIC_SHAPE_H

#include "traffic_link.h"

enum { MAX_COLUMNS = 10, MAX_KEYS = 2, VALUE_ROOM = 1200 };

enum content {
    CONTENT_KEY_INTEGER,
    CONTENT_KEY_TENANT, /* integer part of a composite key */
    CONTENT_KEY_CODE,   /* text whose case may change */
    CONTENT_KEY_UUID,
    CONTENT_EMAIL,   /* unique, and exchanged between rows */
    CONTENT_ADDRESS, /* unique, in no order */
    CONTENT_NAME,
    CONTENT_SMALL,
    CONTENT_BIO,
    CONTENT_MONEY,
    CONTENT_TIME,
    CONTENT_COUNTER,
    CONTENT_BYTES,
};

struct shape_column {
    const char *name;
    enum content content;
    bool nullable;
    const char *type[FAMILY_COUNT];
    const char *read[FAMILY_COUNT];  /* how the value is selected: "HEX(%s)"; NULL: as it is */
    const char *write[FAMILY_COUNT]; /* how its text is written: "UNHEX(%s)" */
};

struct shape {
    const char *name, *table;
    size_t key_count;    /* the first columns are the key */
    bool generated_key;  /* the server can choose the key */
    const char *indexed; /* column with a secondary index, or NULL */
    struct shape_column columns[MAX_COLUMNS + 1];
};

/* One table on one server: a shape with names chosen. */
struct target {
    const struct shape *shape;
    enum family family;
    const char *schema, *table;
    size_t column_count;
    bool used[MAX_COLUMNS];            /* columns written and compared */
    const char *names[2][MAX_COLUMNS]; /* before and after the schema change */
};

const struct shape *shape_find(const char *name);

/* -1 when the shape has no such column */
int shape_column_with(const struct shape *shape, enum content content);

/* The text of a value; v->text points into room or is NULL for the SQL NULL. */
void shape_value(const struct target *target, size_t column, uint64_t generation, char *room,
                 struct value *v);
void shape_key(const struct target *target, size_t column, int64_t ordinal, bool respelled,
               char *room, struct value *v);

/* Finds ordinal and spelling from the key's texts; false when no ordinal has this key. */
bool shape_parse_key(const struct target *target, const struct value *keys, int64_t *ordinal,
                     bool *respelled);

/* Equal in content; a schema change may widen the scale of decimals and times. */
bool shape_same(enum content content, const struct value *a, const struct value *b);

/* Generations: the row was made at creation, by a writer, or found in the table. */
uint64_t generation_of_writer(unsigned writer, uint64_t count);

void target_table(const struct target *target, struct statement *s);
void target_column(const struct target *target, unsigned names, size_t column, struct statement *s);

/* SELECT of all columns in the shape's order FROM the table; NULL for the unused. */
void target_select(const struct target *target, unsigned names, struct statement *s);

#endif
