/* The end of replay: what is short is brought up to date in one go, by the cutover's connection. */
#include <inttypes.h>

#include "osc/db/dialect.h"
#include "triggers/apply.h"
#include "triggers/capture_dialect.h"
#include "triggers/journal.h"
#include "triggers/replay.h"

enum { MOST_AT_THE_END = 4000 };

static bool replay_everything(struct db *db, const struct plan *plan, uint64_t *entries,
                              struct error *err)
{
    struct arena *arena = arena_new();
    struct journal journal;
    struct batch batch = {.n = 0};
    size_t count = 0;

    journal_init(&journal, plan);
    bool good = apply_prepare(db, plan, err) &&
                journal_read(&journal, db, MOST_AT_THE_END, &batch, arena, err);
    if (good && batch.n == MOST_AT_THE_END)
        /* uncovered: thousands of writes between the last replay and the lock */
        good = error_set(err, ERROR_TRANSIENT, "the backlog is too long to drain it under lock");
    if (good && batch.n) {
        const char *condition = journal_condition(plan, &batch, 0, 1, &count, arena);
        good =
            apply_entries(db, plan, plan->dialect->capture->replay_insert, condition, arena, err);
    }
    *entries = batch.n;
    journal_release(&journal);
    arena_free(arena);
    return good;
}

/* Nobody writes now, so that one batch of everything is one consistent state. */
bool replay_drain(struct db *db, const struct plan *plan, const struct deadline *deadline,
                  uint64_t *drained, struct error *err)
{
    uint64_t entries = 0;

    *drained = 0;
    do {
        if (!replay_everything(db, plan, &entries, err))
            return false;
        *drained += entries;
        if (entries && deadline_passed(deadline))
            /* uncovered: a few entries take longer than the lock may */
            return error_set(err, ERROR_TRANSIENT,
                             "the backlog was not drained in time (%" PRIu64 " entries done)",
                             *drained);
    } while (entries);
    return true;
}

/* A loss must be looked for among the very entries that are replayed: that takes longer. */
bool replay_rest(struct db *db, const struct plan *plan, struct error *err)
{
    uint64_t entries = 0;
    bool good = true;

    if (plan->silent_loss)
        good =
            db_begin(db, err) && replay_everything(db, plan, &entries, err) && db_commit(db, err);
    else
        good = apply_prepare(db, plan, err) &&
               sql_exec(db, plan->dialect->capture->replay_rest, &plan->env, NULL, err);
    if (good)
        return true;
    db_rollback(db);
    if (err->kind == ERROR_CONFLICT)
        err->kind = ERROR_TRANSIENT; /* uncovered: needs an exchange of keys in the last entries */
    return false;
}
