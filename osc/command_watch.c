#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "osc/base/fail.h"
#include "osc/base/status_line.h"
#include "osc/command_bodies.h"
#include "osc/command_status.h"
#include "osc/migration.h"
#include "osc/output.h"
#include "osc/watch_view.h"

enum { DRAW_MS = 1000, LINE_MS = 10000, MOST_WATCHED = 20 };

struct watched {
    const char *schema;
    uint64_t id;
    struct watch_history history;
};

struct watch {
    struct run *run;
    bool draws; /* on a terminal, over what was drawn before */
    unsigned lines;
    struct watched watched[MOST_WATCHED];
    size_t n;
    struct arena *arena; /* of the watch */
    const char *steps[STEP_DONE];
};

static unsigned columns_of_terminal(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

/* Migrations come and go while somebody looks; the last place serves all for whom there is none. */
static struct watch_history *history_of(struct watch *watch, const struct state_row *row)
{
    for (size_t i = 0; i < watch->n; i++)
        if (watch->watched[i].id == row->id && strcmp(watch->watched[i].schema, row->schema) == 0)
            return &watch->watched[i].history;
    if (watch->n < MOST_WATCHED)
        watch->n++;
    watch->watched[watch->n - 1] =
        (struct watched){.schema = arena_string(watch->arena, row->schema), .id = row->id};
    return &watch->watched[watch->n - 1].history;
}

static void draw(struct watch *watch, const struct migration_view *views, size_t n,
                 struct text *out)
{
    struct arena *arena = arena_new();
    AUTO(text) page = TEXT_INIT;
    const struct watch_page layout = {
        .steps = watch->steps,
        .n_steps = ARRAY_SIZE(watch->steps),
        .columns = columns_of_terminal() - 1,
        .is_unicode = status_line_is_unicode(),
    };

    for (size_t i = 0; i < n; i++) {
        struct watch_history *history = history_of(watch, views[i].row);
        watch_remember(history, &views[i].progress);
        watch_draw(&page, &views[i], history, &layout, arena);
    }
    if (!n)
        text_add(&page, "No migration is under way.\n");
    if (watch->lines)
        text_printf(out, "\033[%uA\r\033[J", watch->lines);
    watch->lines = 0;
    for (const char *at = page.bytes; *at; at++)
        watch->lines += *at == '\n';
    text_add(out, page.bytes);
    arena_free(arena);
}

static void print_lines(const struct migration_view *views, size_t n, struct text *out)
{
    for (size_t i = 0; i < n; i++) {
        text_printf(out, "%s %s ", views[i].name, life_name(views[i].life));
        progress_line(out, &views[i].progress, 200, false);
        text_add(out, "\n");
    }
}

static bool is_alive(const struct migration_view *views, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (views[i].life == LIFE_RUNNING || views[i].life == LIFE_DEAD)
            return true;
    return false;
}

/* One look; *goes_on is false when nothing runs any more. */
static bool look(struct watch *watch, bool *goes_on, struct error *err)
{
    struct run round = *watch->run; /* its strings live for one look */
    struct migration_view *views = NULL;
    size_t n = 0;
    AUTO(text) out = TEXT_INIT;

    round.arena = arena_new();
    bool good = status_load(&round, &views, &n, err);
    if (good && round.options.json) {
        good = status_json(views, n, err);
    } else if (good) {
        if (watch->draws)
            draw(watch, views, n, &out);
        else
            print_lines(views, n, &out);
        good = output_text(&out, err);
    }
    *goes_on = good && is_alive(views, n);
    arena_free(round.arena);
    return good;
}

bool command_watch(struct run *run, struct error *err)
{
    struct watch watch = {.run = run, .arena = arena_new()};
    const char *term = getenv("TERM");
    bool goes_on = true, good = true;

    watch.draws = isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
    for (enum step_id step = STEP_PLAN; step < STEP_DONE; step++)
        watch.steps[step] = step_name(step);
    const uint64_t every_ms = watch.draws ? DRAW_MS : TUNED("LINE_MS", LINE_MS);
    do {
        error_clear(err);
        good = look(&watch, &goes_on, err);
        if (!good && (err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT))
            good = goes_on = true; /* the next look has a connection of its own */
    } while (good && goes_on && cancel_sleep_ms(run->cancel, every_ms));
    arena_free(watch.arena);
    return good;
}
