/*
 * A row of the state table, as anybody may have changed it: first line the
 * watermark, second the options, third the progress, the rest what is deferred.
 */
#include "copier/chunker.h"
#include "osc/db/dialect.h"
#include "osc/indexes_mysql.h"
#include "osc/migration_view.h"
#include "osc/options.h"
#include "osc/statements.h"
#include "tests/fuzz/fuzz.h"

static void try_watermark(const char *watermark, const struct plan *plan, struct arena *arena)
{
    struct error err = ERROR_INIT;

    for (int is_numeric = 0; is_numeric < 2; is_numeric++) {
        const struct extent extent = {.is_numeric = is_numeric, .first = 3, .last = 3000};
        struct chunker *chunker = chunker_new(plan, &extent, 3, watermark, &err);
        if (!chunker) {
            must(err.kind == ERROR_SYSTEM);
            continue;
        }
        /* What was read is what would be written. */
        const char *saved = chunker_watermark(chunker, arena);
        struct chunker *again = chunker_new(plan, &extent, 3, saved, &err);
        must(again && strcmp(chunker_watermark(again, arena), saved) == 0);
        chunker_free(again);
        if (chunker_is_numeric(chunker)) { /* as the watermark says */
            struct chunk chunk = {.arena = arena_new()};
            bool found = true;
            for (int i = 0; found && i < 5; i++) {
                must(chunker_take(chunker, 0, NULL, 500, &chunk, &found, &err));
                must(!found || chunk.from <= chunk.to);
                if (found)
                    chunker_done(chunker, 0, &chunk);
            }
            arena_free(chunk.arena);
        }
        chunker_free(chunker);
    }
}

static void try_options(const char *options, struct arena *arena)
{
    struct options recalled = {.threads = 1};
    struct error err = ERROR_INIT;

    if (!options_recall(&recalled, options, arena, &err))
        must(*err.text);
}

static void try_progress(const char *progress, const char *stamp, struct arena *arena)
{
    const struct state_row row = {
        .schema = "s",
        .table = "t",
        .alter = "",
        .options = "",
        .paused = "",
        .let_go = "",
        .step = "copy",
        .status = "running",
        .progress = progress,
        .wish = "",
        .error = "",
        .retired = "",
        .host = "h",
        .version = "",
        .started = stamp,
        .updated = stamp,
        .finished = stamp,
    };
    struct migration_view view;
    AUTO(text) line = TEXT_INIT;

    migration_view_read(&view, &row, "t", arena);
    json_decref(migration_view_json(&view));
    progress_line(&line, &view.progress, 80, true);
}

static void try_deferred(const char *deferred, struct arena *arena)
{
    struct error err = ERROR_INIT;
    struct deferral deferral;
    struct statements statements = {.arena = arena};
    json_t *json = json_loads(deferred, 0, NULL);

    if (statements_load(&statements, json_object_get(json, "finish"), &err))
        for (size_t i = 0; i < statements.n; i++)
            must(statements.list[i]);
    json_decref(json);
    if (deferral_load(deferred, arena, &deferral, &err)) {
        (void)definition_is_same(deferral.definition, deferral.definition);
        for (const struct index_line *index = deferral.indexes; index; index = index->next)
            must(index->name && index->text);
    } else {
        must(err.kind == ERROR_SYSTEM);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct column columns[] = {
        {.name = "a", .quoted = "a"},
        {.name = "b", .quoted = "b"}
    };
    const struct column *of_key[] = {&columns[0], &columns[1]};
    const struct key key = {.n_columns = 2, .columns = of_key};
    struct plan plan = {
        .arena = arena, .dialect = &mysql_dialect, .key = &key, .key_keeps_order = true};
    char *watermark = fuzz_string(&data, &size, false);
    char *options = fuzz_string(&data, &size, false);
    char *progress = fuzz_string(&data, &size, false);
    char *deferred = fuzz_string(&data, &size, true);

    try_watermark(watermark, &plan, arena);
    try_options(options, arena);
    try_progress(progress, options, arena);
    try_deferred(deferred, arena);
    free(watermark);
    free(options);
    free(progress);
    free(deferred);
    arena_free(arena);
    return 0;
}
