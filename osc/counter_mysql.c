/*
 * Where innodb_autoinc_lock_mode is not 2, an INSERT … SELECT holds the lock of the table's counter
 * until it ends, even if it names every number (MySQL manual, "AUTO_INCREMENT Handling in
 * InnoDB"): two copy workers are slower than one.  So the shadow has no counter during the
 * backfill.  To add one to a filled table would write every row again, but a partition may change
 * places with a table that differs in nothing else: the shadow is one partition for as long, and
 * {plain}, which has the counter, takes its rows.
 */
#include "osc/counter_mysql.h"

#include <string.h>

#include "osc/base/fail.h"
#include "osc/base/log.h"
#include "osc/db/driver.h"
#include "osc/indexes_mysql.h"
#include "osc/plan/catalog_mysql.h"
#include "osc/plan/identity_mysql.h"

static const char exchange[] = "ALTER TABLE {shadow} EXCHANGE PARTITION p0 WITH TABLE {plain}";

/* The name of the retired table is free until the swap. */
static const char rename[] =
    "RENAME TABLE {shadow} TO {retired}, {plain} TO {shadow}, {retired} TO {plain}";

static const char drop_plain[] = "DROP TABLE IF EXISTS {plain}";

bool counter_carry(struct db *db, const struct plan *plan, struct error *err)
{
    uint64_t source = 0, shadow = 0;

    if (!mysql_next_value(db, plan->source->quoted, &source, err) ||
        !mysql_next_value(db, sql_lookup(&plan->env, "shadow"), &shadow, err))
        return false;
    if (source <= shadow || !table_automatic(plan->shadow))
        return true;
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    sql_bind_u64(&env, "next", source);
    const bool good = sql_exec(db, "ALTER TABLE {shadow} AUTO_INCREMENT = {next}", &env, NULL, err);
    arena_free(arena);
    return good;
}

/* ---- in a definition ---- */

/* The attribute, outside of what stands in quotes; NULL: the line has none. */
static const char *attribute(const struct line *line)
{
    static const char word[] = " AUTO_INCREMENT";
    const char *end = line->start + line->length;
    char quote = '\0';

    if (line->length < 3 || strncmp(line->start, "  `", 3) != 0)
        return NULL;
    for (const char *at = line->start; at < end; at++) {
        if (quote == '\'' && *at == '\\')
            at++;
        else if (quote)
            quote = *at == quote ? '\0' : quote;
        else if (*at == '\'' || *at == '`')
            quote = *at;
        else if ((size_t)(end - at) >= strlen(word) && strncmp(at, word, strlen(word)) == 0)
            return at;
    }
    return NULL;
}

/* What comes before the attribute, and what comes behind. */
struct halves {
    struct line first, second;
};

static bool split(const char *definition, struct halves *halves)
{
    const char *at = definition_body(definition);
    struct line line;

    while (next_line(&at, &line)) {
        const char *found = attribute(&line);
        if (!found)
            continue;
        const char *behind = found + strlen(" AUTO_INCREMENT");
        halves->first = (struct line){line.start, (size_t)(found - line.start)};
        halves->second = (struct line){behind, (size_t)(line.start + line.length - behind)};
        return true;
    }
    return false;
}

const char *counter_definition_without(const char *definition, struct arena *arena)
{
    struct halves halves;

    if (!split(definition, &halves))
        return NULL;
    const char *found = halves.first.start + halves.first.length;
    return arena_printf(arena, "%.*s%s", (int)(found - definition), definition,
                        halves.second.start);
}

/* ---- off, and back ---- */

/* Its rows are not all that moves with a table. */
static bool has_fulltext(const char *definition)
{
    const char *at = definition_body(definition);
    struct line line;

    while (next_line(&at, &line))
        if (strncmp(line.start, "  FULLTEXT", strlen("  FULLTEXT")) == 0)
            return true;
    return false;
}

/* The counter must not be what gives a copied row its number. */
static bool is_copied(const struct plan *plan)
{
    const struct column *automatic = table_automatic(plan->source);

    for (size_t i = 0; i < plan->n_map; i++)
        if (automatic && plan->map[i].from == automatic)
            return plan->map[i].to->is_automatic;
    return false;
}

/* Nor further than the source's, as the ALTER can set it: no row would tell that any more. */
static bool is_worth_it(struct db *db, const struct plan *plan, const char *definition, bool *worth,
                        struct error *err)
{
    uint64_t source = 0, shadow = 0;
    struct halves halves;

