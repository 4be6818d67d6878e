#include "triggers/capture.h"

#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "triggers/capture_dialect.h"

typedef bool attempt(struct db *db, const struct plan *plan, uint64_t lock_ms, struct error *err);

/* Never two attempts without a pause: the application queues behind each of them. */
static bool try_for(attempt *once, struct db *db, const struct plan *plan, uint64_t lock_ms,
                    uint64_t patience_ms, struct cancel *cancel, struct error *err)
{
    const struct deadline until = deadline_in_ms(patience_ms);

    for (unsigned n = 0;; n++) {
        error_clear(err);
        if (once(db, plan, lock_ms, err))
            return true;
        if (err->kind != ERROR_TRANSIENT || deadline_passed(&until))
            return false;
        LOG(LOG_DEBUG, "table is busy, trying again", F("table", plan->source->name),
            FU("attempt", n + 1), F("error", err->text));
        if (!cancel_sleep_ms(cancel, backoff_ms(n, 50, 5000)))
            return cancel_check(cancel, err);
    }
}

bool capture_install(struct db *db, const struct plan *plan, uint64_t lock_ms, uint64_t patience_ms,
                     struct cancel *cancel, const char **stamp, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;

    if (!dialect->create_journal(db, plan, err))
        return error_prefix(err, "creating journal %s", plan->names.journal);
    if (!try_for(dialect->install, db, plan, lock_ms, patience_ms, cancel, err))
        return error_prefix(err, "installing triggers on %s", plan->source->quoted);
    return dialect->check(db, plan, plan->arena, stamp, err);
}

bool capture_check(struct db *db, const struct plan *plan, const char *stamp, struct error *err)
{
    struct arena *arena = arena_new();
    const char *now = NULL;
    bool good = plan->dialect->capture->check(db, plan, arena, &now, err);

    if (good && (!now || strcmp(now, stamp) != 0)) {
        good = error_set(err, ERROR_REFUSED,
                         "the capture triggers on %s were dropped, disabled or replaced: writes "
                         "may have been missed",
                         plan->source->quoted);
        error_hint(err, "osc abort, then start again");
    }
    arena_free(arena);
    return good;
}

bool capture_remove(struct db *db, const struct plan *plan, uint64_t lock_ms, uint64_t patience_ms,
                    struct cancel *cancel, struct error *err)
{
    return try_for(plan->dialect->capture->remove, db, plan, lock_ms, patience_ms, cancel, err)
               ? true
               : error_prefix(err, "removing the triggers from %s", plan->source->quoted);
}
