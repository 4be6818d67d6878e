#include "osc/watch_view.h"

#include <string.h>

#include "osc/base/human.h"
#include "osc/rest_view.h"

void watch_remember(struct watch_history *history, const struct progress_view *progress)
{
    if (history->n == WATCH_SAMPLES) {
        const size_t rest = (WATCH_SAMPLES - 1) * sizeof *history->backlog;
        memmove(history->backlog, history->backlog + 1, rest);
        memmove(history->lag_s, history->lag_s + 1, rest);
        history->n--;
    }
    history->backlog[history->n] = (double)progress->backlog;
    history->lag_s[history->n++] = (double)progress->replica_lag_ms / 1000;
}

/* The highest of them fills its cell. */
static void add_sparkline(struct text *out, const double *samples, size_t n, bool is_unicode)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const letters[] = {"_", ".", "-", "=", "+", "*", "%", "#"};
    double most = 0;

    for (size_t i = 0; i < n; i++)
        most = samples[i] > most ? samples[i] : most;
    for (size_t i = 0; i < n; i++) {
        const size_t height = most > 0 ? (size_t)(samples[i] / most * 7) : 0;
        text_add(out, is_unicode ? blocks[height] : letters[height]);
    }
}

static void add_line(struct text *out, const char *line, const struct watch_page *page,
                     struct arena *arena)
{
    text_printf(out, "%s\n", human_cut(line, page->columns, arena));
}

static void add_current(struct text *line, const struct progress_view *progress, bool is_unicode)
{
    if (progress->fraction >= 0) {
        progress_bar(line, progress->fraction, is_unicode);
        text_printf(
            line, " %.1f%%",
            progress->fraction < 1 && progress->fraction > 0.999 ? 99.9 : progress->fraction * 100);
    }
    if (progress->counts_rows) {
        text_add(line, "  ");
        progress_rows(line, progress);
    }
    if (progress->rows_per_s >= 0)
        text_printf(line, "  %s/s", human_count((uint64_t)(progress->rows_per_s + 0.5)).text);
    if (!progress->rests && progress->eta_s >= 0) {
        text_add(line, "  ");
        progress_eta(line, progress);
    }
    progress_server(line, progress);
    if (progress->attempts)
        text_printf(line, "  attempt %u", progress->attempts);
}

static size_t position(const char *step, const struct watch_page *page)
{
    size_t now = 0;

    while (now < page->n_steps && strcmp(page->steps[now], step) != 0)
        now++;
    return now;
}

/* Those before the one that is now are done. */
static void draw_steps(struct text *out, const struct progress_view *progress, size_t now,
                       const struct watch_page *page, struct arena *arena)
{
    for (size_t i = 0; i < page->n_steps; i++) {
        AUTO(text) line = TEXT_INIT;
        const char *mark = i < now    ? (page->is_unicode ? "✓" : "x")
                           : i == now ? (page->is_unicode ? "▶" : ">")
                                      : (page->is_unicode ? "·" : ".");
        text_printf(&line, "  %s %-9s", mark, page->steps[i]);
        if (i < now)
            progress_bar(&line, 1, page->is_unicode);
        else if (i == now)
            add_current(&line, progress, page->is_unicode);
        add_line(out, line.bytes, page, arena);
    }
}

static void draw_load(struct text *out, const struct progress_view *progress,
                      const struct watch_history *history, const struct watch_page *page,
                      struct arena *arena)
{
    AUTO(text) line = TEXT_INIT;

    text_printf(&line, "  backlog %-7s ", human_count(progress->backlog).text);
    add_sparkline(&line, history->backlog, history->n, page->is_unicode);
    add_line(out, line.bytes, page, arena);
    if (progress->replicas) {
        text_clear(&line);
        text_add(&line, "  ");
        progress_lag(&line, progress);
        text_add(&line, "  ");
        add_sparkline(&line, history->lag_s, history->n, page->is_unicode);
        add_line(out, line.bytes, page, arena);
    }
    text_clear(&line);
    text_add(&line, "  throttle ");
    throttle_view_words(&line, &progress->throttle);
    if (progress->counts_rows && progress->throttle.reason && !progress->rests)
        add_line(out, line.bytes, page, arena);
}

void watch_draw_progress(struct text *out, const struct progress_view *progress,
                         const struct watch_history *history, const struct watch_page *page,
                         struct arena *arena)
{
    add_line(out,
             arena_printf(arena, "%s  step %u/%u %s  %s", progress->table, progress->step_number,
                          progress->steps, progress->step, rest_word(progress)),
             page, arena);
    draw_steps(out, progress, position(progress->step, page), page, arena);
    draw_load(out, progress, history, page, arena);
}

void watch_draw(struct text *out, const struct migration_view *view,
                const struct watch_history *history, const struct watch_page *page,
                struct arena *arena)
{
    const struct state_row *row = view->row;

    add_line(out,
             arena_printf(arena, "migration %s  %s.%s  %s, began %s ago", view->name, row->schema,
                          row->table, life_name(view->life), human_eta(row->age_s).text),
             page, arena);
    const bool is_over = view->life == LIFE_SWAPPED || view->life == LIFE_DONE;
    draw_steps(out, &view->progress, is_over ? page->n_steps : position(row->step, page), page,
               arena);
    if (view->life == LIFE_RUNNING)
        draw_load(out, &view->progress, history, page, arena);
    if (*row->error)
        add_line(out, arena_printf(arena, "  error: %s", row->error), page, arena);
    char *rest = arena_string(arena, view->situation);
    for (char *line; (line = strsep(&rest, "\n"));)
        add_line(out, arena_printf(arena, "  %s", line), page, arena);
    if (*view->next)
        add_line(out, arena_printf(arena, "  next: %s", view->next), page, arena);
}
