#include <inttypes.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/human.h"
#include "osc/command_bodies.h"
#include "osc/db/dialect.h"
#include "osc/output.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/reporter.h"
#include "verifier/verdict.h"
#include "verifier/verifier.h"

enum { MOST_KEPT = 100, MOST_SHOWN = 20 };

/* What is compared, and how it went. */
struct comparison {
    struct request request;
    struct plan plan;
    bool has_journal; /* a migration is under way: rows in flight are excused */
    struct verdict verdict;
    uint64_t took_ms;
};

static bool load_two_tables(struct run *run, struct comparison *c, struct db *db, struct error *err)
{
    const struct catalog_dialect *catalog = db_dialect(db)->catalog;
    const char *schema = NULL, *name = NULL;
    struct table *left = NULL, *right = NULL;

    return catalog->load(db, c->request.schema, c->request.table, run->arena, &left, err) &&
           command_table(run, run->words.list[1], &schema, &name, err) &&
           catalog->load(db, schema, name, run->arena, &right, err) &&
           plan_comparison(&c->plan, db, left, right, err);
}

/* The facts in a plan belong to the connection they came from: it stays open meanwhile. */
static bool load(struct run *run, struct comparison *c, struct db *db, struct error *err)
{
    uint64_t id = 0;

    c->plan.arena = run->arena;
    if (run->words.count == 2)
        return load_two_tables(run, c, db, err);
    c->has_journal = true;
    if (migrate_load(&c->request, db, &id, &c->plan, err))
        return true;
    if (err->kind == ERROR_USAGE)
        (void)error_hint(err, "to compare it with another table: osc verify %s OTHER",
                         run->words.list[0]);
    return false;
}

static bool compare(struct run *run, struct comparison *c, struct error *err)
{
    struct progress *progress = c->request.progress;
    const unsigned threads = options_threads(&run->options);
    const struct throttle_job pace = {
        .dsn = c->request.dsn,
        .progress = progress,
        .threads = threads,
        .minds_company = !run->options.threads,
    };
    struct throttle *throttle = throttle_start(&pace, err);
    const struct verify_job job = {
        .plan = &c->plan,
        .dsn = c->request.dsn,
        .throttle = throttle,
        .threads = threads,
        .chunk_time_ms = run->options.chunk_time_ms,
        .cancel = run->cancel,
        .progress = progress,
        .has_journal = c->has_journal,
        .max_reported = MOST_KEPT,
    };
    struct reporter *reporter = NULL;
    const uint64_t started_ms = clock_ms();

    atomic_store(&progress->table, c->plan.source->name);
    atomic_store(&progress->step, "verify");
    atomic_store(&progress->rows_expected, c->plan.source->rows_estimate);
    if (throttle && !run->options.quiet && !run->options.json)
        reporter = reporter_start(progress, &run->options, err);
    const bool good = err->kind == ERROR_NONE && verify_tables(&job, run->arena, &c->verdict, err);
    reporter_stop(reporter);
    throttle_stop(throttle);
    c->took_ms = clock_ms() - started_ms;
    return good;
}

/* ---- the verdict ---- */

/* Columns of `table` that the other one has under no name we know. */
static void list_unmatched(struct text *out, const struct plan *plan, const struct table *table)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *column = &table->columns[i];
        bool is_matched = column->is_generated;
        for (size_t m = 0; m < plan->n_map && !is_matched; m++)
            is_matched = plan->map[m].from == column || plan->map[m].to == column;
        if (!is_matched)
            text_printf(out, "%s%s.%s", out->length ? ", " : "", table->name, column->name);
    }
}

static const char *unmatched_columns(const struct comparison *c)
{
    AUTO(text) list = TEXT_INIT;

    list_unmatched(&list, &c->plan, c->plan.source);
    list_unmatched(&list, &c->plan, c->plan.shadow);
    return arena_string(c->plan.arena, list.bytes);
}

static bool tell_text(const struct comparison *c, struct error *err)
{
    const char *unmatched = unmatched_columns(c);
    AUTO(text) out = TEXT_INIT;

    verdict_text(&c->plan, &c->verdict, MOST_SHOWN, &out);
    text_printf(&out, "took %s\n", human_duration(c->took_ms).text);
    if (*unmatched)
        text_printf(&out, "not compared: %s\n", unmatched);
    return output_text(&out, err);
}

static bool tell_json(const struct comparison *c, struct error *err)
{
    AUTO(text) line = TEXT_INIT;

    verdict_json(&c->plan, &c->verdict, &line);
    json_t *object = json_loads(line.bytes, 0, NULL);
    json_object_set_new(object, "event", json_string("verified"));
    json_object_set_new(object, "seconds", json_real((double)c->took_ms / 1000));
    json_object_set_new(object, "not_compared", output_string(unmatched_columns(c)));
    return output_json(object, err);
}

bool command_verify(struct run *run, struct error *err)
{
    struct comparison *c = ARENA_NEW(run->arena, struct comparison);

    if (!command_request(run, &c->request, err) ||
        !command_table(run, run->words.list[0], &c->request.schema, &c->request.table, err))
        return false;
    struct db *db = db_open(c->request.dsn, "verify", err);
    const bool good = db && load(run, c, db, err) && compare(run, c, err) &&
                      (run->options.json ? tell_json(c, err) : tell_text(c, err));
    db_close(db);
    if (good && !c->verdict.is_equal)
        return error_set(err, ERROR_DIVERGED, "%s and %s differ in %" PRIu64 " rows",
                         run->words.list[0], c->plan.shadow->name, c->verdict.differing);
    return good;
}
