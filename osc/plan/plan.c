#include "osc/plan/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "osc/db/dialect.h"
#include "osc/plan/alter.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/plan/key.h"
#include "osc/plan/names.h"
#include "osc/plan/preflight_disk.h"

const struct column *table_column(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const struct column *table_automatic(const struct table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].is_automatic)
            return &table->columns[i];
    return NULL;
}

void plan_find(struct plan *plan, enum finding_level level, const char *check, const char *hint,
               const char *format, ...)
{
    struct finding *finding = ARENA_NEW(plan->arena, struct finding), **last = &plan->findings;
    char line[1200];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    finding->level = level;
    finding->check = check;
    finding->hint = hint ? hint : "";
    finding->text = arena_string(plan->arena, line);
    while (*last)
        last = &(*last)->next;
    *last = finding;
}

/* ERROR_REFUSED with one line for each refusal, or true. */
bool plan_refuse(const struct plan *plan, struct error *err)
{
    AUTO(text) lines = TEXT_INIT;
    const char *hint = "";

    for (const struct finding *f = plan->findings; f; f = f->next) {
        if (f->level != FINDING_REFUSAL)
            continue;
        text_printf(&lines, "\n  %s: %s", f->check, f->text);
        if (!*hint)
            hint = f->hint;
    }
    if (!lines.length)
        return true;
    error_set(err, ERROR_REFUSED, "%s cannot be migrated:%s", plan->source->quoted, lines.bytes);
    return error_hint(err, "%s", *hint ? hint : "nothing was changed");
}

/* ---- the environment of the templates ---- */

static void bind_table(struct plan *plan, struct db *db, const char *placeholder, const char *name)
{
    struct arena *arena = plan->arena;
    const char *quoted = db_quote_name(db, arena, name);
    const char *whole =
        arena_printf(arena, "%s.%s", db_quote_name(db, arena, plan->source->schema), quoted);

    sql_bind_sql(&plan->env, placeholder, whole);
    sql_bind_sql(&plan->env, arena_printf(arena, "%s_name", placeholder), quoted);
    sql_bind_sql(&plan->env, arena_printf(arena, "only_%s", placeholder),
                 arena_printf(arena, "%s%s", plan->dialect->catalog->only, whole));
}

static void bind_names(struct plan *plan, struct db *db)
{
    plan->env = (struct sql_env){.arena = plan->arena};
    sql_bind_name(&plan->env, db, "schema", plan->source->schema);
    bind_table(plan, db, "source", plan->source->name);
    bind_table(plan, db, "shadow", plan->names.shadow);
    bind_table(plan, db, "retired", plan->names.retired);
    bind_table(plan, db, "journal", plan->names.journal);
    bind_table(plan, db, "sentry", plan->names.sentry);
    bind_table(plan, db, "chunks", plan->names.chunks);
    bind_table(plan, db, "plain", plan->names.plain);
}

/* A plan may outlive the connection it was made on. */
static const struct facts *keep_facts(const struct plan *plan, const struct db *db)
{
    struct facts *facts = ARENA_NEW(plan->arena, struct facts);

    *facts = *db_facts(db);
    facts->vendor = arena_string(plan->arena, facts->vendor);
    facts->version = arena_string(plan->arena, facts->version);
    return facts;
}

/* What follows from the name alone. */
static void name_after(struct plan *plan, struct db *db, const struct table *source)
{
    plan->dialect = db_dialect(db);
    plan->facts = keep_facts(plan, db);
    plan->source = source;
    plan->table_key = arena_printf(plan->arena, "%s.%s", source->schema, source->name);
    names_derive(&plan->names, source->name, plan->facts, plan->arena);
    bind_names(plan, db);
}

bool plan_source(struct plan *plan, struct db *db, const char *schema, const char *table,
                 const char *alter, struct error *err)
{
    const struct catalog_dialect *catalog = db_dialect(db)->catalog;
    struct table *source = NULL;

    plan->alter = arena_string(plan->arena, alter);
    if (!alter_check(plan->alter, &catalog->alter_rules, err) ||
        !catalog->load(db, schema, table, plan->arena, &source, err))
        return false;
    name_after(plan, db, source);
    plan->key = key_choose(source);
    return true;
}

void plan_names(struct plan *plan, struct db *db, const char *schema, const char *table,
                const char *identity)
{
    struct table *source = ARENA_NEW(plan->arena, struct table);

    source->schema = schema;
    source->name = table;
    source->quoted = arena_printf(plan->arena, "%s.%s", db_quote_name(db, plan->arena, schema),
                                  db_quote_name(db, plan->arena, table));
    source->identity = identity;
    name_after(plan, db, source);
}

