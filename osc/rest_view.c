#include "osc/rest_view.h"

#include <math.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/human.h"
#include "osc/control/rules.h"

const char *rest_word(const struct progress_view *progress)
{
    static const char *const words[] = {
        "",
        "paused",
        "outside --window",
        "waits for osc cutover",
        "waits for --cutover=at",
        "waits for the flag file",
        "outside --cutover-window",
        "waits for a hook",
    };
    static_assert(ARRAY_SIZE(words) == REST_HOOK + 1, "every reason has its word");

    return progress->rests < ARRAY_SIZE(words) ? words[progress->rests] : "";
}

/* " until 2025-11-23 22:00 Europe/Berlin (in 3 h)", or nothing where nobody knows. */
static const char *until(const struct options *options, int64_t at, struct arena *arena)
{
    struct error ignored = ERROR_INIT;
    const struct zone *zone = zone_open(options->time_zone, arena, &ignored);
    const int64_t now = clock_calendar();

    if (!zone || !at)
        return "";
    return arena_printf(
        arena, " until %s%s", rules_moment(zone, at, arena),
        at > now ? arena_printf(arena, " (in %s)", human_eta((uint64_t)(at - now)).text) : "");
}

/* Steps that work piece by piece rest; the others come to their end first. */
static const char *how(const struct progress_view *progress)
{
    const bool rests = progress->is_at_rest || strcmp(progress->step, "copy") == 0 ||
                       strcmp(progress->step, "verify") == 0;

    if (rests)
        return "writes are captured and replayed meanwhile";
    return strcmp(progress->step, "indexes") == 0
               ? "but an index build that runs cannot rest: it goes on, and the rest comes after it"
               : "but this step comes to its end first";
}

static void read_options(struct options *options, const char *json, struct arena *arena)
{
    struct error ignored = ERROR_INIT;

    *options = (struct options){.dsn = NULL};
    (void)!options_recall(options, json, arena, &ignored);
}

/* Hours of work, spread over the hours allowed. */
static const char *forecast(const struct options *options, const struct progress_view *progress,
                            struct arena *arena)
{
    struct error ignored = ERROR_INIT;
    struct rules rules;
    int64_t when = 0;
    const double eta_s = fmax(progress->eta_s, progress->eta_other_s);

    if (!options->window || progress->eta_s < 0 || eta_s > 1e8 ||
        !rules_read(options, arena, &rules, &ignored))
        return "";
    const char *work = arena_string(arena, human_eta((uint64_t)ceil(eta_s)).text);
    if (!window_will_do(&rules.window, rules.zone, clock_calendar(), (int64_t)ceil(eta_s), &when))
        return arena_printf(arena, "the window will not do: %s of work are left in this step",
                            work);
    return arena_printf(arena,
                        "at this rate %s of work are left in this step, which the window allows "
                        "by %s",
                        work, rules_moment(rules.zone, when, arena));
}

void rest_view_read(struct rest_view *view, const struct state_row *row,
                    const struct progress_view *progress, const char *name, struct arena *arena)
{
    const char *unpause = arena_printf(arena, "osc unpause %s", name);
    const char *cutover = arena_printf(arena, "osc cutover %s swaps now", name);
    struct options options;

    *view = (struct rest_view){"", "", ""};
    read_options(&options, row->options, arena);
    const char *moment = until(&options, progress->rests_until, arena);
    view->forecast = forecast(&options, progress, arena);
    switch (*row->paused ? REST_PAUSED : (enum rest_reason)progress->rests) {
    case REST_NONE: return;
    case REST_PAUSED:
        view->words = arena_printf(arena, "paused by %s; %s", row->paused, how(progress));
        view->next = unpause;
        return;
    case REST_WINDOW:
        view->words = arena_printf(arena, "rests outside --window \"%s\"%s; %s",
                                   options.window ? options.window : "", moment, how(progress));
        view->next = arena_printf(arena, "osc set %s window=always goes on now", name);
        return;
    case REST_MANUAL: view->words = "verified and ready: it waits for osc cutover"; break;
    case REST_TIME:
        view->words = arena_printf(arena, "verified and ready: it waits%s", moment);
        break;
    case REST_FLAG_FILE:
        view->words = arena_printf(
            arena, "verified and ready: it waits as long as %s exists on %s",
            options.postpone_flag_file ? options.postpone_flag_file : "the flag file", row->host);
        break;
    case REST_CUTOVER_WINDOW:
        view->words = arena_printf(arena,
                                   "verified and ready: it waits outside --cutover-window "
                                   "\"%s\"%s",
                                   options.cutover_window ? options.cutover_window : "", moment);
        break;
    case REST_HOOK:
        view->words =
            "verified and ready: the hook before-cutover says not now, and is asked again";
        return;
    }
    view->next = cutover;
}
