/*
 * Shadow: the table being built.
 *
 * What an ALTER means is never modelled: it is applied to the empty shadow and
 * the catalog is read back.  Secondary indexes are taken off before the
 * backfill and built in bulk after it.
 */
#ifndef OSC_SHADOW_H
#define OSC_SHADOW_H

#include "osc/base/cancel.h"
#include "osc/plan/plan.h"

enum build { BUILD_KEY /* of a bare shadow */, BUILD_ALL };

struct shadow_dialect {
    /*
     * Creates the empty shadow like the source, applies the ALTER and takes off
     * every index that the backfill does not need.  *deferred: JSON text that
     * build(), lock() and swap() read later (kept in the state); lives in plan->arena.
     * Calls plan_shadow() after the ALTER and before taking indexes off: that
     * chooses plan->key among the keys that survive, and its unique index in the
     * shadow (columns plan->shadow_key) stays, with the primary key where rows are clustered by it.
     * Or it is taken off as well, with plan->late_key set: the shadow is bare.
     * The server's rejection of the ALTER is ERROR_REFUSED, with nothing left behind.
     */
    bool (*create)(struct db *db, struct plan *plan, const char **deferred, struct error *err);

    /*
     * The same for `osc plan`: afterwards plan_shadow() works on `db`, yet
     * nobody else sees anything and rehearse_end() leaves nothing (a
     * transaction that is rolled back, or a temporary table).  Where that cannot show all,
     * plan->shadow stays NULL and a finding says why.
     */
    bool (*rehearse)(struct db *db, struct plan *plan, const char **deferred, struct error *err);
    void (*rehearse_end)(struct db *db, const struct plan *plan);

    /*
     * Before build(): the rows are now where they stay.  *leaves_room: indexes are left to build,
     * and that keeps one processor busy.
     */
    bool (*prepare)(struct db *db, const struct plan *plan, const char *deferred, bool *leaves_room,
                    struct error *err);

    /* Builds the deferred indexes that are still missing; may use `threads` connections of its own.
     * ERROR_CONFLICT when a unique index finds duplicates. */
    bool (*build)(struct db *db, const struct plan *plan, const char *deferred, enum build what,
                  unsigned threads, struct cancel *cancel, struct error *err);

    /* ANALYZE and what else makes the shadow ready to serve from its first moment. */
    bool (*analyze)(struct db *db, const struct plan *plan, struct error *err);

    /*
     * The server's own progress in a long statement of ours on the shadow: a query for words and
     * tenths of a percent (NULL: unknown), the least first.  Template {schema_text}, {shadow_text};
     * NULL: this server tells nothing.
     */
    const char *(*long_work)(const struct facts *facts);

    /* Is the table that has the shadow's name now the one that create() made? */
    bool (*is_ours)(struct db *db, const struct plan *plan, const char *deferred, bool *ours,
                    struct error *err);

    bool (*drop)(struct db *db, const struct plan *plan, struct error *err); /* no shadow is fine */
};

extern const struct shadow_dialect mysql_shadow;
extern const struct shadow_dialect postgres_shadow;

#endif
