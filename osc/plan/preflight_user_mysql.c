/*
 * What we may do is found out by trying it on a table that does not exist: the
 * server looks at privileges first.  That counts roles, wildcards and partial
 * revokes as the server does.
 */
#include <string.h>

#include "osc/plan/identity_mysql.h"
#include "osc/plan/preflight_mysql.h"

static const struct {
    const char *privilege;
    const char *attempt; /* {nothing}: a table that is not there */
} attempts[] = {
    {"SELECT",                  "SELECT 1 FROM {nothing}"                          },
    {"INSERT",                  "INSERT INTO {nothing} VALUES (1)"                 },
    {"UPDATE",                  "UPDATE {nothing} SET a = 1"                       },
    {"DELETE",                  "DELETE FROM {nothing}"                            },
    {"CREATE",                  "CREATE TABLE {nothing} LIKE {nothing_2}"          },
    {"DROP",                    "DROP TABLE {nothing}"                             },
    {"ALTER",                   "ALTER TABLE {nothing} FORCE"                      },
    {"TRIGGER",                 "CREATE TRIGGER {nothing} AFTER INSERT ON {nothing_2}"
                " FOR EACH ROW SET @osc = 1"                        },
    {"LOCK TABLES",             "LOCK TABLES {nothing} WRITE"                      },
    {"CREATE TEMPORARY TABLES", "CREATE TEMPORARY TABLE {nothing} LIKE {nothing_2}"},
};

static bool attempt(struct db *db, const char *statement, const struct sql_env *env,
                    struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    error_clear(err);
    return strncmp(statement, "SELECT", 6) == 0 ? sql_query(db, &rows, statement, env, err)
                                                : sql_exec(db, statement, env, NULL, err);
}

/*
 * Without PROCESS the list is refused, or empty.  A foreign key of a schema that
 * is hidden from us would go on pointing at the retired table.
 */
static bool check_process(struct db *db, struct plan *plan, struct error *err)
{
    const char *id = NULL;

    if (!mysql_table_id(db, plan->source->schema, plan->source->name, plan->arena, &id, err))
        return false;
    if (!id)
        plan_find(plan, FINDING_REFUSAL, "privileges",
                  "GRANT PROCESS ON *.* TO the user of the DSN",
                  "PROCESS is missing: we cannot see whether somebody truncates the table "
                  "meanwhile, nor foreign keys in schemas that we may not see");
    return true;
}

/* Whoever read the table and then waits behind our lock to write it is a deadlock's victim. */
static void check_sight(struct plan *plan)
{
    if (!plan->facts->lock_has_nowait && !plan->facts->sees_metadata_locks)
        plan_find(plan, FINDING_WARNING, "privileges",
                  "GRANT SELECT ON performance_schema.* TO the user of the DSN; the instrument "
                  "wait/lock/metadata/sql/mdl must be enabled",
                  "we cannot see in performance_schema who holds the table: a transaction that "
                  "has read it and then writes it may end as a deadlock's victim at the swap");
}

bool check_privileges(struct db *db, struct plan *plan, struct error *err)
{
    struct sql_env env = {.arena = plan->arena, .outer = &plan->env};
    const char *hint = arena_printf(plan->arena, "GRANT … ON %s.* TO the user of the DSN",
                                    sql_lookup(&plan->env, "schema"));

    sql_bind_sql(&env, "nothing", sql_renders(plan->arena, "{schema}.osc_nothing_1", &env));
    sql_bind_sql(&env, "nothing_2", sql_renders(plan->arena, "{schema}.osc_nothing_2", &env));
    for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
        if (attempt(db, attempts[i].attempt, &env, err) || err->kind == ERROR_LOST)
            return err->kind == ERROR_LOST
                       ? false
                       : error_set(err, ERROR_REFUSED,
                                   "there is a table osc_nothing_1: it stands in the way");
        if (strcmp(err->code, "1419") == 0)
            plan_find(plan, FINDING_REFUSAL, "privileges",
                      "SET GLOBAL log_bin_trust_function_creators = 1, or GRANT SUPER",
                      "we may not create triggers while the binary log is on: %s", err->text);
        else if (err->kind == ERROR_DENIED)
            plan_find(plan, FINDING_REFUSAL, "privileges", hint, "%s is missing: %s",
                      attempts[i].privilege, err->text);
    }
    error_clear(err);
    check_sight(plan);
    return check_process(db, plan, err);
}
