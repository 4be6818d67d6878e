#include "triggers/apply.h"

#include "osc/base/fail.h"
#include "osc/db/dialect.h"
#include "triggers/capture_dialect.h"
#include "triggers/culprit.h"

bool apply_advise(const struct plan *plan, struct error *err)
{
    return error_hint(err,
                      "a row written to %s meanwhile does not fit the new schema: osc abort, or "
                      "change the row and osc resume",
                      plan->source->name);
}

/* A row written meanwhile that the new type would change without a word from the server. */
bool apply_check_loss(struct db *db, const struct plan *plan, const char *condition,
                      struct arena *arena, struct error *err)
{
    const char *key = NULL;

    if (!plan->silent_loss)
        return true;
    if (!culprit_key(db, plan, condition, plan->silent_loss, arena, &key, err))
        return false;
    if (!key)
        return true;
    error_set(err, ERROR_DATA, "row %s: the new type would change a value", key);
    return apply_advise(plan, err);
}

bool apply_entries(struct db *db, const struct plan *plan, const char *insert,
                   const char *condition, struct arena *arena, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "entries", condition);
    if (!apply_check_loss(db, plan, condition, arena, err) ||
        !sql_exec(db, dialect->replay_delete, &env, NULL, err) ||
        !sql_exec(db, insert, &env, NULL, err))
        return false;
    FAILPOINT("before-forget");
    if (MUTANT("forget-up-to-now"))
        sql_bind_sql(&env, "entries", "TRUE");
    return sql_exec(db, dialect->forget, &env, NULL, err);
}

bool apply_prepare(struct db *db, const struct plan *plan, struct error *err)
{
    const char *statement = plan->dialect->capture->session;

    return !*statement || db_exec(db, statement, NULL, err);
}
