/*
 * A migration under way: what migrate.c, its commands and services share.
 * Private to osc/: callees get narrow jobs, never this.
 */
#ifndef OSC_MIGRATION_H
#define OSC_MIGRATION_H

#include <pthread.h>
#include <stdatomic.h>

#include "osc/base/clock.h"
#include "osc/base/grace.h"
#include "osc/db/dsn.h"
#include "osc/migrate.h"
#include "osc/plan/blockers.h"
#include "osc/state.h"
#include "triggers/replay.h"
#include "verifier/verifier.h"

enum step_id {
    STEP_PLAN,
    STEP_SHADOW,
    STEP_CAPTURE,
    STEP_COPY,
    STEP_INDEXES,
    STEP_CATCH_UP,
    STEP_VERIFY,
    STEP_CUTOVER,
    STEP_FINISH,
    STEP_DONE,
};

struct migration {
    const struct request *request;
    struct dsn dsn; /* the request's, opening in the schema of the source */
    struct arena *arena;
    struct db *db; /* control connection: holds the lease */
    struct plan plan;
    struct state_row state;
    unsigned n_fit; /* rows that migration_find() found to fit */
    enum step_id step;
    struct grace *grace;
    struct throttle *throttle;        /* as long as the keeper */
    struct heartbeat heartbeat;       /* that it writes */
    struct limits limits;             /* that it keeps */
    struct cancel *cancel;            /* ours; the request's is its parent */
    struct group *keeper;             /* heartbeat and wishes; NULL: not running */
    struct standing_orders *standing; /* the operators', while it runs; see osc/leave.h */
    struct hooks *hooks;              /* NULL: none */
    atomic_bool waits_for_hook;       /* before-cutover has said: not now */
    atomic_bool abort_wished;
    struct error stopped;        /* why the keeper cancelled the run; read when it has ended */
    atomic_bool is_journal_long; /* see osc/bare.h */
    struct deadline next_count;
    struct bound compared;  /* see osc/beside.h; open: no row was */
    struct options options; /* the request's, or those remembered with the migration */
};

bool migration_open(struct migration *m, const struct request *request,
                    struct error *err) MUST_CHECK;
void migration_close(struct migration *m);

/* Plans the source; every connection opened afterwards starts in its schema. */
bool migration_plan(struct migration *m, const char *schema, const char *table, const char *alter,
                    struct error *err) MUST_CHECK;
/* Only to remove or to finish: the source may be gone, altered or another one by now. */
void migration_plan_names(struct migration *m);

bool migration_is_over(const struct state_row *row);
/* Its abort has begun: part of what resume would need may be gone. */
bool migration_is_aborting(const struct state_row *row);
bool migration_refuse_half_aborted(const struct state_row *row, struct error *err);

/* What `id` 0 stands for: the only migration that is not over, or whose retired table is still
 * there. */
enum find { FIND_UNDER_WAY, FIND_RETIRED };

/* Runs the steps from `from` on; settles what a failure leaves. */
bool migration_run(struct migration *m, enum step_id from, struct error *err) MUST_CHECK;
/* After a failure: nothing of ours stays where nothing was begun, else the row says how to go on.
 */
void migration_settle_failure(struct migration *m, struct error *err);
enum step_id step_named(const char *name); /* STEP_DONE: none */
const char *step_name(enum step_id step);

/* Finds the row `id` (0: the only one that fits the request) and nothing else; ERROR_USAGE: none,
 * or several. */
bool migration_find(struct migration *m, uint64_t id, enum find what, struct error *err) MUST_CHECK;
/* One migration per table; kills what a dead run left on the server. */
bool migration_take_over(struct migration *m, struct error *err) MUST_CHECK;
/* Its row as it is now; NULL: it was aborted meanwhile, which is an error to the second. */
bool migration_find_again(struct migration *m, struct state_row **found,
                          struct error *err) MUST_CHECK;
bool migration_read_again(struct migration *m, struct error *err) MUST_CHECK;

/* The heartbeat: progress into the row, wishes out of it. */
bool migration_keep(struct migration *m, struct error *err) MUST_CHECK;
void migration_keep_no_more(struct migration *m);

/* After the swap: triggers and journal, or the retired table; patiently where others hold them. */
bool migration_clean(struct migration *m, struct error *err) MUST_CHECK;
bool migration_drop_retired(struct migration *m, struct error *err) MUST_CHECK;

bool migration_set(struct migration *m, const char *column, const char **field, const char *value,
                   struct error *err) MUST_CHECK;

/* Runs `work` while replay follows the writes; the first error of either ends both. */
bool migration_with_replay(struct migration *m, struct replay_job *job,
                           bool (*work)(struct migration *m, struct cancel *cancel,
                                        struct error *err),
                           struct error *err) MUST_CHECK;

struct patience migration_patience(const struct migration *m);
struct replay_job migration_replay_job(struct migration *m);
struct verify_job migration_verify_job(struct migration *m, struct cancel *cancel);
unsigned migration_threads(const struct migration *m);

/* Tells the server's planner what the shadow holds. */
bool migration_analyze(struct migration *m, struct error *err) MUST_CHECK;

/* ERROR_REFUSED when the table of the shadow's name is not the one that this migration made. */
bool migration_check_shadow(struct migration *m, struct error *err) MUST_CHECK;

/* Removes triggers, journal and shadow, and the row: the source is as it was.  Each may be gone
 * already. */
bool migration_give_up(struct migration *m, struct error *err) MUST_CHECK;

#endif
