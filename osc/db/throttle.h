/*
 * Throttle: lets the migration work as hard as the server, its other clients
 * and its replicas stand.
 *
 * Whoever copies or verifies asks for leave before each piece of work and says
 * when it is done.  A watcher with a connection of its own looks several times
 * a second whether anybody else is at work there; replay tells how long its
 * commits take; what has a limit is read by throttle_signals.h.  What follows: tempo.h,
 * and flow.h where there are replicas.
 * Capture and replay are never kept waiting: the journal would grow.
 */
#ifndef OSC_DB_THROTTLE_H
#define OSC_DB_THROTTLE_H

#include "osc/base/cancel.h"
#include "osc/base/progress.h"
#include "osc/db/dsn.h"
#include "osc/db/heartbeat.h"
#include "osc/db/limits.h"

struct throttle;

/* Who may keep the work waiting altogether, each for itself. */
enum hold { HOLD_OPERATOR, HOLD_WINDOW, HOLDS };

struct throttle_job {
    const struct dsn *dsn;
    struct progress *progress; /* duty, reason and signals are told here */
    unsigned threads;          /* workers at most */
    bool minds_company; /* false: they all work, whoever else does; limits hold all the same */
    const struct limits *limits;       /* NULL: none */
    const struct heartbeat *heartbeat; /* NULL: nothing is written to see how long it takes */
};

/* Begins to watch.  What the job points to must live as long. */
struct throttle *throttle_start(const struct throttle_job *job, struct error *err) MUST_CHECK;
void throttle_stop(struct throttle *throttle); /* NULL is fine */

/* Waits for leave to work; false with ERROR_CANCELLED.  Every one is ended by throttle_leave(). */
bool throttle_enter(struct throttle *throttle, struct cancel *cancel, struct error *err) MUST_CHECK;
void throttle_leave(struct throttle *throttle, uint64_t worked_us);

/* Before one long statement that cannot be cut: waits while there is to be no work at all. */
bool throttle_await(struct throttle *throttle, struct cancel *cancel, struct error *err) MUST_CHECK;

/*
 * No piece of work begins until released.  `reason` is for people, and lives as long as the
 * process.  May be said again and by any thread.
 */
void throttle_hold(struct throttle *throttle, enum hold who, const char *reason);
void throttle_release(struct throttle *throttle, enum hold who);

/* From now on; workers that wait for a place take it, whoever started too few looks again. */
void throttle_set_threads(struct throttle *throttle, unsigned threads);

/* From now on; only where the job had limits.  Their strings live as long as `throttle`. */
void throttle_set_limits(struct throttle *throttle, const struct limits *limits);

/* What a piece of work should take alone, from now on, whatever the workers were started with. */
void throttle_set_piece_us(struct throttle *throttle, uint64_t wanted_us);

/* What a piece of work should take now, if it should take `wanted_us` alone. */
uint64_t throttle_piece_us(struct throttle *throttle, uint64_t wanted_us);
unsigned throttle_threads(struct throttle *throttle); /* that may work now, at least one */

/* A commit that waited for the disk as the application's do. */
void throttle_note_commit(struct throttle *throttle, uint64_t took_us);

/* How far the slowest replica is behind; not known where there is none, or none can tell. */
void throttle_note_lag(struct throttle *throttle, bool is_known, uint64_t lag_ms);

#endif
