/*
 * Fleet: several migrations at once, each of a table of its own with its own
 * writers and witness, each halted at another moment.  Then something happens to the server
 * that they share; they end as they can, and are resumed or aborted.
 */
#ifndef OSC_TESTS_FLEET_H
#define OSC_TESTS_FLEET_H

#include "tests/support/scene.h"

struct fleet;

struct fleet_wish {
    const char *const *steps; /* failpoints, one for each of them; ends with NULL */
    bool servers_die;         /* the writers may lose their connections */
    bool writes_are_refused;  /* and be refused: what was acknowledged must be there all the same */
    unsigned first_aborted;   /* every second one is aborted, from this one on (0 or 1) */
    bool both_ways;           /* each moment twice: resumed once, and aborted once */
};

/* All of them stand at their moments. */
struct fleet *fleet_start(struct scene *scene, const struct fleet_wish *wish);
void fleet_release(struct fleet *fleet);

/* Until each of them has said so. */
void fleet_await_words(struct fleet *fleet, const char *words);

/* Until each has ended, with 0 or with `status` and `words` in what it says. */
void fleet_wait(struct fleet *fleet, int status, const char *words);
/* No one is to have failed. */
void fleet_all_done(struct fleet *fleet);
/* What is asked for now is refused, by these words. */
void fleet_is_refused(struct fleet *fleet, const char *words);

/* Those that failed are resumed or aborted; then the witnesses judge.  Frees the fleet. */
void fleet_settle(struct fleet *fleet);

#endif
