/*
 * One connection to a server, and the rows it answers with.
 *
 * A connection belongs to one thread; only db_interrupt() may be called from
 * another.  Results are streamed, never stored: read or release the rows
 * before the next statement.  No migration logic here.
 */
#ifndef OSC_DB_DB_H
#define OSC_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/cancel.h"
#include "osc/base/error.h"
#include "osc/base/text.h"
#include "osc/db/dsn.h"

struct db;
struct facts;

/*
 * Connects and makes the session ours: every setting that a hostile global,
 * role or database default could spoil is set explicitly.  `purpose` (copy-1,
 * replay, …) is shown in the server's own process list where it has a place
 * for it.  NULL on failure.
 */
struct db *db_open(const struct dsn *dsn, const char *purpose, struct error *err) MUST_CHECK;
/* The same, but waits a minute for a free connection where the server has none left. */
struct db *db_open_patiently(const struct dsn *dsn, const char *purpose, struct cancel *cancel,
                             struct error *err) MUST_CHECK;
void db_close(struct db *db); /* NULL is fine */

const struct dialect *db_dialect(const struct db *db);
const struct facts *db_facts(const struct db *db); /* what this server can do */
uint64_t db_id(const struct db *db);               /* the server's id of this connection */
bool db_is_lost(const struct db *db);              /* the connection broke */

/* Runs one statement that answers with no rows.  `affected` may be NULL. */
bool db_exec(struct db *db, const char *statement, uint64_t *affected,
             struct error *err) MUST_CHECK;

/*
 * From now on statements of db_exec() are added to `script`, one per line with
 * a semicolon; `runs` says whether they are run as well.  Queries always run.
 * NULL ends it.  This is how osc plan shows what osc alter would send.
 */
void db_record(struct db *db, struct text *script, bool runs);

bool db_begin(struct db *db, struct error *err) MUST_CHECK; /* READ COMMITTED */
bool db_commit(struct db *db, struct error *err) MUST_CHECK;
void db_rollback(struct db *db); /* best effort; a lost connection rolls back by itself */

/*
 * Stops the statement that runs on `db`, from another thread.  Best effort:
 * the statement may have ended already.
 */
void db_interrupt(struct db *db);

/* What this process has sent on all its connections: the server counts it with that of others. */
struct db_tally {
    uint64_t statements, transactions;
};
struct db_tally db_tally(void);

struct rows {
    struct db *db; /* NULL when there is nothing to read */
    unsigned columns;
    const char *const *values; /* of the current row, NULL for SQL NULL */
    const size_t *lengths;
    void *driver; /* the driver's own */
};
#define ROWS_INIT                                                                                  \
    {                                                                                              \
        .db = NULL                                                                                 \
    }

/* Sends a statement that answers with rows. */
bool db_query(struct db *db, struct rows *rows, const char *statement,
              struct error *err) MUST_CHECK;

/* The next row: false at the end (err->kind stays ERROR_NONE) or on error. */
bool rows_next(struct rows *rows, struct error *err) MUST_CHECK;
const char *rows_name(const struct rows *rows,
                      unsigned column); /* of a column, also before a row */
const char *rows_text(const struct rows *rows,
                      unsigned column); /* "" for NULL; valid until the next row */
bool rows_is_null(const struct rows *rows, unsigned column);
uint64_t rows_u64(const struct rows *rows,
                  unsigned column); /* 0 for NULL; bug() when not a number */
int64_t rows_i64(const struct rows *rows, unsigned column);
bool rows_bool(const struct rows *rows, unsigned column); /* t, true, 1, YES, Y */
void rows_release(struct rows *rows);                     /* reads away what is left */

/* First column of the first row, copied into `arena`; NULL value when there is no row or it is SQL
 * NULL. */
bool db_value(struct db *db, struct arena *arena, const char **value, const char *statement,
              struct error *err) MUST_CHECK;
bool db_value_u64(struct db *db, uint64_t *value, const char *statement,
                  struct error *err) MUST_CHECK;

/* Adds a quoted literal (with the quotes), an identifier, or NULL to `out`. */
void db_add_literal(struct db *db, struct text *out, const char *bytes, size_t length);
void db_add_name(struct db *db, struct text *out, const char *name);
const char *db_quote_literal(struct db *db, struct arena *arena,
                             const char *string); /* NULL gives NULL */
const char *db_quote_name(struct db *db, struct arena *arena, const char *name);

#endif
