#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/db/dialect.h"
#include "triggers/capture_dialect.h"
#include "triggers/replay.h"

enum { MOST_TRIES = 12 };

static bool purge_on(struct db *db, const struct plan *plan, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;

    if (MUTANT("no-purge"))
        return true;
    if (!db_begin(db, err))
        return false;
    if (db_exec(db, dialect->purge_session, NULL, err) &&
        sql_exec(db, dialect->purge, &plan->env, NULL, err) && db_commit(db, err))
        return true;
    db_rollback(db);
    return false;
}

/* In the role of replay: a purge that was cut off is seen gone before rows are brought back. */
static bool purge_once(const struct replay_job *job, struct cancel *cancel, struct error *err)
{
    const struct plan *plan = job->plan;
    struct db *db = db_open_patiently(job->dsn, "replay-0", cancel, err);
    const bool good = db && server_fence(db, plan->table_key, plan->run, "replay-0", err) &&
                      purge_on(db, plan, err);

    db_close(db);
    return good;
}

bool replay_purge(const struct replay_job *job, struct cancel *cancel, struct error *err)
{
    FAILPOINT("before-purge");
    for (unsigned n = 0;; n++) {
        error_clear(err);
        if (purge_once(job, cancel, err))
            break;
        if (n == MOST_TRIES || (err->kind != ERROR_TRANSIENT && err->kind != ERROR_LOST))
            /* uncovered: so many failures in a row */
            return error_prefix(err, "taking journalled rows out of %s", job->plan->names.shadow);
        if (!cancel_sleep_ms(cancel, backoff_ms(n, 5, 1000)))
            return cancel_check(cancel, err); /* uncovered: cancelled in this pause */
    }
    FAILPOINT("purged");
    return true;
}
