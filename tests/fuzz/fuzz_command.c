/* A command line, one word per line: options, command, names of tables and numbers of migrations.
 */
#include "osc/command_bodies.h"
#include "osc/options_table.h"
#include "tests/fuzz/fuzz.h"

enum { MOST_WORDS = 12 };

/* What shapes a migration survives being remembered with it. */
static void must_be_remembered(const struct options *options, struct arena *arena)
{
    AUTO(text) saved = TEXT_INIT;
    AUTO(text) again = TEXT_INIT;
    struct options recalled = *options;
    struct error err = ERROR_INIT;

    options_save(options, &saved);
    memset(recalled.said, 0, sizeof recalled.said);
    must(options_recall(&recalled, saved.bytes, arena, &err));
    options_save(&recalled, &again);
    must(strcmp(saved.bytes, again.bytes) == 0);
}

static void try_names(struct run *run)
{
    const char *schema, *table;
    struct error err = ERROR_INIT;

    for (size_t i = 0; i < run->words.count; i++) {
        if (command_table(run, run->words.list[i], &schema, &table, &err))
            must(*table && (!schema || *schema));
        else
            must(err.kind == ERROR_USAGE);
    }
    if (!command_id(run, &schema, &table, &err))
        must(err.kind == ERROR_USAGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[MOST_WORDS + 2] = {NULL}, *kept[MOST_WORDS + 1];
    int argc = 0;
    struct run run = {.arena = arena_new()};
    struct error err = ERROR_INIT;

    kept[argc++] = must_alloc(4);
    while (size && argc <= MOST_WORDS)
        kept[argc++] = fuzz_string(&data, &size, false);
    memcpy(argv, kept, sizeof *argv * (size_t)argc);
    if (command_parse(&run, argc, argv, &err)) {
        must_be_remembered(&run.options, run.arena);
        try_names(&run);
    } else {
        must(err.kind == ERROR_USAGE && *err.text);
    }
    for (int i = 0; i < argc; i++)
        free(kept[i]);
    arena_free(run.arena);
    return 0;
}
