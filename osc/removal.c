/*
 * Removing what a migration has made: all of it when it is given up, the rest after the swap.
 */
#include <inttypes.h>

#include "osc/base/log.h"
#include "osc/cutover_dialect.h"
#include "osc/db/dialect.h"
#include "osc/migration.h"
#include "osc/shadow.h"
#include "triggers/capture.h"

/*
 * What others may hold, as a dump does that reads every table: removed as patiently as the
 * cutover swaps, and it is told who holds it.
 */
static bool remove_held(struct migration *m, lock_attempt *removal, const char *table,
                        struct error *err)
{
    const struct patience patience = migration_patience(m);
    struct lookout lookout = {
        .plan = &m->plan,
        .patience = &patience,
        .tables = {table, m->plan.names.journal},
        .readers_count = true,
    };

    if (lookout_persist(&lookout, removal, true, m->db, err))
        return true;
    if (err->kind == ERROR_TRANSIENT && m->step == STEP_FINISH)
        lookout_advise(&lookout, "the swap is done; ", "osc resume", err);
    else if (err->kind == ERROR_TRANSIENT)
        lookout_advise(&lookout, "", "osc finish", err);
    return error_prefix(err, "removing %s and what belongs to it", table);
}

/* The server's own timeouts do: the application does not use these tables. */
static bool try_to_clean(struct db *db, const struct plan *plan, uint64_t lock_ms UNUSED,
                         struct error *err)
{
    return plan->dialect->cutover->clean(db, plan, err);
}

static bool try_to_drop_shadow(struct db *db, const struct plan *plan, uint64_t lock_ms UNUSED,
                               struct error *err)
{
    return plan->dialect->shadow->drop(db, plan, err);
}

static bool try_to_drop_retired(struct db *db, const struct plan *plan, uint64_t lock_ms UNUSED,
                                struct error *err)
{
    return plan->dialect->cutover->drop_retired(db, plan, err);
}

bool migration_clean(struct migration *m, struct error *err)
{
    return remove_held(m, try_to_clean, m->plan.names.retired, err);
}

bool migration_drop_retired(struct migration *m, struct error *err)
{
    return remove_held(m, try_to_drop_retired, m->plan.names.retired, err) &&
           migration_set(m, "retired", &m->state.retired, "", err);
}

/* Goes on after a failure so that as much as possible is removed; the first error is told. */
static bool undo(struct migration *m, struct error *err)
{
    const struct plan *plan = &m->plan;
    const struct patience patience = migration_patience(m);
    struct error first = ERROR_INIT, second = ERROR_INIT;

    if (!capture_remove(m->db, plan, &patience, &first))
        LOG(LOG_WARN, "triggers or journal not removed", F("error", first.text));
    /* also the sentry of an attempt to swap that died */
    if (first.kind == ERROR_NONE && !remove_held(m, try_to_clean, plan->names.retired, &first))
        LOG(LOG_WARN, "leftovers of the cutover not removed", F("error", first.text));
    if (!remove_held(m, try_to_drop_shadow, plan->names.shadow, &second))
        LOG(LOG_WARN, "shadow not dropped", F("error", second.text));
    if (first.kind == ERROR_NONE)
        first = second;
    if (first.kind == ERROR_NONE)
        return true;
    *err = first;
    return error_hint(err, "osc abort %" PRIu64 " tries again", plan->id);
}

bool migration_give_up(struct migration *m, struct error *err)
{
    return undo(m, err) && state_forget(m->db, m->state.schema, m->state.id, err);
}
