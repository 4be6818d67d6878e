#include "triggers/culprit.h"

#include "osc/db/dialect.h"
#include "osc/plan/range.h"
#include "triggers/capture_dialect.h"

bool culprit_key(struct db *db, const struct plan *plan, const char *entries, const char *condition,
                 struct arena *arena, const char **key, struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "entries", entries);
    sql_bind_sql(&env, "condition", condition);
    return range_first_key(db, plan,
                           "{journal} AS j JOIN {only_source} AS t ON {source_is_entry} "
                           "WHERE {entries} AND ({condition})",
                           &env, key, err);
}

/* True when the entries from … to (not included) fail as the whole batch did. */
static bool fails_alike(struct db *db, const struct plan *plan, const struct batch *batch,
                        size_t from, size_t to, enum error_kind kind)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    const struct batch part = {.entries = batch->entries + from, .n = to - from};
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    struct error err = ERROR_INIT;
    size_t count = 0;

    sql_bind_sql(&env, "entries", journal_condition(plan, &part, 0, 1, &count, arena));
    const bool good = db_begin(db, &err) &&
                      sql_exec(db, dialect->replay_delete, &env, NULL, &err) &&
                      sql_exec(db, dialect->replay_insert, &env, NULL, &err);
    db_rollback(db);
    arena_free(arena);
    return !good && err.kind == kind;
}

void culprit_name(struct db *db, const struct plan *plan, const struct batch *batch,
                  struct error *err)
{
    size_t from = 0, to = batch->n, count = 0;
    struct arena *arena = arena_new();
    struct error ignored = ERROR_INIT;
    const char *key = NULL;

    while (to - from > 1) {
        const size_t middle = from + (to - from) / 2;
        if (fails_alike(db, plan, batch, from, middle, err->kind))
            to = middle;
        else
            from = middle;
    }
    if (to > from && fails_alike(db, plan, batch, from, to, err->kind)) {
        const struct batch one = {.entries = batch->entries + from, .n = 1};
        const char *entry = journal_condition(plan, &one, 0, 1, &count, arena);
        if (culprit_key(db, plan, entry, "TRUE", arena, &key, &ignored) && key)
            error_prefix(err, "row %s", key);
    }
    arena_free(arena);
}
