/*
 * Removing what a migration has made: all of it when it is given up, the rest after the swap.
 */
#include <inttypes.h>

#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/cutover_dialect.h"
#include "osc/db/dialect.h"
#include "osc/migration.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/plan/own.h"
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

static bool is_empty(struct migration *m, bool *empty, struct error *err)
{
    struct sql_env env = {.arena = m->arena};
    const char *row = NULL;

    sql_bind_name(&env, m->db, "schema", m->plan.source->schema);
    sql_bind_name(&env, m->db, "shadow", m->plan.names.shadow);
    const bool good =
        db_value(m->db, m->arena, &row,
                 sql_renders(m->arena, "SELECT 1 FROM {schema}.{shadow} LIMIT 1", &env), err);
    *empty = !row;
    return good;
}

/*
 * One that was finished is recognized by what was written down of it.  A crash between creating
 * it and saying so leaves an empty one, which is ours under the lease.
 */
bool migration_check_shadow(struct migration *m, struct error *err)
{
    const struct dialect *dialect = m->plan.dialect;
    const char *schema = m->plan.source->schema, *shadow = m->plan.names.shadow, *comment = "";
    bool exists = false, ours = false;

    if (!dialect->catalog->exists(m->db, schema, shadow, m->arena, &exists, &comment, err))
        return false;
    if (!exists)
        return true;
    if (!(*m->state.deferred
              ? dialect->shadow->is_ours(m->db, &m->plan, m->state.deferred, &ours, err)
              : own_check(m->db, schema, shadow, m->plan.source->name, err) &&
                    is_empty(m, &ours, err)))
        return error_prefix(err, "looking at %s", shadow);
    if (ours)
        return true;
    error_set(err, ERROR_REFUSED, "%s is not the table that migration %" PRIu64 " made", shadow,
              m->plan.id);
    return error_hint(err,
                      "somebody has put it there: rename it, or drop it if nobody needs it, then "
                      "osc abort %" PRIu64,
                      m->plan.id);
}

/* Without a record the journal says that all of them are ours. */
static bool remove_shadow(struct migration *m, struct error *err)
{
    return (!m->state.id || migration_check_shadow(m, err)) &&
           remove_held(m, try_to_drop_shadow, m->plan.names.shadow, err);
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
    FAILPOINT("half-aborted");
    if (!remove_shadow(m, &second))
        LOG(LOG_WARN, "shadow not dropped", F("error", second.text));
    if (first.kind == ERROR_NONE)
        first = second;
    if (first.kind == ERROR_NONE)
        return true;
    *err = first;
    return false;
}

/*
 * Whoever finds it half removed is to know why, and whoever waits for the end of it that it has
 * `failed`; a disk that is full must not keep us from it.
 */
static void announce(struct migration *m, const char *failed)
{
    struct error trouble = ERROR_INIT;

    if (m->state.id &&
        !state_end(m->db, m->state.schema, m->state.id, "aborting", failed, &trouble))
        LOG(LOG_WARN, "the abort is not recorded", F("error", trouble.text));
}

bool migration_give_up(struct migration *m, struct error *err)
{
    announce(m, "");
    if (undo(m, err) && state_forget(m->db, m->state.schema, m->state.id, err))
        return true;
    announce(m, err->text);
    if (err->kind == ERROR_REFUSED) /* somebody has to look first, and is told at what */
        return false;
    if (!m->plan.id)
        return error_hint(err, "osc abort %s tries again", m->state.table);
    return error_hint(err, "osc abort %" PRIu64 " tries again", m->plan.id);
}
