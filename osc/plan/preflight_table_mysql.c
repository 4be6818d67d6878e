#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "osc/plan/catalog_mysql.h"
#include "osc/plan/identity_mysql.h"
#include "osc/plan/preflight_mysql.h"

/* First column of all rows: a, b, c; "" when there are none. */
static bool list(struct db *db, struct plan *plan, const char *question, const char **found,
                 struct error *err)
{
    struct sql_env env = preflight_env(db, plan, plan->arena);
    AUTO(text) out = TEXT_INIT;
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, question, &env, err))
        return false;
    while (rows_next(&rows, err))
        text_printf(&out, "%s%s", out.length ? ", " : "", rows_text(&rows, 0));
    *found = arena_copy(plan->arena, out.bytes, out.length);
    return err->kind == ERROR_NONE;
}

bool check_engine(struct db *db, struct plan *plan, struct error *err)
{
    const char *engine = "";

    if (!list(db, plan,
              "SELECT ENGINE FROM information_schema.TABLES"
              " WHERE TABLE_SCHEMA = {in_schema} AND TABLE_NAME = {on_table}",
              &engine, err))
        return false;
    if (strcmp(engine, "InnoDB") != 0)
        plan_find(plan, FINDING_REFUSAL, "engine", "ALTER TABLE … ENGINE=InnoDB first",
                  "the table's engine is %s: only InnoDB can be read without locks", engine);
    return true;
}

bool check_partitions(struct db *db UNUSED, struct plan *plan, struct error *err UNUSED)
{
    const char *options = strstr(plan->source->definition, "\n) ENGINE=");

    if (options && strstr(options, "PARTITION BY"))
        plan_find(plan, FINDING_REFUSAL, "partitions", "use the server's own ALTER",
                  "the table is partitioned, which osc cannot carry yet");
    return true;
}

bool check_versioning(struct db *db UNUSED, struct plan *plan, struct error *err UNUSED)
{
    static const char *const words[] = {" WITH SYSTEM VERSIONING", "\n  PERIOD FOR "};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strstr(plan->source->definition, words[i]))
            plan_find(plan, FINDING_REFUSAL, "versioning", "use the server's own ALTER",
                      "the table has %s, whose history osc cannot carry", words[i] + 1);
    return true;
}

bool check_foreign_keys(struct db *db, struct plan *plan, struct error *err)
{
    const char *own = "", *others = "";

    if (!list(db, plan,
              "SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS"
              " WHERE CONSTRAINT_SCHEMA = {in_schema} AND TABLE_NAME = {on_table}",
              &own, err) ||
        !mysql_foreign_referrers(db, plan->source, plan->arena, &others, err))
        return false;
    /*
     * This MariaDB answers by opening every table of the server: slow, and one 10.11 crashed
     * in it while others dropped tables.
     */
    if (!others && !list(db, plan,
                         "SELECT CONCAT(CONSTRAINT_SCHEMA, '.', TABLE_NAME, '.', CONSTRAINT_NAME)"
                         " FROM information_schema.REFERENTIAL_CONSTRAINTS"
                         " WHERE UNIQUE_CONSTRAINT_SCHEMA = {in_schema}"
                         " AND REFERENCED_TABLE_NAME = {on_table}",
                         &others, err))
        return false; /* uncovered: the list before it fails first */
    if (*own)
        plan_find(plan, FINDING_REFUSAL, "foreign-keys", "use the server's own ALTER",
                  "the table has foreign keys, which osc cannot carry yet: %s", own);
    if (*others)
        plan_find(plan, FINDING_REFUSAL, "foreign-keys", "use the server's own ALTER",
                  "foreign keys refer to the table, and would stay with the retired one: %s",
                  others);
    return true;
}

