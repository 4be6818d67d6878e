/* A config file: whatever stands in it, it is taken or refused with a reason. */
#include "osc/options_table.h"
#include "osc/settings.h"
#include "tests/fuzz/fuzz.h"

/* libconfig 1.5 forgets the string before a syntax error; osc ends with the error. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct options options = {.target = "shop"};
    struct error err = ERROR_INIT;
    bool has_target = false;
    char *text = fuzz_string(&data, &size, true);
    AUTO(text) shown = TEXT_INIT;

    if (settings_take(text, "osc.conf", FROM_USER_FILE, FOR_ALTER, &options, &has_target, arena,
                      &err)) {
        for (size_t i = 0; i < options_count; i++)
            if (options.said[i].from != FROM_DEFAULT) {
                must(strncmp(options.said[i].where, "osc.conf:", 9) == 0);
                option_print(&options, options_table[i], &shown);
            }
    } else {
        must(err.kind == ERROR_USAGE && strncmp(err.text, "osc.conf:", 9) == 0);
    }
    free(text);
    arena_free(arena);
    return 0;
}
