#include <inttypes.h>
#include <string.h>

#include "osc/base/log.h"
#include "osc/counter_mysql.h"
#include "osc/db/driver.h"
#include "osc/db/interruptible.h"
#include "osc/indexes_mysql.h"
#include "osc/likeness_mysql.h"
#include "osc/plan/alter.h"
#include "osc/plan/catalog_mysql.h"
#include "osc/plan/identity_mysql.h"
#include "osc/plan/tablelock_mysql.h"
#include "osc/sentry_mysql.h"
#include "osc/shadow.h"

enum { READERS_MS = 5000, USUAL_MS = 2000 /* of every session of ours: server_mysql.c */ };

/* ---- what the ALTER made of it ---- */

/* In the definition of a shadow: what this version cannot carry through the swap. */
static const struct {
    const char *text, *reason;
} beyond_us[] = {
    {" FOREIGN KEY (",         "the ALTER adds a foreign key"    },
    {"PARTITION BY",           "the ALTER partitions the table"  },
    {"WITH SYSTEM VERSIONING", "the ALTER adds system versioning"},
    {"PERIOD FOR",             "the ALTER adds a period"         },
};

/* The definition without what stands in quotes: comments, defaults, names. */
static const char *bare(const char *definition, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (const char *at = definition; *at;) {
        const char quote = *at;
        if (quote != '\'' && quote != '`') {
            text_add_bytes(&out, at++, 1);
            continue;
        }
        for (at++; *at && *at != quote; at++)
            at += quote == '\'' && *at == '\\' && at[1];
        at += *at == quote;
    }
    return arena_string(arena, out.bytes);
}

static bool check_definition(const struct plan *plan, const char *before, const char *after,
                             struct error *err)
{
    const struct alter_rules *rules = &mysql_catalog.alter_rules;
    const char *had = bare(before, plan->arena), *has = bare(after, plan->arena);

    if (!strstr(has, " ENGINE=InnoDB"))
        return error_set(err, ERROR_REFUSED, "the ALTER changes the storage engine");
    for (size_t i = 0; i < ARRAY_SIZE(beyond_us); i++)
        if (strstr(has, beyond_us[i].text) && !strstr(had, beyond_us[i].text)) {
            error_set(err, ERROR_REFUSED, "%s, which osc cannot do yet", beyond_us[i].reason);
            return error_hint(err, "use the server's own ALTER for that");
        }
    /* A plain rebuild is a wish, too. */
    if (strcmp(before, after) != 0 || alter_has_clause(plan->alter, rules, "FORCE") ||
        alter_has_clause(plan->alter, rules, "ENGINE"))
        return true;
    error_set(err, ERROR_REFUSED, "the ALTER changes nothing about %s", plan->source->name);
    return error_hint(err, "to rebuild the table as it is, say FORCE");
}

/* The server's own words, as a refusal; what is no judgement on the ALTER stays what it is. */
static bool apply_alter(struct db *db, const struct plan *plan, const char *before,
                        struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "clauses",
                 alter_with_names(plan->alter, &mysql_catalog.alter_rules,
                                  likeness_check_names(db, plan, before), arena));
    const bool good = sql_exec(db, "ALTER TABLE {shadow} {clauses}", &env, NULL, err);
    arena_free(arena);
    if (good || err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT)
        return good;
    error_prefix(err, "the server rejects the ALTER");
    err->kind = ERROR_REFUSED;
    return error_hint(err, "nothing was changed");
}

/* ---- creating it ---- */

/*
 * The indexes go, and the table is written anew: an ALTER that the server did
 * at once leaves row versions behind, which count towards its limit.
 */
static bool take_off_indexes(struct db *db, const struct plan *plan,
                             const struct deferral *deferral, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    AUTO(text) drops = TEXT_INIT;

    for (const struct index_line *index = deferral->indexes; index; index = index->next) {
        text_add(&drops, "DROP INDEX ");
        db_add_name(db, &drops, index->name);
        text_add(&drops, ", ");
    }
    sql_bind_sql(&env, "drops", drops.bytes);
    const bool good =
        sql_exec(db, "ALTER TABLE {shadow} {drops}FORCE, ALGORITHM=COPY", &env, NULL, err);
    arena_free(arena);
    return good;
}

