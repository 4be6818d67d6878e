/*
 * What the swap asks of a kind of server.  cutover.c owns attempt, drain,
 * deadline and settling; here are lock, swap, unlock and who owns the name.
 */
#ifndef OSC_CUTOVER_DIALECT_H
#define OSC_CUTOVER_DIALECT_H

#include "osc/plan/plan.h"

enum owner {
    OWNER_SOURCE,  /* the name still is the source's: nothing was swapped     */
    OWNER_SHADOW,  /* the name is the shadow's: swapped                       */
    OWNER_UNKNOWN, /* neither: somebody else has been here                    */
};

struct cutover_dialect {
    /*
     * Gently: keeps everybody from writing the source, in a moment in which
     * nobody does.  Insisting (and where facts->swaps_gently is not set, always): keeps
     * everybody out, waiting in the queue at most `timeout_ms`.
     * ERROR_TRANSIENT when the lock was not granted: everything is given back then.
     */
    bool (*lock)(struct db *db, const struct plan *plan, bool insists, uint64_t timeout_ms,
                 struct error *err);

    /*
     * With an empty journal: keeps readers away as well.  ERROR_TRANSIENT when
     * there are any, or, gently, when somebody would see a state before the last replay.
     */
    bool (*close)(struct db *db, const struct plan *plan, bool insists, struct error *err);

    /*
     * source becomes retired, shadow becomes source, with all names and
     * dependants; gives the locks back.  ERROR_LOST or ERROR_AMBIGUOUS when the reply was lost.
     */
    bool (*swap)(struct db *db, const struct plan *plan, const char *deferred, struct error *err);
    void (*unlock)(struct db *db, const struct plan *plan); /* gives up an attempt */

    /* Asked on a fresh connection. */
    bool (*owner)(struct db *db, const struct plan *plan, enum owner *owner, struct error *err);

    /* After the swap: removes triggers, function, journal; sentry. Idempotent. */
    bool (*clean)(struct db *db, const struct plan *plan, struct error *err);
    /* For osc plan: adds the statements of lock and swap to `script`; changes nothing. */
    bool (*show)(struct db *db, const struct plan *plan, const char *deferred, struct text *script,
                 struct error *err);
    bool (*drop_retired)(struct db *db, const struct plan *plan, struct error *err);
};

extern const struct cutover_dialect mysql_cutover;
extern const struct cutover_dialect postgres_cutover;

#endif
