/*
 * Estimate: how long a migration is going to take.
 *
 * Rows, bytes and indexes by constants of the kind of server (bench/README.md
 * says how they were found), scaled by the root of how fast its processor is now.
 * For an idle server that holds the table in memory: no promise.
 */
#ifndef OSC_ESTIMATE_H
#define OSC_ESTIMATE_H

#include <stdbool.h>

#include "osc/plan/plan.h"

/* Seconds on a machine where the probe takes `probe_s`. */
struct costs {
    double probe_s;
    double start;           /* whatever the size                              */
    double per_mrow;        /* of a million rows                              */
    double per_gib;         /* of data                                        */
    double per_index_gib;   /* of indexes                                     */
    double verify_per_mrow; /* for proving a million rows                     */
    double verify_per_gib;  /* and their data                                 */
    double beside;          /* part of the time for indexes in which rows are proven, too */
};

struct estimate_dialect {
    const char *probe; /* a statement that only computes */
    const struct costs *(*costs)(const struct facts *facts);
};

extern const struct estimate_dialect mysql_estimate;
extern const struct estimate_dialect postgres_estimate;

struct estimate {
    double likely_s, low_s, high_s; /* likely_s 0: nothing is known of this server */
    double probe_s;                 /* what the server took to compute; 0: it was not asked */
};

/* Asks the server how fast it is, a tenth of a second of one processor, unless the table is done in
 * no time; changes nothing. */
bool estimate_duration(struct db *db, const struct plan *plan, bool verifies,
                       struct estimate *estimate, struct error *err) MUST_CHECK;

/* The arithmetic alone. */
struct estimate estimate_of(const struct costs *costs, const struct table *table, double probe_s,
                            bool verifies);

#endif
