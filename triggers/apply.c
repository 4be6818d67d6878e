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
        return false; /* uncovered: the server goes away while a loss is looked for */
    if (!key)
        return true;
    error_set(err, ERROR_DATA, "row %s: the new type would change a value", key);
    return apply_advise(plan, err);
}

static bool forget(struct db *db, const struct plan *plan, struct sql_env *env, struct error *err)
{
    FAILPOINT("before-forget");
    if (MUTANT("forget-up-to-now"))
        sql_bind_sql(env, "entries", "TRUE");
    return sql_exec(db, plan->dialect->capture->forget, env, NULL, err);
}

/* *entries: a condition on the `n` that the query finds; NULL where it finds none. */
static bool find_entries(struct db *db, const struct capture_dialect *dialect, const char *query,
                         const struct sql_env *env, const char **entries, size_t *n,
                         struct error *err)
{
    AUTO(text) found = TEXT_INIT;
    AUTO(rows) rows = ROWS_INIT;

    *entries = NULL;
    *n = 0;
    if (!sql_query(db, &rows, query, env, err))
        return false;
    for (; rows_next(&rows, err); ++*n)
        text_printf(&found, "%s%s", *n ? dialect->entries_separator : "", rows_text(&rows, 0));
    if (*n)
        *entries = arena_printf(env->arena, "%s%s%s", dialect->entries_open, found.bytes,
                                dialect->entries_close);
    return err->kind == ERROR_NONE;
}

static bool delete_gone(struct db *db, const struct capture_dialect *dialect,
                        const struct sql_env *outer, struct error *err)
{
    struct sql_env env = {.arena = outer->arena, .outer = outer};
    const char *gone = NULL;
    size_t n = 0;

    if (!find_entries(db, dialect, dialect->replay_gone, outer, &gone, &n, err))
        return false;
    sql_bind_sql(&env, "entries", gone);
    return !gone || sql_exec(db, dialect->replay_delete, &env, NULL, err);
}

/*
 * Each statement reads the source as it is at its own moment.  A row that goes or comes in between
 * has an entry of its own that was not read yet.
 */
bool apply_overwriting(struct db *db, const struct plan *plan, const char *condition,
                       struct arena *arena, bool *is_known, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    *is_known = dialect->may_overwrite && dialect->may_overwrite(plan, &env);
    if (!*is_known)
        return true;
    sql_bind_sql(&env, "entries", condition);
    return apply_check_loss(db, plan, condition, arena, err) &&
           delete_gone(db, dialect, &env, err) &&
           sql_exec(db, dialect->replay_overwrite, &env, NULL, err) && forget(db, plan, &env, err);
}

bool apply_entries(struct db *db, const struct plan *plan, const char *insert,
                   const char *condition, struct arena *arena, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "entries", condition);
    return apply_check_loss(db, plan, condition, arena, err) &&
           sql_exec(db, dialect->replay_delete, &env, NULL, err) &&
           sql_exec(db, insert, &env, NULL, err) && forget(db, plan, &env, err);
}

/* A chunk may have brought the row by now: it began after these entries were read, and is as new.
 */
bool apply_where_free(struct db *db, const struct plan *plan, const char *condition,
                      struct arena *arena, size_t *left_out, struct error *err)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    const char *stay = NULL;

    sql_bind_sql(&env, "entries", condition);
    if (!apply_check_loss(db, plan, condition, arena, err) ||
        !sql_exec(db, dialect->replay_delete, &env, NULL, err) ||
        !sql_exec(db, dialect->replay_insert_where_free, &env, NULL, err) ||
        !find_entries(db, dialect, dialect->replay_left_out, &env, &stay, left_out, err))
        return false;
    if (stay && !MUTANT("forget-left-out"))
        sql_bind_sql(&env, "entries", arena_printf(arena, "%s AND NOT (%s)", condition, stay));
    return forget(db, plan, &env, err);
}

bool apply_prepare(struct db *db, const struct plan *plan, struct error *err)
{
    const char *statement = plan->dialect->capture->session;

    return !*statement || db_exec(db, statement, NULL, err);
}
