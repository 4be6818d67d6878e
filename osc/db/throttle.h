/*
 * Throttle: lets the migration work as hard as the server's other clients stand.
 *
 * Whoever copies or verifies asks for leave before each piece of work and says
 * when it is done.  A watcher with a connection of its own looks several times
 * a second whether anybody else is at work there; replay tells how long its
 * commits take.  What follows from both: tempo.h.
 */
#ifndef OSC_DB_THROTTLE_H
#define OSC_DB_THROTTLE_H

#include "osc/base/cancel.h"
#include "osc/db/dsn.h"

struct throttle;

/*
 * `threads` workers at most.  Begins to watch; with `adapts` false it does not, and
 * everything goes at full speed: the operator has chosen.
 */
struct throttle *throttle_start(const struct dsn *dsn, unsigned threads, bool adapts,
                                struct error *err) MUST_CHECK;
void throttle_stop(struct throttle *throttle); /* NULL is fine */

/* Waits for leave to work; false with ERROR_CANCELLED.  Every one is ended by throttle_leave(). */
bool throttle_enter(struct throttle *throttle, struct cancel *cancel, struct error *err) MUST_CHECK;
void throttle_leave(struct throttle *throttle, uint64_t worked_us);

/* What a piece of work should take now, if it should take `wanted_us` alone. */
uint64_t throttle_piece_us(struct throttle *throttle, uint64_t wanted_us);
unsigned throttle_threads(struct throttle *throttle); /* that may work now */

/* A commit of replay's, which waits for the disk as the application's do. */
void throttle_note_commit(struct throttle *throttle, uint64_t took_us);

#endif