bool check_triggers(struct db *db, struct plan *plan, struct error *err)
{
    const char *own = "", *taken = "";
    struct sql_env *env = &plan->env;

    sql_bind_literal(env, db, "trigger_0", plan->names.trigger_insert);
    sql_bind_literal(env, db, "trigger_1", plan->names.trigger_update);
    sql_bind_literal(env, db, "trigger_2", plan->names.trigger_delete);
    if (!list(db, plan,
              "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS"
              " WHERE EVENT_OBJECT_SCHEMA = {in_schema} AND EVENT_OBJECT_TABLE = {on_table}"
              " AND TRIGGER_NAME NOT IN ({trigger_0}, {trigger_1}, {trigger_2})",
              &own, err) ||
        !list(db, plan,
              "SELECT CONCAT(TRIGGER_NAME, ' on ', EVENT_OBJECT_TABLE)"
              " FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {in_schema}"
              " AND TRIGGER_NAME IN ({trigger_0}, {trigger_1}, {trigger_2})",
              &taken, err))
        return false;
    if (*own)
        plan_find(plan, FINDING_REFUSAL, "triggers",
                  "drop them first, or use the server's own ALTER",
                  "the table has triggers, which osc cannot carry yet: %s", own);
    if (*taken)
        plan_find(plan, FINDING_REFUSAL, "leftovers",
                  "osc abort if a run of osc left them, else drop or rename them",
                  "there are triggers of the names that we need: %s", taken);
    return true;
}

/* Names of CHECK constraints are unique per schema here, and there is no renaming them. */
bool check_constraint_names(struct db *db, struct plan *plan, struct error *err)
{
    const char *names = "";

    if (!plan->facts->has_check_names_per_schema)
        return true;
    if (!list(db, plan,
              "SELECT CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS"
              " WHERE TABLE_SCHEMA = {in_schema} AND TABLE_NAME = {on_table}"
              " AND CONSTRAINT_TYPE = 'CHECK'"
              " AND LEFT(CONSTRAINT_NAME, CHAR_LENGTH({on_table}) + 5)"
              " <> CONCAT({on_table}, '_chk_')",
              &names, err))
        return false;
    if (*names)
        plan_find(plan, FINDING_WARNING, "constraint-names", "",
                  "CHECK constraints get names made by the server (%s_chk_1, …) instead of theirs, "
                  "which stay with the retired table: %s",
                  plan->source->name, names);
    return true;
}

/*
 * A RENAME takes its locks in the order of the names: it must wait for the
 * source first.  And LOCK TABLES wants each alias of the drain once.
 */
bool check_names(struct db *db UNUSED, struct plan *plan, struct error *err UNUSED)
{
    const char *const ours[] = {plan->names.shadow, plan->names.retired, plan->names.journal};
    const char *name = plan->source->name;

    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (strcmp(ours[i], name) <= 0)
            plan_find(plan, FINDING_REFUSAL, "names", "rename the table to something shorter",
                      "the name %s would sort before the table's own", ours[i]);
    if (strcasecmp(name, "s") == 0 || strcasecmp(name, "j") == 0)
        plan_find(plan, FINDING_REFUSAL, "names", "rename the table",
                  "a table called %s cannot be locked beside our alias of the same name", name);
    return true;
}

static bool check_free(struct db *db, struct plan *plan, const char *name, const char *hint,
                       struct error *err)
{
    const char *comment = "";
    bool exists = false;

    if (!mysql_catalog.exists(db, plan->source->schema, name, plan->arena, &exists, &comment, err))
        return false;
    /* The empty table that keeps a name free for a swap is taken over or dropped by the swap. */
    if (exists && strncmp(comment, "osc: keeps a name free", 22) != 0)
        plan_find(plan, FINDING_REFUSAL, "leftovers", hint, "the table %s exists already", name);
    return true;
}

bool check_leftovers(struct db *db, struct plan *plan, struct error *err)
{
    static const char died[] = "osc abort TABLE if a run of osc left it, else drop or rename it";

    return check_free(db, plan, plan->names.shadow, died, err) &&
           check_free(db, plan, plan->names.plain, died, err) &&
           check_free(db, plan, plan->names.journal, died, err) &&
           check_free(db, plan, plan->names.retired,
                      "osc finish drops what an earlier migration kept; else drop or rename it",
                      err);
}
