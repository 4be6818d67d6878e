/*
 * Blockers: who holds a table, or waits for it before us, so that we would wait.
 *
 * Looked for before each attempt to lock it, so that the application does not
 * queue behind a lock of ours that cannot be granted; told in the log and in the
 * error; ended only when the operator wished it (--kill-blockers-after), and never
 * where that could harm more than one transaction of an application.
 */
#ifndef OSC_PLAN_BLOCKERS_H
#define OSC_PLAN_BLOCKERS_H

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "osc/plan/plan.h"

/* How to ask for the locks of a table that others use. */
struct patience {
    uint64_t lock_ms;       /* longest wait in the queue in one attempt  */
    uint64_t total_ms;      /* for all attempts together                 */
    uint64_t kill_after_ms; /* who blocks us longer is ended; 0: nobody  */
    struct cancel *cancel;
};

struct blocker {
    uint64_t id; /* process or connection; 0: a prepared transaction, which has none */
    const char *user, *host;
    uint64_t age_ms;    /* of its transaction; 0: hidden from us */
    const char *doing;  /* active, idle in transaction, … */
    const char *query;  /* its shape: values are left out */
    const char *spared; /* why it is never ended; "": it may be */
};

enum { MOST_BLOCKERS = 5 /* told; the others are counted */ };

struct blockers {
    struct arena *arena;
    struct blocker list[MOST_BLOCKERS];
    size_t n, more;
    bool is_guess; /* the server does not tell: these may be the ones */
};

struct blocker_dialect {
    /*
     * Query: id, user, host, age in ms, what it does, its statement, why it is
     * spared; the oldest first.  {schema} and {name} of the table, {older} ms, {readers}: who
     * has only read it counts, {hidden}: so does who is hidden from us.  {names} are all of
     * them, for IN.  NULL: this server does not tell.
     */
    const char *(*holders)(const struct facts *facts);
    /* The same where it does not: who has been in a transaction, or uses a table. */
    const char *(*suspects)(const struct facts *facts);
    /* Ends it when its transaction still is older than `older_ms`; ERROR_DENIED: missing right. */
    bool (*kill)(struct db *db, const struct blocker *blocker, uint64_t older_ms,
                 struct error *err);
};

extern const struct blocker_dialect mysql_blockers;
extern const struct blocker_dialect postgres_blockers;

/* Watches tables through several attempts: says things once, and not too often. */
struct lookout {
    const struct plan *plan;
    const struct patience *patience;
    const char *tables[2]; /* of the source's schema, by name; none: the source itself */
    bool readers_count;    /* the lock that is wanted minds readers */
    bool has_named;        /* the last look found somebody, and the error names him */
    uint64_t told_ms, told_hash;
    uint64_t ended[8]; /* connections that were told to end */
    unsigned n_ended;
    const char *missing; /* the right that we lack to end somebody, NULL: none */
};

/*
 * True when nobody is in the way who would not be gone in a moment; else
 * ERROR_TRANSIENT, with the blockers named and, if so wished, ended.  Says nothing where
 * the server does not tell.
 */
bool lookout_is_clear(struct lookout *lookout, struct db *db, struct error *err) MUST_CHECK;

/* An attempt failed with ERROR_TRANSIENT: adds to its text who it may have been. */
void lookout_explain(struct lookout *lookout, struct db *db, struct error *err);

/* The time is up: hints at what may help before the `next` command. */
bool lookout_advise(const struct lookout *lookout, const char *before, const char *next,
                    struct error *err);

/*
 * Until when a statement of ours that keeps nobody waiting is tried again: a
 * chunk or a replay behind somebody's DDL loses only our own time.
 */
struct deadline patience_deadline(const struct patience *patience);

/* Wants a lock, waiting for it at most `lock_ms`.  ERROR_TRANSIENT: it may be tried again. */
typedef bool lock_attempt(struct db *db, const struct plan *plan, uint64_t lock_ms,
                          struct error *err);

/*
 * Tries until it is done or our time is up.  Never two attempts without a pause,
 * as the application queues behind each of them, and none while it would be in vain; `at_once`:
 * but the first.
 */
bool lookout_persist(struct lookout *lookout, lock_attempt *attempt, bool at_once, struct db *db,
                     struct error *err) MUST_CHECK;

/* A statement without its values, on one line, cut to fit. */
const char *blocker_shape(const char *statement, struct arena *arena);

#endif
