#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "osc/base/columns.h"
#include "osc/base/human.h"
#include "osc/command_bodies.h"
#include "osc/command_status.h"
#include "osc/migration_view.h"
#include "osc/output.h"

/* What the operator types for this row: its number, with the schema where two have the same. */
static const char *name_of(const struct state_row *rows, size_t n, const struct state_row *row,
                           struct arena *arena)
{
    for (size_t i = 0; i < n; i++)
        if (&rows[i] != row && rows[i].id == row->id)
            return arena_printf(arena, "%s.%" PRIu64, row->schema, row->id);
    return arena_printf(arena, "%" PRIu64, row->id);
}

/* The rows that `wanted` keeps, as the state tables of this server hold them. */
static bool load(struct run *run, const char *schema,
                 bool (*wanted)(const struct migration_view *view), struct migration_view **views,
                 size_t *n, struct error *err)
{
    struct request request;
    struct state_row *rows = NULL;
    size_t n_rows = 0;

    *n = 0;
    if (!command_request(run, &request, err))
        return false;
    struct db *db = db_open(request.dsn, "status", err);
    const bool good = db && state_list(db, schema, run->arena, &rows, &n_rows, err);
    db_close(db);
    if (!good)
        return false;
    *views = ARENA_ARRAY(run->arena, struct migration_view, n_rows + 1);
    for (size_t i = 0; i < n_rows; i++) {
        migration_view_read(&(*views)[*n], &rows[i], name_of(rows, n_rows, &rows[i], run->arena),
                            run->arena);
        if (wanted(&(*views)[*n]))
            ++*n;
    }
    return true;
}

bool status_json(const struct migration_view *views, size_t n, struct error *err)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, migration_view_json(&views[i]));
    return output_json(json_pack("{s:o}", "migrations", list), err);
}

/* ---- status ---- */

static const char *progress_cell(const struct migration_view *view, struct arena *arena)
{
    const struct progress_view *progress = &view->progress;
    AUTO(text) cell = TEXT_INIT;

    if (progress->fraction >= 0 && view->life != LIFE_SWAPPED)
        text_printf(&cell, "%.1f%% of %s rows", progress->fraction * 100,
                    human_count(progress->rows_expected).text);
    if (view->life == LIFE_RUNNING && progress->backlog)
        text_printf(&cell, "%sbacklog %s", cell.length ? ", " : "",
                    human_count(progress->backlog).text);
    if (view->life == LIFE_RUNNING && progress->replicas) {
        text_add(&cell, cell.length ? ", " : "");
        progress_lag(&cell, progress);
    }
    return arena_string(arena, cell.bytes);
}

static void add_throttle(struct text *notes, const struct throttle_view *throttle)
{
    const size_t before = notes->length;

    throttle_view_words(notes, throttle);
    if (notes->length > before)
        text_add(notes, "\n");
    throttle_view_signals(notes, throttle);
}

static const char *notes_of(const struct migration_view *view, struct arena *arena)
{
    const struct state_row *row = view->row;
    AUTO(text) notes = TEXT_INIT;

    text_printf(&notes, "%s\n", row->alter);
    if (*row->error)
        text_printf(&notes, "error: %s\n", row->error);
    text_printf(&notes, "%s\n", view->situation);
    if (view->life == LIFE_RUNNING)
        add_throttle(&notes, &view->progress.throttle);
    if (*view->next)
        text_printf(&notes, "next: %s\n", view->next);
    return arena_string(arena, notes.bytes);
}

static void print_status(struct run *run, const struct migration_view *views, size_t n,
                         struct text *out)
{
    static const char *const heading[] = {"ID", "TABLE", "STATE", "STEP", "PROGRESS", "STARTED"};
    struct arena *arena = run->arena;
    struct columns columns;

