#include "osc/plan/own.h"

#include "osc/db/dialect.h"
#include "osc/db/sql.h"
#include "osc/plan/catalog_dialect.h"

static struct sql_env own_env(struct db *db, struct arena *arena, const char *schema,
                              const char *name, const char *like)
{
    struct sql_env env = {.arena = arena};

    sql_bind_literal(&env, db, "schema", schema);
    sql_bind_literal(&env, db, "name", name);
    sql_bind_literal(&env, db, "like", like);
    return env;
}

bool own_check(struct db *db, const char *schema, const char *name, const char *like,
               struct error *err)
{
    struct arena *arena = arena_new();
    const struct sql_env env = own_env(db, arena, schema, name, like);
    const char *stranger = NULL;
    bool good = db_value(db, arena, &stranger,
                         sql_renders(arena, db_dialect(db)->catalog->stranger, &env), err);

    if (good && stranger) {
        good = error_set(err, ERROR_REFUSED, "%s: we do not use it", stranger);
        error_hint(err, "connect as that role if the migration is its own; else look into it, and "
                        "drop it if nobody needs it");
    }
    arena_free(arena);
    return good;
}

bool own_alone(struct db *db, const char *schema, const char *name, struct error *err)
{
    struct arena *arena = arena_new();
    const struct sql_env env = own_env(db, arena, schema, name, "");
    const char *revoke = NULL;
    const bool good = db_value(db, arena, &revoke,
                               sql_renders(arena, db_dialect(db)->catalog->revoke, &env), err) &&
                      (!revoke || db_exec(db, revoke, NULL, err));

    arena_free(arena);
    return good;
}
