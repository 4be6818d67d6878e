#include "osc/plan/postgres.h"

static bool check_kind(struct db *db, struct plan *plan, struct error *err)
{
    struct sql_env env = {.arena = plan->arena};
    const char *kind = NULL;

    sql_bind_sql(&env, "oid", postgres_oid(plan->source, plan->arena));
    if (!db_value(db, plan->arena, &kind,
                  sql_renders(plan->arena,
                              "SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = {oid}",
                              &env),
                  err))
        return false;
    if (!kind || *kind != 'r')
        plan_find(plan, FINDING_REFUSAL, "kind", "", "%s is no ordinary table",
                  plan->source->quoted);
    return true;
}

const struct check postgres_checks[] = {
    {"kind", check_kind},
    {NULL,   NULL      },
};