    if (!n) {
        text_add(out, "No migration is under way. osc history shows what ran before.\n");
        return;
    }
    columns_start(&columns, arena, ARRAY_SIZE(heading), heading);
    for (size_t i = 0; i < n; i++) {
        const struct migration_view *view = &views[i];
        const struct state_row *row = view->row;
        columns_row(&columns,
                    (const char *[]){
                        view->name,
                        arena_printf(arena, "%s.%s", row->schema, row->table),
                        life_name(view->life),
                        view->life == LIFE_SWAPPED ? "done"
                        : view->progress.steps
                            ? arena_printf(arena, "%u/%u %s", view->progress.step_number,
                                           view->progress.steps, row->step)
                            : row->step,
                        progress_cell(view, arena),
                        arena_printf(arena, "%s ago", human_eta(row->age_s).text),
                    },
                    notes_of(view, arena));
    }
    columns_print(&columns, out);
}

static bool is_open(const struct migration_view *view)
{
    return view->life != LIFE_DONE;
}

static bool is_any(const struct migration_view *view)
{
    (void)view;
    return true;
}

/* Keeps only those of this number, and of this table if it is not NULL. */
static bool pick(struct migration_view *views, size_t *n, uint64_t id, const char *table,
                 struct error *err)
{
    size_t kept = 0;

    for (size_t i = 0; i < *n; i++)
        if ((!id || views[i].row->id == id) && (!table || strcmp(views[i].row->table, table) == 0))
            views[kept++] = views[i];
    *n = kept;
    if (kept || !id)
        return true;
    (void)error_set(err, ERROR_USAGE, "there is no migration %" PRIu64 " on this server", id);
    return error_hint(err, "osc history lists them all");
}

bool status_load(struct run *run, struct migration_view **views, size_t *n, struct error *err)
{
    const char *schema = NULL, *table = NULL;

    return command_id(run, &schema, &table, err) &&
           load(run, schema, run->id ? is_any : is_open, views, n, err) &&
           pick(*views, n, run->id, table, err);
}

bool command_status(struct run *run, struct error *err)
{
    struct migration_view *views = NULL;
    size_t n = 0;
    AUTO(text) out = TEXT_INIT;

    if (run->options.watch)
        return command_watch(run, err);
    if (!status_load(run, &views, &n, err))
        return false;
    if (run->options.json)
        return status_json(views, n, err);
    print_status(run, views, n, &out);
    return output_text(&out, err);
}

/* ---- history ---- */

enum { ALTER_WIDTH = 50 };

static const char *on_one_line(const char *words, struct arena *arena)
{
    AUTO(text) line = TEXT_INIT;

    human_wrap(&line, words, 0, SIZE_MAX);
    for (char *byte = line.bytes; *byte; byte++)
        *byte = *byte == '\n' ? ' ' : *byte;
    return human_cut(arena_string(arena, line.bytes), ALTER_WIDTH, arena);
}

bool command_history(struct run *run, struct error *err)
{
    static const char *const heading[] = {"ID",   "TABLE", "ENDED", "STARTED (UTC)",
                                          "TOOK", "HOST",  "ALTER"};
    struct arena *arena = run->arena;
    struct migration_view *views = NULL;
    struct columns columns;
    size_t n = 0;
    AUTO(text) out = TEXT_INIT;

    if (!load(run, NULL, is_any, &views, &n, err))
        return false;
    if (run->options.json)
        return status_json(views, n, err);
    columns_start(&columns, arena, ARRAY_SIZE(heading), heading);
    for (size_t i = 0; i < n; i++) {
        const struct state_row *row = views[i].row;
        columns_row(&columns,
                    (const char *[]){
                        views[i].name,
                        arena_printf(arena, "%s.%s", row->schema, row->table),
                        life_name(views[i].life),
                        arena_copy(arena, row->started, strcspn(row->started, ".+")),
                        views[i].took_s
                            ? arena_string(arena, human_duration(views[i].took_s * 1000).text)
                            : "",
                        row->host,
                        on_one_line(row->alter, arena),
                    },
                    "");
    }
    columns_print(&columns, &out);
    if (!n)
        text_add(&out, "Nothing has run here yet.\n");
    return output_text(&out, err);
}
