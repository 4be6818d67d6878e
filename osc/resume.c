/*
 * Going on with a migration that exists: resume, abort, finish.
 */
#include <inttypes.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/log.h"
#include "osc/cutover_dialect.h"
#include "osc/db/dialect.h"
#include "osc/migration.h"
#include "triggers/capture.h"

/* Has the swap happened?  Then the source's name is the new table's. */
static bool look_who_owns(struct migration *m, bool *swapped, struct error *err)
{
    enum owner owner = OWNER_SOURCE;

    *swapped = step_named(m->state.step) > STEP_CUTOVER;
    if (step_named(m->state.step) != STEP_CUTOVER)
        return true;
    /* Who owns it is judged by the table that the migration began with. */
    struct table *began_with = ARENA_NEW(m->arena, struct table);
    *began_with = *m->plan.source;
    began_with->identity = m->state.identity;
    const struct table *now = m->plan.source;
    m->plan.source = began_with;
    const bool asked = m->plan.dialect->cutover->owner(m->db, &m->plan, &owner, err);
    m->plan.source = now;
    if (!asked)
        return false;
    if (owner == OWNER_UNKNOWN)
        return error_set(err, ERROR_AMBIGUOUS,
                         "neither the source nor the shadow of migration %" PRIu64 " owns %s",
                         m->plan.id, m->plan.source->quoted);
    *swapped = owner == OWNER_SHADOW;
    return true;
}

/* The source must be the table that the migration began with. */
static bool check_began_with(const struct migration *m, struct error *err)
{
    if (strcmp(m->state.identity, m->plan.source->identity) == 0 &&
        strcmp(m->state.fingerprint, m->plan.source->fingerprint) == 0)
        return true;
    error_set(err, ERROR_REFUSED,
              "%s was altered, truncated or replaced since migration %" PRIu64 " began",
              m->plan.source->quoted, m->plan.id);
    return error_hint(err, "osc abort %" PRIu64 ", then start again", m->plan.id);
}

static bool resume_from(struct migration *m, enum step_id *from, struct error *err)
{
    bool swapped = false;

    if (step_named(m->state.step) == STEP_DONE || strcmp(m->state.status, "done") == 0)
        return error_set(err, ERROR_USAGE, "migration %" PRIu64 " is %s: nothing to resume",
                         m->plan.id, m->state.status);
    if (!look_who_owns(m, &swapped, err))
        return false;
    *from = swapped ? STEP_FINISH : step_named(m->state.step);
    LOG(LOG_INFO, "resuming", FU("migration", m->plan.id), F("step", step_name(*from)),
        F("because", swapped ? "the swap has happened" : "the source still owns its name"));
    if (swapped)
        return true;
    if (!check_began_with(m, err))
        return false;
    /* The shadow is made anew unless it was finished. */
    if (*m->state.deferred && !plan_shadow(&m->plan, m->db, err))
        return false;
    if (*from < STEP_SHADOW || !*m->state.deferred)
        *from = STEP_SHADOW;
    return !*m->state.stamp || capture_check(m->db, &m->plan, m->state.stamp, err);
}

bool migrate_resume(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;
    enum step_id from = STEP_SHADOW;

    bool good = migration_open(&m, request, err) && migration_find(&m, *id, FIND_UNDER_WAY, err) &&
                options_recall(&m.options, m.state.options, err) && migration_take_over(&m, err) &&
                resume_from(&m, &from, err) &&
                state_end(m.db, m.state.schema, m.state.id, "running", "", err);
    if (good) {
        *id = m.plan.id;
        m.step = from;
        good = migration_run(&m, from, err);
    }
    migration_close(&m);
    return good;
}

/* The running process does it: it has the lease, the connections and the locks. */
static bool ask_the_running_one(struct migration *m, struct error *err)
{
    const struct deadline until = deadline_in_ms(120000);

    LOG(LOG_INFO, "asking the running process to abort", FU("migration", m->plan.id));
    if (!state_set(m->db, m->state.schema, m->state.id, "wish", "abort", err))
        return false;
    while (!deadline_passed(&until)) {
        struct state_row *rows = NULL;
        size_t n = 0, i = 0;
        if (!cancel_sleep_ms(m->cancel, 250))
            return cancel_check(m->cancel, err);
        if (!state_list(m->db, m->state.schema, m->arena, &rows, &n, err))
            return false;
        while (i < n && rows[i].id != m->state.id)
            i++;
        if (i == n)
            return true;
        if (strcmp(rows[i].status, "running") != 0)
            return error_set(err, ERROR_SERVER, "migration %" PRIu64 " ended otherwise: %s %s",
                             m->state.id, rows[i].status, rows[i].error);
    }
    return error_set(err, ERROR_TRANSIENT, "the running process has not answered yet");
}

static bool abort_here(struct migration *m, struct error *err)
{
    bool swapped = false;

    if (!look_who_owns(m, &swapped, err))
        return false;
    if (swapped || strcmp(m->state.status, "done") == 0) {
        error_set(err, ERROR_USAGE, "migration %" PRIu64 " has swapped already", m->plan.id);
        return error_hint(err, "osc finish %" PRIu64 " drops the retired table", m->plan.id);
    }
    return migration_give_up(m, err);
}

bool migrate_abort(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;

    bool good = migration_open(&m, request, err) && migration_find(&m, *id, FIND_UNDER_WAY, err);
    if (good) {
        *id = m.plan.id;
        if (migration_take_over(&m, err)) {
            good = abort_here(&m, err);
        } else {
            good = err->kind == ERROR_REFUSED; /* somebody has the lease */
            if (good) {
                error_clear(err);
                good = ask_the_running_one(&m, err);
            }
        }
    }
    migration_close(&m);
    return good;
}

bool migrate_finish(const struct request *request, uint64_t *id, struct error *err)
{
    struct migration m;

    bool good = migration_open(&m, request, err) && migration_find(&m, *id, FIND_RETIRED, err);
    if (good && strcmp(m.state.status, "done") != 0) {
        good = error_set(err, ERROR_USAGE, "migration %" PRIu64 " is not over: %s", m.state.id,
                         m.state.status);
        error_hint(err, "osc resume %" PRIu64 " or osc abort %" PRIu64, m.state.id, m.state.id);
    }
    good = good && migration_take_over(&m, err) &&
           (!*m.state.retired || (m.plan.dialect->cutover->drop_retired(m.db, &m.plan, err) &&
                                  migration_set(&m, "retired", &m.state.retired, "", err)));
    *id = good ? m.plan.id : 0;
    migration_close(&m);
    return good;
}

bool migrate_load(const struct request *request, struct db *db, uint64_t *id, struct plan *plan,
                  struct error *err)
{
    struct migration m = {.request = request, .arena = request->arena, .db = db};

    m.plan.arena = request->arena;
    if (!migration_find(&m, *id, FIND_UNDER_WAY, err))
        return false;
    if (step_named(m.state.step) <= STEP_COPY) {
        error_set(err, ERROR_REFUSED,
                  "migration %" PRIu64 " has not copied every row yet (step %s)", m.plan.id,
                  m.state.step);
        return error_hint(err, "osc status %" PRIu64 " says how far it is", m.plan.id);
    }
    if (!plan_shadow(&m.plan, db, err))
        return false;
    *id = m.plan.id;
    *plan = m.plan;
    return true;
}