bool plan_preflight(struct plan *plan, struct db *db, struct error *err)
{
    const struct table *source = plan->source;

    plan->findings = NULL;
    for (const struct check *check = plan->dialect->catalog->checks; check->name; check++)
        if (!check->run(db, plan, err))
            return error_prefix(err, "preflight check %s", check->name);
    if (!plan->key)
        plan_find(plan, FINDING_REFUSAL, "migration-key",
                  "add a primary key, or a unique key over NOT NULL columns",
                  "no primary key and no unique key over NOT NULL columns%s%s",
                  source->n_keys ? ": " : "", source->n_keys ? source->keys[0].unusable : "");
    return preflight_disk(db, plan, err);
}

bool plan_check_primary(struct plan *plan, struct db *db, struct error *err)
{
    plan->findings = NULL;
    for (const struct check *check = plan->dialect->catalog->server_checks; check->name; check++)
        if (!check->run(db, plan, err))
            return error_prefix(err, "preflight check %s", check->name);
    for (const struct finding *finding = plan->findings; finding; finding = finding->next)
        if (finding->level == FINDING_REFUSAL) {
            error_set(err, ERROR_REFUSED, "%s", finding->text);
            return error_hint(err, "%s", finding->hint);
        }
    plan->findings = NULL;
    return true;
}

static const char *list_map(const struct plan *plan, bool values)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->n_map; i++)
        text_printf(&out, "%s%s", i ? ", " : "",
                    values ? plan->map[i].value : plan->map[i].to->quoted);
    return arena_copy(plan->arena, out.bytes, out.length);
}

/* One term per key column, joined: format(column of the source, its number from 1). */
static const char *list_key(const struct plan *plan, const char *separator,
                            const char *(*format)(const struct plan *plan, size_t i))
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++)
        text_printf(&out, "%s%s", i ? separator : "", format(plan, i));
    return arena_copy(plan->arena, out.bytes, out.length);
}

static const char *key_over_t(const struct plan *plan, size_t i)
{
    return arena_printf(plan->arena, "t.%s", plan->key->columns[i]->quoted);
}

static const char *journal_column(const struct plan *plan, size_t i)
{
    return arena_printf(plan->arena, "k%zu", i + 1);
}

static const char *journal_key(const struct plan *plan, size_t i)
{
    return arena_printf(plan->arena, "j.k%zu", i + 1);
}

static const char *shadow_key_column(const struct plan *plan, size_t i)
{
    return plan->shadow_key[i]->quoted;
}

static const char *source_is_entry(const struct plan *plan, size_t i)
{
    return arena_printf(plan->arena, "t.%s = j.k%zu", plan->key->columns[i]->quoted, i + 1);
}

/* The shadow's key equals `ref` of the source: to the byte where the shadow might call more keys
 * equal. */
static const char *shadow_equals(const struct plan *plan, size_t i, const char *ref)
{
    const struct catalog_dialect *catalog = plan->dialect->catalog;
    const struct column *from = plan->key->columns[i], *to = plan->shadow_key[i];
    const char *column = arena_printf(plan->arena, "s.%s", to->quoted);
    const char *value = catalog->convert(from, to, ref, plan->arena);
    const char *equal = arena_printf(plan->arena, "%s = %s", column, value);

    if (!plan->key_may_merge)
        return equal;
    return arena_printf(plan->arena, "%s AND %s", equal,
                        catalog->same_bytes(to, column, value, plan->arena));
}

static const char *shadow_is_entry(const struct plan *plan, size_t i)
{
    return shadow_equals(plan, i, journal_key(plan, i));
}

static const char *shadow_is_source(const struct plan *plan, size_t i)
{
    return shadow_equals(plan, i, key_over_t(plan, i));
}

/* What needs the shadow's columns. */
static void bind_map(struct plan *plan)
{
    struct sql_env *env = &plan->env;

    sql_bind_sql(env, "shadow_columns", list_map(plan, false));
    sql_bind_sql(env, "source_values", list_map(plan, true));
    sql_bind_sql(env, "key", list_key(plan, ", ", key_over_t));
    sql_bind_sql(env, "shadow_key", list_key(plan, ", ", shadow_key_column));
    sql_bind_sql(env, "shadow_key_column", shadow_key_column(plan, 0));
    sql_bind_sql(env, "journal_columns", list_key(plan, ", ", journal_column));
    sql_bind_sql(env, "journal_key", list_key(plan, ", ", journal_key));
    sql_bind_sql(env, "source_is_entry", list_key(plan, " AND ", source_is_entry));
    sql_bind_sql(env, "shadow_is_entry", list_key(plan, " AND ", shadow_is_entry));
    sql_bind_sql(env, "shadow_is_source", list_key(plan, " AND ", shadow_is_source));
    sql_bind_sql(env, "key_index", plan->key->quoted);
}

