/* What a run that failed leaves behind, in the row and in its last words. */
#include <inttypes.h>
#include <string.h>

#include "osc/base/log.h"
#include "osc/migration.h"

/*
 * The control connection may be the one that broke: what happened is still to be
 * written down, unless another run has taken over meanwhile: then the row is its own.
 */
static bool write_down(struct migration *m, struct error *failure)
{
    struct error trouble = ERROR_INIT;

    if (!db_is_lost(m->db) &&
        state_end(m->db, m->state.schema, m->state.id, "failed", failure->text, &trouble))
        return true;
    db_close(m->db);
    error_clear(&trouble);
    m->db = db_open(&m->dsn, "control", &trouble);
    if (m->db && server_take_lease(m->db, m->plan.table_key, m->plan.run, &trouble) &&
        state_check_run(m->db, m->state.schema, m->state.id, m->plan.run, &trouble) &&
        state_end(m->db, m->state.schema, m->state.id, "failed", failure->text, &trouble))
        return true;
    LOG(LOG_WARN, "failure not recorded", F("error", trouble.text));
    if (trouble.kind != ERROR_REFUSED)
        return true;
    error_prefix(failure, "%s", trouble.text);
    error_hint(failure, "osc status %" PRIu64 " says what the other run does", m->plan.id);
    return false;
}

static void give_up_early(struct migration *m, struct error *err)
{
    struct error trouble = ERROR_INIT;

    if (!migration_give_up(m, &trouble))
        error_hint(err, "%s is untouched; osc abort %" PRIu64 " removes what is left of this: %s",
                   m->plan.source->quoted, m->plan.id, trouble.text);
    else if (!*err->hint)
        error_hint(err, "nothing was changed");
}

/* Whatever else is advised ("is the server running there?"): how to go on is said, too. */
static void name_next_command(const struct migration *m, struct error *err)
{
    if (err->kind == ERROR_FULL && m->step < STEP_FINISH)
        error_hint(err,
                   "%s is as it was, but each write of it still adds to %s: make room, then osc "
                   "resume %" PRIu64 " goes on; osc abort %" PRIu64
                   " removes shadow, triggers and journal, which makes room, too",
                   m->plan.source->quoted, m->plan.names.journal, m->plan.id, m->plan.id);
    else if (strstr(err->hint, "osc resume") || strstr(err->hint, "osc abort"))
        return;
    else if (m->step < STEP_FINISH)
        error_hint_also(err,
                        "%s is untouched; shadow, triggers and journal stay: osc resume %" PRIu64
                        " goes on, osc abort %" PRIu64 " removes them",
                        m->plan.source->quoted, m->plan.id, m->plan.id);
    else
        error_hint_also(err, "the swap is done; osc resume %" PRIu64 " finishes the clean-up",
                        m->plan.id);
}

void migration_settle_failure(struct migration *m, struct error *err)
{
    struct error trouble = ERROR_INIT;

    if (m->stopped.kind != ERROR_NONE &&
        m->step < STEP_FINISH) /* what the others say is that they were cancelled */
        *err = m->stopped;
    if (atomic_load(&m->abort_wished) && m->step < STEP_FINISH) {
        if (migration_give_up(m, &trouble))
            error_set(err, ERROR_CANCELLED, "aborted by an operator; %s is as it was",
                      m->plan.source->quoted);
        else
            *err = trouble;
        return;
    }
    if (m->step <= STEP_CAPTURE && err->kind != ERROR_CANCELLED && err->kind != ERROR_LOST) {
        give_up_early(m, err);
        return;
    }
    if (write_down(m, err))
        name_next_command(m, err);
}