/* From a table like the source to the shadow; `after`: as it shall be in the end. */
static bool shape(struct db *db, struct plan *plan, const char *before, const char **deferred,
                  const char **after, struct error *err)
{
    const char *shadow = sql_lookup(&plan->env, "shadow");

    if (!apply_alter(db, plan, before, err) ||
        !mysql_definition(db, shadow, plan->arena, after, err) ||
        !check_definition(plan, before, *after, err) || !plan_shadow(plan, db, err))
        return false;
    const struct deferral deferral = deferral_choose(plan, *after);
    *deferred = deferral_save(&deferral, plan->arena);
    return counter_carry(db, plan, err) && take_off_indexes(db, plan, &deferral, err) &&
           counter_carry(db, plan, err);
}

static const char drop_all[] = "DROP TABLE IF EXISTS {plain}, {shadow}";

static void drop_quietly(struct db *db, const struct plan *plan, const char *statement)
{
    struct error ignored = ERROR_INIT;

    if (!sql_exec(db, statement, &plan->env, NULL, &ignored))
        LOG(LOG_WARN, "a table was left behind", F("name", plan->names.shadow),
            F("error", ignored.text));
}

static bool create(struct db *db, struct plan *plan, const char **deferred, struct error *err)
{
    const char *before = NULL, *after = NULL;

    if (!sql_exec(db, "CREATE TABLE {shadow} LIKE {source}", &plan->env, NULL, err))
        return false;
    if (mysql_definition(db, sql_lookup(&plan->env, "shadow"), plan->arena, &before, err) &&
        likeness_check(plan, before, err) && shape(db, plan, before, deferred, &after, err) &&
        counter_take_off(db, plan, after, err))
        return true;
    if (err->kind != ERROR_LOST)
        drop_quietly(db, plan, drop_all);
    return false;
}

static bool is_alike(const char *now, const char *then, struct arena *arena)
{
    return then && definition_is_same(definition_without_indexes(now, arena),
                                      definition_without_indexes(then, arena));
}

/* Indexes and the counter come and go while it is made; columns and options stay. */
static bool is_ours(struct db *db, const struct plan *plan, const char *deferred, bool *ours,
                    struct error *err)
{
    struct arena *arena = arena_new();
    struct deferral deferral;
    const char *now = NULL;
    const bool good = deferral_load(deferred, arena, &deferral, err) &&
                      mysql_definition(db, sql_lookup(&plan->env, "shadow"), arena, &now, err);

    *ours = good && (is_alike(now, deferral.definition, arena) ||
                     is_alike(now, counter_definition_without(deferral.definition, arena), arena));
    arena_free(arena);
    return good;
}

/* A cutover that died may have left a sentry beside it. */
static bool drop(struct db *db, const struct plan *plan, struct error *err)
{
    return sentry_drop(db, plan, err) && sql_exec(db, drop_all, &plan->env, NULL, err);
}

/* ---- rehearsing for osc plan ---- */

/*
 * FULLTEXT indexes, compressed rows, ALGORITHM=INPLACE: a temporary table cannot have what the
 * shadow can.
 */
static bool cannot_be_temporary(const struct error *err)
{
    static const char *const codes[] = {"1796", "1845", "1846", "3500", "4047"};

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (strcmp(err->code, codes[i]) == 0)
            return true;
    return false;
}

/* A temporary table is tried, and the script says what will be done to a real one. */
static bool rehearse(struct db *db, struct plan *plan, const char **deferred, struct error *err)
{
    static const char as_said[] = "CREATE TABLE", as_run[] = "CREATE TEMPORARY TABLE";
    struct text *script = db->script;
    const char *before = NULL, *after = NULL;
    AUTO(text) run = TEXT_INIT;

    db_record(db, &run, true);
    bool good =
        sql_exec(db, "CREATE TEMPORARY TABLE {shadow} LIKE {source}", &plan->env, NULL, err) &&
        mysql_definition(db, sql_lookup(&plan->env, "shadow"), plan->arena, &before, err) &&
        shape(db, plan, before, deferred, &after, err);
    db_record(db, &run, false); /* a temporary table has no partitions */
    good = good && counter_take_off(db, plan, after, err);
    db_record(db, script, true);
    if (!good && cannot_be_temporary(err)) {
        plan_find(plan, FINDING_NOTE, "rehearsal", "osc alter goes on where this ends",
                  "the ALTER could not be tried on a temporary table: %s", err->text);
        plan->shadow = NULL;
        error_clear(err);
        good = true;
    }
    if (script && strncmp(run.bytes, as_run, strlen(as_run)) == 0)
        text_printf(script, "%s%s", as_said, run.bytes + strlen(as_run));
    return good;
}