/* ---- what the mapping of source to shadow means ---- */

static void judge_key(struct plan *plan)
{
    const struct catalog_dialect *catalog = plan->dialect->catalog;

    plan->key_may_merge = false;
    plan->key_keeps_order = true;
    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *from = plan->key->columns[i], *to = plan->shadow_key[i];
        plan->key_may_merge |= !catalog->keeps_equality(from, to);
        plan->key_keeps_order &= catalog->keeps_order(from, to);
    }
    plan->copy_may_skip = plan->key_may_merge || plan->shadow->n_keys > 1;
}

static void judge_loss(struct plan *plan)
{
    AUTO(text) condition = TEXT_INIT;

    plan->silent_loss = NULL;
    for (size_t i = 0; i < plan->n_map; i++) {
        const struct mapping *mapping = &plan->map[i];
        if (mapping->is_users_expression)
            continue;
        const char *ref = arena_printf(plan->arena, "t.%s", mapping->from->quoted);
        const char *loss =
            plan->dialect->catalog->silent_loss(mapping->from, mapping->to, ref, plan->arena);
        if (loss)
            text_printf(&condition, "%s(%s)", condition.length ? " OR " : "", loss);
    }
    if (condition.length)
        plan->silent_loss = arena_copy(plan->arena, condition.bytes, condition.length);
}

bool plan_shadow(struct plan *plan, struct db *db, struct error *err)
{
    struct table *shadow = NULL;

    if (!plan->dialect->catalog->load(db, plan->source->schema, plan->names.shadow, plan->arena,
                                      &shadow, err))
        return error_prefix(err, "reading the shadow back");
    plan->shadow = shadow;
    if (!plan->dialect->catalog->map_columns(plan, err) || !key_choose_surviving(plan, err))
        return false;
    judge_key(plan);
    judge_loss(plan);
    bind_map(plan);
    return true;
}

bool plan_check_unverified(const struct plan *plan, bool is_verified, struct error *err)
{
    if (is_verified || !plan->key_may_merge)
        return true;
    error_set(err, ERROR_REFUSED,
              "the ALTER changes what the key of %s calls equal: --verify=none is unsafe",
              plan->source->quoted);
    return error_hint(err, "leave --verify=none out: rows that became one would not be noticed");
}

/* ---- two tables that exist already ---- */

static void map_by_name(struct plan *plan)
{
    plan->map = ARENA_ARRAY(plan->arena, struct mapping, plan->source->n_columns);
    plan->n_map = 0;
    for (size_t i = 0; i < plan->source->n_columns; i++) {
        const struct column *from = &plan->source->columns[i];
        const struct column *to = table_column(plan->shadow, from->name);
        if (!to)
            continue;
        plan->map[plan->n_map++] = (struct mapping){
            .from = from,
            .to = to,
            .value = arena_printf(plan->arena, "t.%s", from->quoted),
            .is_converted =
                strcmp(from->type, to->type) != 0 || strcmp(from->collation, to->collation) != 0,
        };
    }
}

bool plan_comparison(struct plan *plan, struct db *db, const struct table *left,
                     const struct table *right, struct error *err)
{
    plan->dialect = db_dialect(db);
    plan->facts = keep_facts(plan, db);
    plan->alter = "";
    plan->source = left;
    plan->shadow = right;
    plan->table_key = arena_printf(plan->arena, "%s.%s", left->schema, left->name);
    names_derive(&plan->names, left->name, plan->facts, plan->arena);
    map_by_name(plan);
    if (!key_choose_surviving(plan, err))
        return false;
    judge_key(plan);
    bind_names(plan, db);
    sql_bind_sql(&plan->env, "shadow", right->quoted);
    sql_bind_sql(&plan->env, "only_shadow",
                 arena_printf(plan->arena, "%s%s", plan->dialect->catalog->only, right->quoted));
    bind_map(plan);
    return true;
}

bool plan_check_source(const struct plan *plan, struct db *db, struct error *err)
{
    struct arena *arena = arena_new();
    const char *identity = NULL, *fingerprint = NULL;
    bool good =
        plan->dialect->catalog->identify(db, plan->source, arena, &identity, &fingerprint, err);

    if (good && strcmp(identity, plan->source->identity) != 0)
        good = error_set(err, ERROR_REFUSED,
                         "%s was truncated, rewritten or replaced while it was being migrated",
                         plan->source->quoted);
    else if (good && strcmp(fingerprint, plan->source->fingerprint) != 0)
        good = error_set(err, ERROR_REFUSED, "%s was altered by somebody else meanwhile",
                         plan->source->quoted);
    arena_free(arena);
    if (!good && err->kind == ERROR_REFUSED)
        error_hint(err, "osc abort, then start again");
    return good;
}
