/* The ALTER clauses, by the rules of both kinds of server. */
#include "osc/plan/alter.h"
#include "tests/fuzz/fuzz.h"

static void try_rules(const char *alter, bool has_backquotes)
{
    const struct alter_rules rules = {.has_backquotes = has_backquotes};
    const struct name_pair name = {.from = "a", .to = "a"};
    struct arena *arena = arena_new();
    struct error err = ERROR_INIT;
    const bool good = alter_check(alter, &rules, &err);

    must(good || (err.kind == ERROR_USAGE && *err.text));
    if (good) {
        /* Words in their own place: nothing is lost or moved. */
        must(strcmp(alter_with_names(alter, &rules, NULL, arena), alter) == 0);
        must(strcmp(alter_with_table(alter, &rules, "t", "t", arena), alter) == 0 ||
             strpbrk(alter, "tT"));
        (void)alter_with_names(alter, &rules, &name, arena);
        (void)alter_renames(alter, &rules, arena);
        (void)alter_usings(alter, &rules, arena);
        (void)alter_drops(alter, &rules, "a");
        (void)alter_has_clause(alter, &rules, "DROP FOREIGN KEY");
        must(alter_parts(alter, &rules, arena));
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *alter = fuzz_string(&data, &size, true);

    try_rules(alter, true);
    try_rules(alter, false);
    free(alter);
    return 0;
}
