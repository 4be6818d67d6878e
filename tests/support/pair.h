/*
 * Pair: a primary and its replica, private to one test program, of the kind
 * that OSC_TEST_SERVER names.  The helpers fail the test themselves.
 */
#ifndef OSC_TESTS_PAIR_H
#define OSC_TESTS_PAIR_H

struct pair {
    char directory[200], primary[220], replica[220]; /* the lab's */
    char primary_dsn[300], replica_dsn[300];
};

/* Scenes opened from now on are on the primary. */
struct pair *pair_start(void);
void pair_stop(struct pair *pair);

void pair_apply(const struct pair *pair, const char *how); /* stop, go, or seconds of delay */
void pair_promote(const struct pair *pair);                /* with all that has arrived */
void pair_stop_primary(const struct pair *pair);           /* as a crash does */

#endif
