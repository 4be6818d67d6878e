#include "osc/beside.h"

#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/shadow.h"
#include "triggers/journal.h"

/* The build ends with a lock that waits for whoever reads the shadow: for us. */
enum { MOST_CHUNK_MS = 500 };

struct comparison {
    struct migration *m;
    struct arena *arena;
    struct beginning found;
};

static bool compare(void *argument, struct cancel *cancel, struct error *err UNUSED)
{
    struct comparison *comparison = argument;
    struct verify_job job = migration_verify_job(comparison->m, cancel);

    job.progress = NULL; /* it may have been in vain */
    if (job.chunk_time_ms > MOST_CHUNK_MS)
        job.chunk_time_ms = MOST_CHUNK_MS;
    verify_beginning(&job, comparison->arena, &comparison->found);
    FAILPOINT("compared");
    return true;
}

static bool build(struct migration *m, struct error *err)
{
    return m->plan.dialect->shadow->build(m->db, &m->plan, m->state.deferred, BUILD_ALL,
                                          throttle_threads(m->throttle), m->cancel, err);
}

/* Asked before replay goes on and forgets entries. */
static bool keep_if_untouched(struct migration *m, const struct beginning *found, struct error *err)
{
    bool is_touched = false;

    if (!found->through.literals)
        return true;
    if (!journal_touches(m->db, &m->plan, &found->through, &is_touched, err))
        return error_prefix(err, "looking for writes to %s", m->plan.source->quoted);
    LOG(LOG_INFO, "rows compared beside the index build", FU("rows", found->rows),
        F("counts", is_touched ? "no" : "yes"));
    if (!is_touched) {
        m->compared = bound_copy(&m->plan, &found->through, m->arena);
        atomic_fetch_add(&m->request->progress->rows_verified, found->rows);
    }
    return true;
}

static bool build_and_compare(struct migration *m, struct error *err)
{
    struct comparison comparison = {.m = m, .arena = arena_new()};
    struct error joined = ERROR_INIT;
    struct group *group = group_new(m->cancel);

    bool good = group_start(group, "compare", compare, &comparison, err) && build(m, err);
    FAILPOINT("indexes-built");
    group_cancel(group);
    good = group_join(group, &joined) && good; /* compare() does not fail */
    good = good && keep_if_untouched(m, &comparison.found, err);
    arena_free(comparison.arena);
    return good;
}

bool beside_build(struct migration *m, struct error *err)
{
    bool leaves_room = false;

    if (!m->plan.dialect->shadow->prepare(m->db, &m->plan, m->state.deferred, &leaves_room, err))
        return false;
    if (!leaves_room || m->options.verify == VERIFY_NONE || !m->plan.key_keeps_order)
        return build(m, err);
    /* Without it the shadow is empty in the eyes of the server's planner. */
    return migration_analyze(m, err) && build_and_compare(m, err);
}
