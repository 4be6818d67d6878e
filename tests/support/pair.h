/*
 * Pair: a primary and its replica, private to one test program, of the kind
 * that OSC_TEST_SERVER names.  The helpers fail the test themselves.
 */
#ifndef OSC_TESTS_PAIR_H
#define OSC_TESTS_PAIR_H

#include <pthread.h>
#include <stdatomic.h>

struct pair {
    char directory[200], primary[220], replica[220], other[220]; /* the lab's */
    char primary_dsn[300], replica_dsn[300], other_dsn[300];     /* other: "" for none */
    pthread_t brake;
    atomic_uint percent; /* 0: there is no brake */
    int applier;
};

/* Scenes opened from now on are on the primary. */
struct pair *pair_start(void);
void pair_stop(struct pair *pair);

void pair_apply(const struct pair *pair, const char *how); /* stop, go, or seconds of delay */

/* The MySQL family: a second primary, which the replica follows as well. */
void pair_add_other(struct pair *pair);
void pair_apply_other(const struct pair *pair, const char *how);

/* What applies there runs for so many percent of the time, as on a slow machine; 100: as it is. */
void pair_slow_down(struct pair *pair, unsigned percent);
void pair_promote(const struct pair *pair);      /* with all that has arrived */
void pair_stop_primary(const struct pair *pair); /* as a crash does */

#endif
