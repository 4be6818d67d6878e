#include "osc/bare.h"

#include <jansson.h>

#include "copier/copier.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/shadow.h"
#include "triggers/journal.h"

/*
 * More would make the application's changes wait for too long: a million is a
 * minute of replay, and little against a table that took as many writes meanwhile.
 */
enum { MOST_ENTRIES = 1000000, PAUSES = 20 };

void bare_recall(struct plan *plan, const char *deferred)
{
    json_t *all = json_loads(deferred, 0, NULL);
    const char *key = json_string_value(json_object_get(all, "late_key"));

    plan->late_key = key ? arena_string(plan->arena, key) : NULL;
    json_decref(all);
}

bool bare_look_at_journal(struct migration *m, struct error *err)
{
    const uint64_t most = TUNED("MOST_ENTRIES", MOST_ENTRIES), began = clock_ms();
    uint64_t entries = 0;

    if (!m->plan.is_bare || !deadline_passed(&m->next_count))
        return true;
    if (!journal_backlog(m->db, &m->plan, most, &entries, err))
        return error_prefix(err, "counting what waits to be replayed");
    atomic_store(&m->request->progress->backlog, entries);
    atomic_store(&m->is_journal_long, entries >= most);
    if (entries >= most)
        FAILPOINT("journal-long");
    m->next_count = deadline_in_ms(PAUSES * (clock_ms() - began));
    return true;
}

bool bare_end_early(struct migration *m, struct error *err)
{
    const struct replay_job replay = migration_replay_job(m);
    const char *watermark = NULL;

    LOG(LOG_INFO, "many writes meanwhile: replayed from now on, beside the copy",
        F("table", m->plan.source->name));
    /* With a key, chunks may be copied again: any watermark of this migration would do. */
    const bool good =
        copy_remaining(m->db, &m->plan, m->arena, &watermark, err) &&
        (!watermark || migration_set(m, "watermark", &m->state.watermark, watermark, err)) &&
        replay_purge(&replay, m->cancel, err) &&
        m->plan.dialect->shadow->build(m->db, &m->plan, m->state.deferred, BUILD_KEY, 1, m->cancel,
                                       err) &&
        plan_shadow(&m->plan, m->db, err);
    atomic_store(&m->is_journal_long, false);
    FAILPOINT("key-built");
    return good;
}
