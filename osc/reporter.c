#include "osc/reporter.h"

#include <stdlib.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/base/status_line.h"
#include "osc/migration.h"
#include "osc/output.h"
#include "osc/watch_view.h"

enum { POLL_MS = 200, REMEMBER_MS = 1000, LOG_ROWS = 6 };

struct reporter {
    const struct progress *progress;
    struct progress_meter meter;
    struct group *group;
    const struct medium *medium;
    const char *step; /* last one shown */
    uint64_t shown_at_ms;
    bool is_unicode;
    const char *steps[STEP_DONE]; /* their names */
    struct watch_history history;
    uint64_t remembered_at_ms;
};

/* Where progress is shown, and how often. */
struct medium {
    uint64_t every_ms;
    bool shows_steps; /* a new step is shown at once */
    bool (*show)(struct reporter *reporter, const struct progress_view *view, struct error *err);
};

static bool show_line(struct reporter *reporter, const struct progress_view *view,
                      struct error *err)
{
    AUTO(text) line = TEXT_INIT;

    (void)err;
    /* The last column stays free: some terminals wrap as soon as it is written. */
    progress_line(&line, view, status_line_columns() - 1, reporter->is_unicode);
    status_line_show(line.bytes);
    return true;
}

/* *fits: a bar for each step was drawn, and leaves room for the log above it. */
static void draw(struct reporter *reporter, const struct progress_view *view, struct text *out,
                 bool *fits)
{
    struct arena *arena = arena_new();
    const struct watch_page page = {
        .steps = reporter->steps,
        .n_steps = ARRAY_SIZE(reporter->steps),
        .columns = status_line_columns() - 1,
        .is_unicode = reporter->is_unicode,
    };
    unsigned rows = 0;

    watch_draw_progress(out, view, &reporter->history, &page, arena);
    for (const char *at = out->bytes; *at; at++)
        rows += *at == '\n';
    *fits = rows + LOG_ROWS <= status_line_rows();
    arena_free(arena);
}

static bool show_bars(struct reporter *reporter, const struct progress_view *view,
                      struct error *err)
{
    AUTO(text) out = TEXT_INIT;
    bool fits = false;
    const uint64_t now_ms = clock_ms();

    if (now_ms - reporter->remembered_at_ms >= REMEMBER_MS) {
        watch_remember(&reporter->history, view);
        reporter->remembered_at_ms = now_ms;
    }
    if (view->steps) /* a lone verification has none */
        draw(reporter, view, &out, &fits);
    if (!fits)
        return show_line(reporter, view, err);
    out.bytes[--out.length] = '\0'; /* the cursor stays in the last line */
    status_line_show(out.bytes);
    return true;
}

static bool show_log(struct reporter *reporter, const struct progress_view *view, struct error *err)
{
    AUTO(text) line = TEXT_INIT;

    (void)reporter;
    (void)err;
    progress_line(&line, view, 200, false);
    LOG(LOG_INFO, "progress", FS(line.bytes));
    return true;
}

static bool show_event(struct reporter *reporter, const struct progress_view *view,
                       struct error *err)
{
    (void)reporter;
    return output_json(progress_json(view), err);
}

static const struct medium terminal = {200, true, show_bars};
static const struct medium file = {10000, false, show_log};
static const struct medium program = {5000, true, show_event};

static bool report(void *argument, struct cancel *cancel, struct error *err)
{
    struct reporter *reporter = argument;
    const struct medium *medium = reporter->medium;

    while (cancel_sleep_ms(cancel, POLL_MS)) {
        const uint64_t now_ms = clock_ms();
        struct progress_view view;

        if (!atomic_load(&reporter->progress->step))
            continue;
        /* Read at every turn, shown or not: the rates live from it. */
        progress_read(&reporter->meter, reporter->progress, now_ms, &view);
        const bool is_new = medium->shows_steps && view.step != reporter->step;
        if (!is_new && now_ms - reporter->shown_at_ms < medium->every_ms)
            continue;
        reporter->step = view.step;
        reporter->shown_at_ms = now_ms;
        if (!medium->show(reporter, &view, err))
            return false;
    }
    return true;
}

static const struct medium *choose_medium(const struct options *options)
{
    return options->json ? &program : status_line_possible() ? &terminal : &file;
}

struct reporter *reporter_start(const struct progress *progress, const struct options *options,
                                struct error *err)
{
    struct reporter *reporter = must_alloc(sizeof *reporter);

    reporter->progress = progress;
    reporter->shown_at_ms = clock_ms();
    reporter->medium = choose_medium(options);
    reporter->is_unicode = status_line_is_unicode();
    for (enum step_id step = STEP_PLAN; step < STEP_DONE; step++)
        reporter->steps[step] = step_name(step);
    /* No parent: it goes on showing while everything else stops in order. */
    reporter->group = group_new(NULL);
    if (reporter->medium == &terminal)
        status_line_start();
    /* uncovered: the system has room for one more thread */
    if (!group_start(reporter->group, "reporter", report, reporter, err)) {
        reporter_stop(reporter);
        return NULL;
    }
    return reporter;
}

void reporter_stop(struct reporter *reporter)
{
    struct error err = ERROR_INIT;

    if (!reporter)
        return;
    group_cancel(reporter->group);
    if (!group_join(reporter->group, &err))
        LOG(LOG_WARN, "progress could not be shown", F("error", err.text));
    if (reporter->medium == &terminal)
        status_line_stop();
    free(reporter);
}