    *worth = false;
    if (!plan->facts->counter_takes_turns || !is_copied(plan) || !split(definition, &halves) ||
        has_fulltext(definition))
        return true;
    if (!mysql_next_value(db, plan->source->quoted, &source, err) ||
        !mysql_next_value(db, sql_lookup(&plan->env, "shadow"), &shadow, err))
        return false;
    *worth = shadow <= source;
    return true;
}

/*
 * Both are empty: whether the server lets rows change places is known before there are any.
 * What comes of it is written anew: a file that belonged to a table with a counter has it in the
 * root of its tree, which the server then locks for each row.
 */
static bool without(struct db *db, const struct plan *plan, const char *definition,
                    struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    struct halves halves = {
        .first = {"", 0},
          .second = {"", 0}
    };

    split(definition, &halves);
    sql_bind_sql(&env, "column",
                 arena_printf(arena, "%.*s%.*s", (int)halves.first.length, halves.first.start,
                              (int)halves.second.length, halves.second.start));
    const bool good =
        sql_exec(db,
                 "ALTER TABLE {shadow} MODIFY COLUMN {column}, ALGORITHM=COPY"
                 " PARTITION BY KEY () PARTITIONS 1",
                 &env, NULL, err) &&
        sql_exec(db, exchange, &plan->env, NULL, err) &&
        sql_exec(db, "ALTER TABLE {shadow} FORCE, ALGORITHM=COPY", &plan->env, NULL, err);
    arena_free(arena);
    return good;
}

bool counter_take_off(struct db *db, const struct plan *plan, const char *definition,
                      struct error *err)
{
    bool worth = false;

    if (!is_worth_it(db, plan, definition, &worth, err) || !worth)
        return err->kind == ERROR_NONE;
    if (!sql_exec(db, drop_plain, &plan->env, NULL, err) ||
        !sql_exec(db, "CREATE TABLE {plain} LIKE {shadow}", &plan->env, NULL, err))
        return false;
    FAILPOINT("plain-made");
    if (without(db, plan, definition, err))
        return true;
    if (err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT)
        return false;
    LOG(LOG_INFO, "the shadow keeps its counter: copy workers take turns",
        F("table", plan->names.shadow), F("error", err->text));
    error_clear(err);
    return sql_exec(db, "DROP TABLE {shadow}", &plan->env, NULL, err) &&
           sql_exec(db, "RENAME TABLE {plain} TO {shadow}", &plan->env, NULL, err);
}

static bool has_rows(struct db *db, const struct plan *plan, const char *query, bool *has,
                     struct error *err)
{
    struct arena *arena = arena_new();
    uint64_t found = 0;
    const bool good = db_value_u64(db, &found, sql_renders(arena, query, &plan->env), err);

    *has = found > 0;
    arena_free(arena);
    return good;
}

/* The rows are in one of the two: those of the other are nobody's. */
static bool take_rows(struct db *db, const struct plan *plan, struct error *err)
{
    bool in_shadow = false, in_plain = false;

    if (db->is_rehearsal)
        return sql_exec(db, exchange, &plan->env, NULL, err);
    if (!has_rows(db, plan, "SELECT EXISTS (SELECT 1 FROM {shadow} AS t)", &in_shadow, err) ||
        !has_rows(db, plan, "SELECT EXISTS (SELECT 1 FROM {plain} AS t)", &in_plain, err))
        return false;
    if (in_shadow && in_plain) {
        error_set(err, ERROR_SERVER, "somebody has written into %s", plan->names.plain);
        return error_hint(err, "osc abort, then start again");
    }
    if (!in_plain && !sql_exec(db, exchange, &plan->env, NULL, err))
        return false;
    FAILPOINT("rows-taken");
    return true;
}

static bool is_off(struct db *db, const struct plan *plan, bool *off, struct error *err)
{
    struct arena *arena = arena_new();
    struct halves halves;
    const char *now = NULL;
    const bool good = mysql_definition(db, sql_lookup(&plan->env, "shadow"), arena, &now, err);

    *off = good && !split(now, &halves);
    arena_free(arena);
    return good;
}

bool counter_put_back(struct db *db, const struct plan *plan, const char *definition,
                      struct error *err)
{
    struct halves halves;
    bool off = false;

    if (!split(definition, &halves))
        return true;
    if (!(db->is_rehearsal ? is_worth_it(db, plan, definition, &off, err)
                           : is_off(db, plan, &off, err)))
        return false;
    if (db->is_rehearsal && !off)
        return true;
    if (off && (!take_rows(db, plan, err) || !sql_exec(db, rename, &plan->env, NULL, err)))
        return false;
    FAILPOINT("plain-renamed");
    return (!off && !plan->facts->counter_takes_turns) ||
           sql_exec(db, drop_plain, &plan->env, NULL, err);
}
