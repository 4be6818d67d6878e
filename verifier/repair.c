#include "verifier/verifier.h"

#include "osc/base/clock.h"
#include "osc/db/dialect.h"
#include "osc/plan/catalog_dialect.h"

enum { MOST_TRIES = 10 };

/* Rows in flight are journalled once more: that does no harm. */
static const char journal_missing_and_changed[] =
    "INSERT INTO {journal} ({journal_columns})\n"
    "SELECT {key} FROM {only_source} AS t{source_force} WHERE {source_range}\n"
    "  AND NOT EXISTS (SELECT 1 FROM {only_shadow} AS s\n"
    "    WHERE {shadow_is_source} AND {shadow_range} AND {shadow_hash} = {source_hash})";

static const char journal_extra[] =
    "INSERT INTO {journal} ({journal_columns})\n"
    "SELECT {shadow_key_as_source} FROM {only_shadow} AS s WHERE {shadow_range}\n"
    "  AND NOT EXISTS (SELECT 1 FROM {only_source} AS t WHERE {shadow_is_source}"
    " AND {source_range})";

static const char *shadow_key_as_source(const struct plan *plan, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (size_t i = 0; i < plan->key->n_columns; i++) {
        const struct column *from = plan->shadow_key[i];
        const char *ref = arena_printf(arena, "s.%s", from->quoted);
        text_printf(&out, "%s%s", i ? ", " : "",
                    plan->dialect->catalog->convert(from, plan->key->columns[i], ref, arena));
    }
    return arena_copy(arena, out.bytes, out.length);
}

static bool insert_keys(struct db *db, const char *template, const struct sql_env *env,
                        struct cancel *cancel, uint64_t *entries, struct error *err)
{
    uint64_t inserted = 0;

    for (unsigned attempt = 0; !sql_exec(db, template, env, &inserted, err); attempt++) {
        /* uncovered: a deadlock of journal writes, which no test arranges */
        if (err->kind != ERROR_TRANSIENT || attempt == MOST_TRIES ||
            !cancel_sleep_ms(cancel, backoff_ms(attempt, 20, 2000)))
            return false;
        error_clear(err); /* uncovered: the same */
    }
    *entries += inserted;
    return true;
}

static bool repair_ranges(struct db *db, const struct verify_job *job,
                          const struct verdict *verdict, struct sql_env *env, uint64_t *entries,
                          struct error *err)
{
    struct arena *arena = arena_new();
    bool good = true;

    for (const struct divergent_range *r = verdict->ranges; good && r; r = r->next) {
        struct sql_env range_env = {.arena = arena, .outer = env};
        digest_bind_range(job->plan, &range_env, &r->range, false);
        good =
            cancel_check(job->cancel, err) &&
            insert_keys(db, journal_missing_and_changed, &range_env, job->cancel, entries, err) &&
            insert_keys(db, journal_extra, &range_env, job->cancel, entries, err);
        arena_reset(arena);
    }
    arena_free(arena);
    return good;
}

bool verify_repair(const struct verify_job *job, const struct verdict *verdict, uint64_t *entries,
                   struct error *err)
{
    if (verdict->has_more_ranges)
        return error_set(err, ERROR_DIVERGED, "%s differs too much from %s to be repaired",
                         job->plan->shadow->quoted, job->plan->source->quoted);
    struct db *db = db_open_patiently(job->dsn, "repair", job->cancel, err);
    if (!db)
        return false; /* uncovered: the server goes away between verification and repair */
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &job->plan->env};
    uint64_t journalled = 0;

    digest_bind(job->plan, &env);
    sql_bind_sql(&env, "shadow_key_as_source", shadow_key_as_source(job->plan, arena));
    const bool good = repair_ranges(db, job, verdict, &env, &journalled, err);
    arena_free(arena);
    db_close(db);
    if (!good)
        /* uncovered: the same */
        return error_prefix(err, "journalling the keys that differ");
    *entries = journalled;
    return true;
}
