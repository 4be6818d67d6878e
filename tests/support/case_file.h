/*
 * A case: a folder under tests/cases that says what a table is before, what is
 * asked of osc, and what must come of it.
 *
 *   table.sql       creates and fills the table
 *   alter.sql       the clauses
 *   writes.sql      optional: what the application does while osc runs: before the copy, after it,
 *                   and after the verification
 *   late.sql        optional: what it does after the verification only
 *   after.sql       optional: what it does after the swap; the table must behave alike
 *   check.sql       optional: one query, whose answer is in `expect` (columns separated by |)
 *   expect_error    instead of success: the exit code, then words that osc must say, a line each
 *   name            optional: of the table, where it is not t
 *   options         optional: more words for osc's command line
 *   servers         optional: a line each, "mysql", "postgres>=17"
 *
 * Every file may have variants: table.postgres.sql, expect_error.mariadb.  MariaDB takes
 * the one of mysql where it has none of its own.  A case without a table or clauses
 * for a server is not for it.
 */
#ifndef OSC_TESTS_CASE_FILE_H
#define OSC_TESTS_CASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "osc/base/arena.h"

struct server_kind {
    char name[16];  /* mariadb, mysql, postgres */
    unsigned major; /* 10, 18, … */
};

/* "mariadb11" is a mariadb of the version that it says itself. */
void server_kind_set(struct server_kind *kind, const char *server, unsigned major);

/* Names of the folders, sorted; those that contain `only` where that is given. */
const char **case_names(const char *only, struct arena *arena, size_t *count);

bool case_is_for(const char *name, const struct server_kind *kind, struct arena *arena);

/* The file that fits this server, without blanks at its end; NULL when there is none. */
const char *case_text(const char *name, const char *file, const struct server_kind *kind,
                      struct arena *arena);

/* The same cut into statements (each ends with a semicolon at the end of a line), or into lines;
 * ends with NULL. */
const char **case_statements(const char *text, struct arena *arena);
const char **case_lines(const char *text, struct arena *arena);

#endif