static void rehearse_end(struct db *db, const struct plan *plan)
{
    drop_quietly(db, plan, "DROP TEMPORARY TABLE IF EXISTS {shadow}");
}

/* ---- the indexes that waited ---- */

static bool list_indexes(struct db *db, const struct plan *plan, struct arena *arena,
                         struct index_line **there, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, "SHOW INDEX FROM {shadow}", &plan->env, err))
        return false;
    while (rows_next(&rows, err)) {
        struct index_line *index = ARENA_NEW(arena, struct index_line);
        index->name = arena_string(arena, rows_text(&rows, 2));
        index->next = *there;
        *there = index;
    }
    return err->kind == ERROR_NONE;
}

static bool has_index(const struct index_line *list, const char *name)
{
    while (list && strcmp(list->name, name) != 0)
        list = list->next;
    return list != NULL;
}

/* One statement: the rows are read once for all indexes. */
static bool add_missing(struct db *db, const struct plan *plan, const struct deferral *deferral,
                        struct arena *arena, struct error *err)
{
    struct index_line *there = NULL;
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    AUTO(text) adds = TEXT_INIT;

    if (!list_indexes(db, plan, arena, &there, err))
        return false;
    for (const struct index_line *index = deferral->indexes; index; index = index->next)
        if (!has_index(there, index->name))
            text_printf(&adds, "%sADD %s", adds.length ? ", " : "", index->text);
    sql_bind_sql(&env, "adds", adds.bytes);
    return !adds.length || sql_exec(db, "ALTER TABLE {shadow} {adds}", &env, NULL, err);
}

static bool check_finished(struct db *db, const struct plan *plan, const struct deferral *deferral,
                           struct arena *arena, struct error *err)
{
    const char *now = NULL;

    if (db->is_rehearsal)
        return true;
    if (!mysql_definition(db, sql_lookup(&plan->env, "shadow"), arena, &now, err))
        return false;
    if (definition_is_same(now, deferral->definition))
        return true;
    error_set(err, ERROR_SERVER, "%s is not what the ALTER had made of it", plan->names.shadow);
    return error_hint(err, "osc abort, then start again");
}

static bool has_setting(struct db *db, const char *name, bool *there, struct arena *arena,
                        struct error *err)
{
    const char *found = NULL;
    const bool good = db_value(
        db, arena, &found,
        arena_printf(arena, "SHOW SESSION VARIABLES WHERE Variable_name = '%s'", name), err);

    *there = found != NULL;
    return good;
}

static const char ddl_threads[] = "innodb_ddl_threads";

/* Sorting in memory is most of the speed, on servers where a session may ask for that. */
static bool use_threads(struct db *db, unsigned threads, struct arena *arena, struct error *err)
{
    const struct {
        const char *name;
        uint64_t value;
    } settings[] = {
        {ddl_threads,                    threads  },
        {"innodb_parallel_read_threads", threads  },
        {"innodb_ddl_buffer_size",       64u << 20},
    };

    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        bool there = false;
        if (!has_setting(db, settings[i].name, &there, arena, err) ||
            (there && !db_exec(db,
                               arena_printf(arena, "SET SESSION %s = %" PRIu64, settings[i].name,
                                            settings[i].value),
                               NULL, err)))
            return false;
    }
    return true;
}

struct addition {
    const struct plan *plan;
    const struct deferral *deferral;
    struct arena *arena;
};

static bool add(struct db *db, void *argument, struct error *err)
{
    const struct addition *addition = argument;

    return add_missing(db, addition->plan, addition->deferral, addition->arena, err);
}

