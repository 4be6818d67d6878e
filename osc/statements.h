/*
 * Statements: a list of SQL statements to be run in order.
 *
 * Often the server itself writes them, by a query that formats one from each
 * catalog row: it knows best how its objects are named and quoted.
 */
#ifndef OSC_STATEMENTS_H
#define OSC_STATEMENTS_H

#include <jansson.h>

#include "osc/db/sql.h"

struct statements {
    struct arena *arena;
    const char **list;
    size_t n, size;
};

void statements_add(struct statements *statements, const char *format, ...) PRINTF(2, 3);

/* Adds the first column of every row of the answer. */
bool statements_ask(struct statements *statements, struct db *db, const char *template,
                    const struct sql_env *env, struct error *err) MUST_CHECK;

bool statements_run(const struct statements *statements, struct db *db,
                    struct error *err) MUST_CHECK;

/* All in one message, so that a lock is not held for a round trip each. */
bool statements_run_at_once(const struct statements *statements, struct db *db,
                            struct error *err) MUST_CHECK;

/* Adds the strings of a JSON array, ERROR_SYSTEM when it is none; the array with the statements. */
bool statements_load(struct statements *statements, const json_t *array,
                     struct error *err) MUST_CHECK;
json_t *statements_save(const struct statements *statements);

#endif
