#include "osc/sentry_mysql.h"

/* Known to the preflight check of leftovers by its beginning. */
static const char comment[] = "osc: keeps a name free for a swap";

bool sentry_is_there(struct db *db, const struct plan *plan, bool *is_there, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    uint64_t found = 0;

    sql_bind_literal(&env, db, "in_schema", plan->source->schema);
    sql_bind_literal(&env, db, "name", plan->names.sentry);
    sql_bind_literal(&env, db, "comment", comment);
    const bool good =
        db_value_u64(db, &found,
                     sql_renders(arena,
                                 "SELECT COUNT(*) FROM information_schema.TABLES"
                                 " WHERE TABLE_SCHEMA = {in_schema} AND TABLE_NAME = {name}"
                                 " AND TABLE_COMMENT = {comment}",
                                 &env),
                     err);
    *is_there = found > 0;
    arena_free(arena);
    return good;
}

/* In memory: it is dropped while everybody waits, and a file would have to be synced. */
bool sentry_create(struct db *db, const struct plan *plan, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    bool is_there = false;

    sql_bind_literal(&env, db, "comment", comment);
    const bool good =
        sentry_is_there(db, plan, &is_there, err) &&
        (is_there || sql_exec(db,
                              "CREATE TABLE {sentry} (id INT PRIMARY KEY) ENGINE=MEMORY"
                              " COMMENT={comment}",
                              &env, NULL, err));
    arena_free(arena);
    return good;
}

bool sentry_drop(struct db *db, const struct plan *plan, struct error *err)
{
    bool is_there = false;

    return sentry_is_there(db, plan, &is_there, err) &&
           (!is_there || sql_exec(db, "DROP TABLE {sentry}", &plan->env, NULL, err));
}
