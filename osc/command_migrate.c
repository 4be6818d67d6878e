#include <inttypes.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/human.h"
#include "osc/base/log.h"
#include "osc/command_bodies.h"
#include "osc/output.h"
#include "osc/reporter.h"
#include "osc/serve/serve.h"
#include "osc/state.h"

typedef bool migrate_function(const struct request *request, uint64_t *id, struct error *err);

/* Runs it with its progress shown. */
static bool carry_out(struct run *run, const struct request *request, migrate_function *function,
                      struct error *err)
{
    struct reporter *reporter = NULL;

    if (!run->options.quiet) {
        reporter = reporter_start(request->progress, &run->options, err);
        if (!reporter)
            return false; /* uncovered: the system has room for one more thread */
    }
    struct serve *serve = serve_start(request, err);
    const bool good = serve && function(request, &run->id, err);
    if (serve)
        serve_stop(serve, good);
    reporter_stop(reporter);
    return good;
}

/* ---- alter and resume ---- */

/* The row of the migration that has just ended; NULL when it cannot be had. */
static const struct state_row *find_row(struct run *run, const struct request *request,
                                        const char *table, uint64_t id)
{
    struct error err = ERROR_INIT;
    struct state_row *rows = NULL;
    const struct state_row *found = NULL;
    size_t n = 0;
    struct db *db = db_open(request->dsn, "summary", &err);

    if (db && !state_list(db, request->schema, run->arena, &rows, &n, &err))
        LOG(LOG_DEBUG, "no summary", F("error", err.text));
    for (size_t i = 0; i < n && !found; i++)
        if (rows[i].id == id && strcmp(rows[i].table, table) == 0)
            found = &rows[i];
    db_close(db);
    return found;
}

static bool print_done(struct run *run, const struct request *request, uint64_t started_ms,
                       struct error *err)
{
    const struct progress *progress = request->progress;
    const char *table = atomic_load(&progress->table);
    const struct state_row *row = find_row(run, request, table, run->id);
    const char *retired = row ? row->retired : "";
    const uint64_t rows = atomic_load(&progress->rows_copied);
    const uint64_t took_ms = clock_ms() - started_ms;
    AUTO(text) out = TEXT_INIT;

    if (run->options.json)
        return output_json(json_pack("{s:s, s:I, s:o, s:I, s:f, s:o}", "event", "done", "id",
                                     (json_int_t)run->id, "table", output_string(table),
                                     "rows_copied", (json_int_t)rows, "seconds",
                                     (double)took_ms / 1000, "retired", output_string(retired)),
                           err);
    text_printf(&out, "%s: migrated in %s, ", table, human_duration(took_ms).text);
    if (rows) /* a resumed run may have found all of them copied */
        text_printf(&out, "%s rows copied, ", human_count(rows).text);
    text_printf(&out, "migration %" PRIu64 "\n", run->id);
    if (*retired)
        text_printf(&out, "%s holds the table as it was: osc finish %" PRIu64 " drops it\n",
                    retired, run->id);
    return output_text(&out, err);
}

static bool migrate_and_tell(struct run *run, const struct request *request,
                             migrate_function *function, struct error *err)
{
    const uint64_t started_ms = clock_ms();

    return carry_out(run, request, function, err) && print_done(run, request, started_ms, err);
}

bool command_alter(struct run *run, struct error *err)
{
    struct request request;

    if (run->options.dry_run)
        return command_plan(run, err);
    if (!command_request(run, &request, err) ||
        !command_table(run, run->words.list[0], &request.schema, &request.table, err))
        return false;
    request.alter = run->words.list[1];
    atomic_store(&request.progress->table, request.table);
    return migrate_and_tell(run, &request, migrate, err);
}

bool command_resume(struct run *run, struct error *err)
{
    struct request request;

    return command_request(run, &request, err) &&
           command_id(run, &request.schema, &request.table, err) &&
           migrate_and_tell(run, &request, migrate_resume, err);
}

/* ---- abort and finish ---- */

static bool end_and_tell(struct run *run, migrate_function *function, const char *outcome,
                         struct error *err)
{
    struct request request;
    AUTO(text) out = TEXT_INIT;

    if (!command_request(run, &request, err) ||
        !command_id(run, &request.schema, &request.table, err) ||
        !function(&request, &run->id, err))
        return false;
    if (run->options.json)
        return output_json(
            json_pack("{s:s, s:I}", "event", run->command->name, "id", (json_int_t)run->id), err);
    if (run->id)
        text_printf(&out, "migration %" PRIu64 ": %s\n", run->id, outcome);
    else
        text_printf(&out, "%s: nothing of osc is left\n", request.table);
    return output_text(&out, err);
}

bool command_abort(struct run *run, struct error *err)
{
    return end_and_tell(run, migrate_abort, "aborted; the table is as it was", err);
}

bool command_finish(struct run *run, struct error *err)
{
    return end_and_tell(run, migrate_finish, "finished; the retired table is gone", err);
}
