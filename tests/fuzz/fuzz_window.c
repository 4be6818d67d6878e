/*
 * Hours and zones as an operator or a broken tzdata writes them: first line the
 * window, second the time of the swap, the rest a TZif file.
 */
#include "osc/control/rules.h"
#include "osc/control/window.h"
#include "osc/control/zone_rule.h"
#include "tests/fuzz/fuzz.h"

static void try_window(const struct window *window, const struct zone *zone, int64_t now)
{
    int64_t when = 0;

    if (!window_changes(window, zone, now, &when))
        return;
    must(when > now);
    must(window_is_open(window, zone, when) != window_is_open(window, zone, now));
    const int64_t open = window_open_between(window, zone, now, when);
    must(open == (window_is_open(window, zone, now) ? when - now : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *hours = fuzz_string(&data, &size, false), *cutover = fuzz_string(&data, &size, false);
    struct error err = ERROR_INIT;
    struct window window;
    struct zone_rule rule;

    const bool is_window = window_parse(hours, &window, &err);
    must(is_window || (err.kind == ERROR_USAGE && *err.hint));
    error_clear(&err);
    must(rules_check_cutover(cutover, &err) || err.kind == ERROR_USAGE);
    (void)zone_rule_parse(cutover, &rule);
    const struct zone *zone = zone_parse("fuzz", data, size, arena);
    for (int64_t at = -4000000000; zone && at < 8000000000; at += 999999999)
        (void)zone_wall(zone, at);
    const struct zone *utc = zone_open("UTC", arena, &err);
    if (is_window && utc)
        try_window(&window, utc, 1764000000 + (int64_t)size * 3607);
    free(hours);
    free(cutover);
    arena_free(arena);
    return 0;
}
