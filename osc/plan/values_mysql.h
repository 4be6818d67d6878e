/*
 * What MySQL and MariaDB do with a value: convert it, round it, compare it,
 * write it as a literal.  Members of the catalog dialect, apart because they
 * ask no server.
 */
#ifndef OSC_PLAN_VALUES_MYSQL_H
#define OSC_PLAN_VALUES_MYSQL_H

#include "osc/plan/table.h"

enum family {
    FAMILY_INT,
    FAMILY_DECIMAL,
    FAMILY_FLOAT,
    FAMILY_DOUBLE,
    FAMILY_BIT,
    FAMILY_YEAR,
    FAMILY_DATE,
    FAMILY_TIME,
    FAMILY_DATETIME, /* and TIMESTAMP: sessions of ours live in UTC */
    FAMILY_TEXT,
    FAMILY_BINARY,
    FAMILY_ENUM,
    FAMILY_SET,
    FAMILY_JSON,
    FAMILY_OTHER,
};

enum family mysql_family(const struct column *column);

/*
 * What is selected so that its assignment does what ALTER would: a number becomes
 * text as it is shown (00012, 1.10), which INSERT … SELECT alone would not do.
 */
const char *mysql_assigned(const struct column *from, const struct column *to, const char *ref,
                           struct arena *arena);

const char *mysql_convert(const struct column *from, const struct column *to, const char *ref,
                          struct arena *arena);
const char *mysql_silent_loss(const struct column *from, const struct column *to, const char *ref,
                              struct arena *arena);
bool mysql_keeps_equality(const struct column *from, const struct column *to);
bool mysql_keeps_order(const struct column *from, const struct column *to);
const char *mysql_same_bytes(const struct column *column, const char *a, const char *b,
                             struct arena *arena);
const char *mysql_literal_of(const struct column *column, const char *ref, struct arena *arena);

/* The column's type with its character set, as a column of a table of ours is declared. */
const char *mysql_declared_type(const struct column *column, struct arena *arena);

/*
 * How the journal holds a column of the key, and what a trigger writes there from
 * `row` (OLD or NEW), whatever the time zone of the session that fires it.
 */
const char *mysql_journalled_type(const struct column *column, struct arena *arena);
const char *mysql_journalled_value(const struct column *column, const char *row,
                                   struct arena *arena);

#endif