/*
 * At its end the ALTER waits for whoever reads the shadow, our own comparison say, and what it has
 * built is lost when it gives up.  Nobody waits behind it but us.
 */
static bool add_patiently(struct db *db, struct cancel *cancel, struct addition *addition,
                          struct error *err)
{
    struct error trouble = ERROR_INIT;

    if (!mysql_wait_at_most(db, READERS_MS, err))
        return false; /* uncovered: the connection breaks in this very moment */
    const bool good = interruptible(db, cancel, add, addition, err);
    return mysql_wait_at_most(db, USUAL_MS, good ? err : &trouble) && good;
}

/* Several threads that build keep the processors busy: MySQL's, of which a session may ask. */
static bool prepare(struct db *db, const struct plan *plan, const char *deferred, bool *leaves_room,
                    struct error *err)
{
    struct arena *arena = arena_new();
    struct deferral deferral = {.definition = ""};
    bool by_threads = false;

    const bool good = deferral_load(deferred, arena, &deferral, err) &&
                      counter_put_back(db, plan, deferral.definition, err) &&
                      has_setting(db, ddl_threads, &by_threads, arena, err);
    *leaves_room = good && deferral.indexes && !by_threads;
    arena_free(arena);
    return good;
}

static bool build(struct db *db, const struct plan *plan, const char *deferred,
                  enum build what UNUSED, unsigned threads, struct cancel *cancel,
                  struct error *err)
{
    struct arena *arena = arena_new();
    struct deferral deferral;
    struct addition addition = {plan, &deferral, arena};

    const bool good = deferral_load(deferred, arena, &deferral, err) &&
                      (!deferral.indexes || (use_threads(db, threads ? threads : 1, arena, err) &&
                                             add_patiently(db, cancel, &addition, err))) &&
                      check_finished(db, plan, &deferral, arena, err);
    arena_free(arena);
    return good;
}

static bool analyze(struct db *db, const struct plan *plan, struct error *err)
{
    return sql_exec(db, "ANALYZE TABLE {shadow}", &plan->env, NULL, err);
}

/* MySQL has it where the administrator has switched the consumer events_stages_current on. */
static const char stages[] =
    "SELECT SUBSTRING_INDEX(e.EVENT_NAME, '/', -1),\n"
    "  FLOOR(1000 * LEAST(e.WORK_COMPLETED, e.WORK_ESTIMATED) / NULLIF(e.WORK_ESTIMATED, 0))\n"
    "FROM performance_schema.events_stages_current e\n"
    "JOIN performance_schema.processlist p ON p.ID = (SELECT t.PROCESSLIST_ID\n"
    "  FROM performance_schema.threads t WHERE t.THREAD_ID = e.THREAD_ID)\n"
    "WHERE e.EVENT_NAME LIKE 'stage/innodb/alter%' AND p.DB = {schema_text}\n"
    "  AND INSTR(p.INFO, {shadow_text}) > 0 ORDER BY 2";

/*
 * MariaDB leaves PROGRESS in its process list at 0 while InnoDB builds indexes, and counts, in
 * hundredths of a percent, for the whole server: of what was begun last.
 */
static const char online_ddl[] =
    "SELECT 'InnoDB builds indexes', s.VARIABLE_VALUE DIV 10\n"
    "FROM information_schema.GLOBAL_STATUS s JOIN information_schema.PROCESSLIST p\n"
    "WHERE s.VARIABLE_NAME = 'INNODB_ONLINEDDL_PCT_PROGRESS' AND p.STATE = 'altering table'\n"
    "  AND p.DB = {schema_text} AND INSTR(p.INFO, {shadow_text}) > 0";

static const char *long_work(const struct facts *facts)
{
    return facts->lists_processes_well ? stages : online_ddl;
}

const struct shadow_dialect mysql_shadow = {
    .long_work = long_work,
    .create = create,
    .rehearse = rehearse,
    .rehearse_end = rehearse_end,
    .prepare = prepare,
    .build = build,
    .analyze = analyze,
    .is_ours = is_ours,
    .drop = drop,
};
