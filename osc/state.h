/*
 * State: what is needed to go on, in the database itself.
 *
 * One row for each migration in the table osc_state of the source's schema.
 * The step is written before the step acts.  Control commands reach a running
 * migration through the row, from any host.
 */
#ifndef OSC_STATE_H
#define OSC_STATE_H

#include "osc/db/heartbeat.h"
#include "osc/db/sql.h"

struct state_dialect {
    const char *create;   /* template {schema}: the table, if it is missing */
    const char *insert;   /* template: a new row …                           */
    const char *inserted; /* … and the query that yields its id              */
    bool insert_returns;  /* insert itself answers with the id               */
    const char *lock;     /* template {schema}: in a transaction, nobody else may use the table */
    const char *unlock;   /* what ends that, beside the end of the transaction; NULL: nothing */
    const char *now;      /* the server's clock                              */
    const char *age;      /* template {at}: seconds since then               */
    const char *epoch_ms; /* template {at}: milliseconds from 1970 to then   */
    const char *schemas; /* template {schema}, or NULL: schemas with a state table that can be read,
                            of the DSN's database */
};

extern const struct state_dialect mysql_state;
extern const struct state_dialect postgres_state;

#define STATE_TABLE "osc_state"

struct state_row {
    uint64_t id;
    const char *schema, *table, *alter;
    const char *options;                /* JSON: what resume needs of the command line       */
    const char *step;                   /* name of the step reached                          */
    const char *status;                 /* running, failed, aborting, done                   */
    const char *identity, *fingerprint; /* of the source when the migration began */
    const char *stamp;                  /* of the triggers                                   */
    const char *deferred;               /* what the shadow still needs                       */
    const char *watermark;              /* of the copy                                       */
    const char *wish;                   /* the operator's: "", abort                         */
    const char *paused, *let_go;        /* "", or who has said osc pause, osc cutover        */
    const char *progress;               /* JSON, for status                                  */
    const char *error;
    const char *retired; /* name of the retired table, "" once dropped        */
    const char *run;     /* who works on it, see server_take_lease(); not read back */
    const char *host, *version;
    const char *started, *updated, *finished; /* UTC                              */
    uint64_t heartbeat_age_s;                 /* since the running process last wrote             */
    uint64_t pid;
    uint64_t orders; /* how many the operators have given: each has its number  */
    uint64_t age_s;  /* since the start                                   */
};

/* Creates the table if need be and adds the row; *id is its number.  `row->run` works on it. */
bool state_begin(struct db *db, const struct state_row *row, uint64_t *id,
                 struct error *err) MUST_CHECK;

/* Under the lease: from now on `run` works on it, here. */
bool state_adopt(struct db *db, const char *schema, uint64_t id, const char *run,
                 struct error *err) MUST_CHECK;

/* ERROR_REFUSED when another run than `run` has adopted the migration, or has ended it for good. */
bool state_check_run(struct db *db, const char *schema, uint64_t id, const char *run,
                     struct error *err) MUST_CHECK;

/* Sets one column of the row; ERROR_MISSING when the row is gone. */
bool state_set(struct db *db, const char *schema, uint64_t id, const char *column,
               const char *value, struct error *err) MUST_CHECK;

/* What operators want of the run, as it stands in the row. */
struct orders {
    const char *wish, *paused, *let_go, *options; /* as in struct state_row */
    uint64_t number;
};

/* Heartbeat: progress and time; reads the operators' orders (strings in arena). */
bool state_beat(struct db *db, const char *schema, uint64_t id, const char *progress,
                struct arena *arena, struct orders *orders, struct error *err) MUST_CHECK;

/* For whoever measures by the row how long a commit takes, and how far a replica is; in `arena`. */
struct heartbeat state_heartbeat_words(struct db *db, const char *schema, uint64_t id,
                                       struct arena *arena);

/* When the row was last written, by the server's clock: it moves as long as a run lives. */
bool state_heartbeat(struct db *db, const char *schema, uint64_t id, struct arena *arena,
                     const char **at, struct error *err) MUST_CHECK;
/* Whether it says so. */
bool state_is_running(struct db *db, const char *schema, uint64_t id, struct arena *arena,
                      bool *is_running, struct error *err) MUST_CHECK;

bool state_orders(struct db *db, const char *schema, uint64_t id, struct arena *arena,
                  struct orders *orders, struct error *err) MUST_CHECK;

/*
 * One order: sets the column, whatever others have said before; *number is its own or a later one.
 */
bool state_order(struct db *db, const char *schema, uint64_t id, const char *column,
                 const char *value, uint64_t *number, struct error *err) MUST_CHECK;

/*
 * Changes the options if nobody has given an order since number `seen`; else *done is false and
 * nothing is changed: two operators who change two options at once both get theirs.
 */
bool state_order_options(struct db *db, const char *schema, uint64_t id, uint64_t seen,
                         const char *options, bool holds_swap, bool *done,
                         struct error *err) MUST_CHECK;

/* status, error and, when it is final, the time of the end. */
bool state_end(struct db *db, const char *schema, uint64_t id, const char *status,
               const char *error, struct error *err) MUST_CHECK;

/*
 * All rows, newest first: of `schema`, or of every schema we can see when it is
 * NULL.  No state table at all is an empty list.
 */
bool state_list(struct db *db, const char *schema, struct arena *arena, struct state_row **rows,
                size_t *n, struct error *err) MUST_CHECK;

/* Deletes the row (0: none), and the table when no row is left; no table at all is fine. */
bool state_forget(struct db *db, const char *schema, uint64_t id, struct error *err) MUST_CHECK;

#endif
