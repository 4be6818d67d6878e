#include "triggers/capture.h"

#include <string.h>

#include "osc/base/fail.h"
#include "osc/db/dialect.h"
#include "triggers/capture_dialect.h"

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
    if (lookout_persist(&lookout, dialect->install, false, db, err))
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
    struct lookout lookout = {
        .plan = plan,
        .patience = patience,
        .tables = {plan->source->name, plan->names.journal},
        .readers_count = true,
    };

    return lookout_persist(&lookout, plan->dialect->capture->remove, true, db, err)
               ? true
               : error_prefix(err, "removing the triggers from %s", plan->source->quoted);
}
