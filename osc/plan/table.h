/*
 * Table: columns, keys and size, as the server reports them.
 *
 * Immutable once loaded; lives in the arena it was loaded into.
 */
#ifndef OSC_PLAN_TABLE_H
#define OSC_PLAN_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"
#include "osc/db/db.h"

struct column {
    const char *name;
    const char *quoted;      /* as an identifier                                          */
    const char *type;        /* in full: varchar(20), int unsigned, numeric(10,2)         */
    const char *type_name;   /* without length or precision, lower case: varchar, numeric */
    const char *charset;     /* "" where there is none                                    */
    const char *collation;   /* "" where there is none                                    */
    const char *default_sql; /* NULL: none                                                */
    unsigned number;         /* attnum, or ordinal position                               */
    bool is_nullable;
    bool is_generated; /* computed by the server: left out of column lists          */
    bool is_automatic; /* AUTO_INCREMENT, identity, serial                          */
    bool is_unsigned;
};

struct key {
    const char *name; /* of the index */
    const char *quoted;
    bool is_primary;
    size_t n_columns;
    const struct column **columns; /* in key order */
    const char *unusable;          /* why it cannot be the migration key; NULL when it can */
};

struct table {
    const char *schema, *name;
    const char *quoted; /* with its schema, ready for SQL */
    struct column *columns;
    size_t n_columns;
    struct key *keys; /* unique keys only */
    size_t n_keys;
    /* Ends with " at SERVER" where it means nothing on another one. */
    const char *identity; /* changes when the table is truncated, rewritten, dropped or replaced */
    const char *fingerprint; /* changes when somebody alters it */
    const char *definition;  /* for people  */
    uint64_t rows_estimate, data_bytes, index_bytes;
};

const struct column *table_column(const struct table *table, const char *name); /* NULL: none */
const struct column *table_automatic(const struct table *table); /* the first; NULL: none */

#endif
