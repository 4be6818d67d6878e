#include "triggers/journal.h"

#include "osc/base/clock.h"
#include "osc/db/dialect.h"
#include "triggers/capture_dialect.h"

void journal_init(struct journal *journal, const struct plan *plan)
{
    *journal = (struct journal){.plan = plan, .places = arena_new()};
    journal_start_over(journal);
}

void journal_release(struct journal *journal)
{
    arena_free(journal->places);
    journal->places = NULL;
}

void journal_start_over(struct journal *journal)
{
    arena_reset(journal->places);
    journal->after = journal->plan->dialect->capture->first_place;
    journal->from_first = true;
}

static void go_on_after(struct journal *journal, const char *place)
{
    struct arena *fresh = arena_new();

    journal->after = arena_string(fresh, place);
    arena_free(journal->places);
    journal->places = fresh;
    journal->from_first = false;
}

bool journal_read(struct journal *journal, struct db *db, size_t limit, struct batch *batch,
                  struct arena *arena, struct error *err)
{
    struct sql_env env = {.arena = arena, .outer = &journal->plan->env};
    AUTO(rows) rows = ROWS_INIT;
    const uint64_t started = clock_us();
    const bool from_first = journal->from_first;
    const char *place = NULL;

    sql_bind_sql(&env, "after", journal->after);
    sql_bind_u64(&env, "limit", limit);
    batch->entries = ARENA_ARRAY(arena, struct entry, limit);
    batch->n = 0;
    if (!sql_query(db, &rows, journal->plan->dialect->capture->read, &env, err))
        return error_prefix(err, "reading the journal of %s", journal->plan->source->name);
    while (batch->n < limit && rows_next(&rows, err)) {
        struct entry *entry = &batch->entries[batch->n++];
        entry->id = arena_string(arena, rows_text(&rows, 0));
        entry->lane = (unsigned)(rows_u64(&rows, 1) & 0xffff);
        place = arena_string(arena, rows_text(&rows, 2));
    }
    if (err->kind != ERROR_NONE)
        /* uncovered: the connection breaks within the answer */
        return error_prefix(err, "reading the journal of %s", journal->plan->source->name);

    /*
     * At the end, either look again from the first place, which finds entries
     * of transactions that committed late, or, where consumed entries make that
     * slow, only once in ten times what it took.
     */
    batch->is_full_pass = from_first && batch->n < limit;
    if (from_first)
        journal->pass_us = clock_us() - started;
    if (batch->n == limit) {
        go_on_after(journal, place);
    } else if (clock_ms() >= journal->full_pass_due_ms) {
        journal_start_over(journal);
        journal->full_pass_due_ms = clock_ms() + journal->pass_us / 100;
    } else if (place) {
        go_on_after(journal, place);
    }
    return true;
}

const char *journal_condition(const struct plan *plan, const struct batch *batch, unsigned lane,
                              unsigned step, size_t *count, struct arena *arena)
{
    const struct capture_dialect *dialect = plan->dialect->capture;
    AUTO(text) out = TEXT_INIT;

    *count = 0;
    text_add(&out, dialect->entries_open);
    for (size_t i = 0; i < batch->n; i++) {
        if (batch->entries[i].lane % step != lane)
            continue;
        text_printf(&out, "%s%s", *count ? dialect->entries_separator : "", batch->entries[i].id);
        ++*count;
    }
    text_add(&out, dialect->entries_close);
    return arena_copy(arena, out.bytes, out.length);
}

bool journal_touches(struct db *db, const struct plan *plan, const struct bound *through,
                     bool *is_touched, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    const size_t n = plan->key->n_columns;
    struct column *columns = ARENA_ARRAY(arena, struct column, n);
    const struct column **key = ARENA_ARRAY(arena, const struct column *, n);
    uint64_t found = 0;

    for (size_t i = 0; i < n; i++) {
        columns[i].quoted = arena_printf(arena, "k%zu", i + 1);
        key[i] = &columns[i];
    }
    sql_bind_sql(&env, "range", range_condition(plan, "j", key, NULL, through, arena));
    const bool good = db_value_u64(
        db, &found,
        sql_renders(
            arena, "SELECT COUNT(*) FROM (SELECT 1 FROM {journal} AS j WHERE {range} LIMIT 1) AS e",
            &env),
        err);
    *is_touched = found > 0;
    arena_free(arena);
    return good;
}

bool journal_backlog(struct db *db, const struct plan *plan, uint64_t limit, uint64_t *entries,
                     struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    const struct capture_dialect *dialect = plan->dialect->capture;
    uint64_t guess = 0;

    sql_bind_u64(&env, "limit", limit);
    sql_bind_literal(&env, db, "in_schema", plan->source->schema);
    sql_bind_literal(&env, db, "named", plan->names.journal);
    bool good = db_value_u64(db, entries, sql_renders(arena, dialect->backlog, &env), err);
    if (good && *entries >= limit) {
        good = db_value_u64(db, &guess, sql_renders(arena, dialect->backlog_guess, &env), err);
        *entries = guess > limit ? guess : limit;
    }
    arena_free(arena);
    return good;
}

bool journal_tidy(struct db *db, const struct plan *plan, bool shrink, struct error *err)
{
    const char *statement = plan->dialect->capture->tidy;
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_sql(&env, "shrink", shrink ? "on" : "off");
    const bool good = !statement || sql_exec(db, statement, &env, NULL, err);
    arena_free(arena);
    return good;
}
