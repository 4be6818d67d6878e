#include "triggers/capture.h"

#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "triggers/capture_dialect.h"

typedef bool attempt(struct db *db, const struct plan *plan, uint64_t lock_ms, struct error *err);

/*
 * Never two attempts without a pause, as the application queues behind each of
 * them, and none while it would be in vain; but a removal disarms at once.
 */
static bool try_for(attempt *once, struct lookout *lookout, bool at_once, struct db *db,
                    struct error *err)
{
    const struct patience *patience = lookout->patience;
    const struct deadline until = deadline_in_ms(patience->total_ms);

    for (unsigned n = 0;; n++) {
        error_clear(err);
        if ((n == 0 && at_once) || lookout_is_clear(lookout, db, err)) {
            if (once(db, lookout->plan, patience->lock_ms, err))
                return true;
            if (err->kind == ERROR_TRANSIENT)
                lookout_explain(lookout, db, err);
        }
        if (err->kind != ERROR_TRANSIENT)
            return false;
        if (deadline_passed(&until))
            return error_prefix(err, "not within %s", human_setting(patience->total_ms).text);
        LOG(LOG_DEBUG, "table is busy, trying again", F("table", lookout->plan->source->name),
            FU("attempt", n + 1), F("error", err->text));
        if (!cancel_sleep_ms(patience->cancel, backoff_until_ms(&until, n, 50, 5000)))
            return cancel_check(patience->cancel, err); /* uncovered: cancelled in this pause */
    }
}

bool capture_install(struct db *db, const struct plan *plan, const struct patience *patience,
                     const char **stamp, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    struct lookout lookout = {
        .plan = plan,
        .patience = patience,
        .readers_count = !plan->facts->triggers_beside_readers,
    };

    FAILPOINT("before-journal");
    if (!dialect->create_journal(db, plan, err))
        return error_prefix(err, "creating journal %s", plan->names.journal);
    if (try_for(dialect->install, &lookout, false, db, err))
        return capture_stamp(db, plan, plan->arena, stamp, err);
    if (err->kind == ERROR_TRANSIENT)
        lookout_advise(&lookout, "nothing was changed; ", "start again", err);
    return error_prefix(err, "installing triggers on %s", plan->source->quoted);
}

bool capture_stamp(struct db *db, const struct plan *plan, struct arena *arena, const char **stamp,
                   struct error *err)
{
    return plan->dialect->capture->check(db, plan, arena, stamp, err);
}

bool capture_check(struct db *db, const struct plan *plan, const char *stamp, struct error *err)
{
    struct arena *arena = arena_new();
    const char *now = NULL;
    bool good = capture_stamp(db, plan, arena, &now, err);

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

bool capture_remove(struct db *db, const struct plan *plan, const struct patience *patience,
                    struct error *err)
{
    struct lookout lookout = {.plan = plan, .patience = patience, .readers_count = true};

    return try_for(plan->dialect->capture->remove, &lookout, true, db, err)
               ? true
               : error_prefix(err, "removing the triggers from %s", plan->source->quoted);
}
