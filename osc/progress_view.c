#include "osc/progress_view.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "osc/base/human.h"
#include "osc/output.h"
#include "osc/rest_view.h"

enum { SETTLING_MS = 2000, WORTH_SAYING_S = 3, BAR_CELLS = 10, LONGEST_NAME = 40 };
static const double memory_s = 5, long_memory_s = 90; /* older rates fade away */

static const double wide = 1.25, longest_eta_s = 30 * 86400.0;

/* ---- numbers ---- */

static double ratio(uint64_t done, uint64_t expected)
{
    if (!expected)
        return -1;
    return done >= expected ? 1 : (double)done / (double)expected;
}

static void read_counters(const struct progress *progress, struct progress_view *view)
{
    const bool copies = strcmp(view->step, "copy") == 0;
    const bool verifies = strcmp(view->step, "verify") == 0;

    view->counts_rows = copies || verifies;
    view->rows_expected = atomic_load(&progress->rows_expected);
    view->fraction = -1;
    if (copies) {
        view->rows_done = atomic_load(&progress->rows_copied);
        /* Positions are exact where the number of rows is an estimate. */
        view->fraction =
            ratio(atomic_load(&progress->units_copied), atomic_load(&progress->units_expected));
    } else if (verifies) {
        const uint64_t copied = atomic_load(&progress->rows_copied);
        view->rows_done = atomic_load(&progress->rows_verified);
        view->rows_expected = copied ? copied : view->rows_expected;
    }
    if (view->counts_rows && view->fraction < 0)
        view->fraction = ratio(view->rows_done, view->rows_expected);
}

static void restart(struct progress_meter *meter, const struct progress_view *view, uint64_t now_ms)
{
    *meter = (struct progress_meter){
        .step = view->step,
        .started_ms = now_ms,
        .at_ms = now_ms,
        .rows = view->rows_done,
        .fraction = view->fraction,
    };
}

static void update_rates(struct progress_meter *meter, const struct progress_view *view,
                         uint64_t now_ms)
{
    const double seconds = (double)(now_ms - meter->at_ms) / 1000;

    if (seconds <= 0)
        return;
    if (view->rests) { /* what was measured at work holds */
        meter->at_ms = now_ms;
        return;
    }
    const double fade = exp(-seconds / memory_s);
    const uint64_t rows = view->rows_done > meter->rows ? view->rows_done - meter->rows : 0;
    const double gain = view->fraction > meter->fraction ? view->fraction - meter->fraction : 0;
    meter->row_rate = meter->row_rate * fade + (1 - fade) * (double)rows / seconds;
    meter->fraction_rate = meter->fraction_rate * fade + (1 - fade) * gain / seconds;
    meter->weight = meter->weight * fade + (1 - fade);
    const double slow_fade = exp(-seconds / long_memory_s);
    meter->slow_rate = meter->slow_rate * slow_fade + (1 - slow_fade) * gain / seconds;
    meter->slow_weight = meter->slow_weight * slow_fade + (1 - slow_fade);
    meter->at_ms = now_ms;
    meter->rows = view->rows_done;
    meter->fraction = view->fraction;
}

void progress_read(struct progress_meter *meter, const struct progress *progress, uint64_t now_ms,
                   struct progress_view *view)
{
    const char *step = atomic_load(&progress->step);
    const char *table = atomic_load(&progress->table);

    *view = (struct progress_view){
        .table = table ? table : "",
        .step = step ? step : "plan",
        .step_number = atomic_load(&progress->step_number),
        .steps = atomic_load(&progress->steps),
        .backlog = atomic_load(&progress->backlog),
        .replicas = atomic_load(&progress->replicas),
        .replicas_unknown = atomic_load(&progress->replicas_unknown),
        .replica_lag_ms = atomic_load(&progress->replica_lag_ms),
        .threads = atomic_load(&progress->threads),
        .attempts = atomic_load(&progress->attempts),
        .rests = atomic_load(&progress->rests),
        .is_at_rest = atomic_load(&progress->is_at_rest),
        .rests_until = atomic_load(&progress->rests_until),
        .server_words = atomic_load(&progress->server_words),
        .server_permille = atomic_load(&progress->server_permille),
        .rows_per_s = -1,
        .eta_s = -1,
        .eta_other_s = -1,
    };
    read_counters(progress, view);
    throttle_view_read(&view->throttle, progress);
    if (!meter->step || strcmp(meter->step, view->step) != 0)
        restart(meter, view, now_ms);
    else
        update_rates(meter, view, now_ms);
    view->elapsed_s = (double)(now_ms - meter->started_ms) / 1000;
    if (!view->counts_rows || now_ms - meter->started_ms < SETTLING_MS || meter->weight <= 0)
        return;
    view->rows_per_s = meter->row_rate / meter->weight;
    if (view->fraction >= 0 && meter->fraction_rate > 0)
        view->eta_s = (1 - view->fraction) / (meter->fraction_rate / meter->weight);
    if (view->fraction >= 0 && meter->slow_rate > 0)
        view->eta_other_s = (1 - view->fraction) / (meter->slow_rate / meter->slow_weight);
}

/* ---- a line ---- */

void progress_lag(struct text *out, const struct progress_view *view)
{
    if (!view->replicas)
        return;
    if (view->replicas_unknown >= view->replicas) {
        text_add(out, "lag ?");
        return;
    }
    text_printf(out, "lag %.1f s", (double)view->replica_lag_ms / 1000);
    if (view->replicas_unknown)
        text_printf(out, " (%u of %u unknown)", view->replicas_unknown, view->replicas);
}

/* Pieces of the line from left to right; the highest rank is left out first. */
struct piece {
    unsigned rank;
    struct text text;
};

enum {
    PIECE_TABLE,
    PIECE_STEP,
    PIECE_BAR,
    PIECE_PERCENT,
    PIECE_ROWS,
    PIECE_RATE,
    PIECE_BACKLOG,
    PIECE_LAG,
    PIECE_ATTEMPTS,
    PIECE_THREADS,
    PIECE_SERVER,
    PIECE_THROTTLE,
    PIECE_ETA,
    PIECE_REST,
    PIECES
};

/* In the order of the pieces. */
static const unsigned ranks[PIECES] = {1, 0, 11, 2, 7, 5, 6, 8, 4, 10, 5, 9, 3, 1};

static void add_name(struct text *out, const char *name)
{
    size_t length = 0;

    /* Cut between characters, not inside one. */
    for (size_t width = 0; name[length]; length++)
        if ((name[length] & 0xc0) != 0x80 && ++width > LONGEST_NAME)
            break;
    text_add_bytes(out, name, length);
}

void progress_bar(struct text *out, double fraction, bool is_unicode)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const unsigned filled = (unsigned)(fraction * BAR_CELLS * 8);
    const unsigned part = filled % 8;
    unsigned cell = 0;

    text_add(out, is_unicode ? "▕" : "[");
    for (; cell < filled / 8; cell++)
        text_add(out, is_unicode ? "█" : "#");
    if (is_unicode && part) {
        text_add(out, eighths[part]);
        cell++;
    }
    for (; cell < BAR_CELLS; cell++)
        text_add(out, is_unicode ? " " : ".");
    text_add(out, is_unicode ? "▏" : "]");
}

void progress_rows(struct text *out, const struct progress_view *view)
{
    text_add(out, human_count(view->rows_done).text);
    if (view->rows_expected >= view->rows_done)
        text_printf(out, "/~%s", human_count(view->rows_expected).text);
    text_add(out, " rows");
}

void progress_eta(struct text *out, const struct progress_view *view)
{
    const double other_s = view->eta_other_s > 0 ? view->eta_other_s : view->eta_s;
    const double low_s = fmin(view->eta_s, other_s), high_s = fmax(view->eta_s, other_s);

    const bool is_wide = high_s > low_s * wide;

    if (view->eta_s < 0 || high_s >= longest_eta_s)
        return;
    text_printf(out, "ETA %s", human_eta((uint64_t)ceil(is_wide ? low_s : view->eta_s)).text);
    if (is_wide)
        text_printf(out, " to %s", human_eta((uint64_t)ceil(high_s)).text);
}

void progress_server(struct text *out, const struct progress_view *view)
{
    if (!view->server_words)
        return;
    text_add(out, view->server_words);
    if (view->server_permille >= 0)
        text_printf(out, " %.1f%%", (double)view->server_permille / 10);
}

static void fill(struct piece *pieces, const struct progress_view *view, bool is_unicode)
{
    add_name(&pieces[PIECE_TABLE].text, view->table);
    if (view->steps)
        text_printf(&pieces[PIECE_STEP].text, "step %u/%u ", view->step_number, view->steps);
    text_add(&pieces[PIECE_STEP].text, view->step);
    if (view->fraction >= 0) {
        progress_bar(&pieces[PIECE_BAR].text, view->fraction, is_unicode);
        /* 100 % is said only when it is all. */
        text_printf(&pieces[PIECE_PERCENT].text, "%.1f%%",
                    view->fraction < 1 ? fmin(view->fraction * 100, 99.9) : 100.0);
    }
    if (view->counts_rows)
        progress_rows(&pieces[PIECE_ROWS].text, view);
    if (view->rows_per_s >= 0)
        text_printf(&pieces[PIECE_RATE].text, "%s/s",
                    human_count((uint64_t)(view->rows_per_s + 0.5)).text);
    if (view->backlog || view->counts_rows)
        text_printf(&pieces[PIECE_BACKLOG].text, "backlog %s", human_count(view->backlog).text);
    progress_lag(&pieces[PIECE_LAG].text, view);
    if (view->attempts)
        text_printf(&pieces[PIECE_ATTEMPTS].text, "attempt %u", view->attempts);
    if (view->threads)
        text_printf(&pieces[PIECE_THREADS].text, "threads %u", view->threads);
    text_add(&pieces[PIECE_REST].text, rest_word(view));
    progress_server(&pieces[PIECE_SERVER].text, view);
    if (view->rests)
        return; /* how long it will take nobody knows now */
    if (view->counts_rows)
        throttle_view_words(&pieces[PIECE_THROTTLE].text, &view->throttle);
    progress_eta(&pieces[PIECE_ETA].text, view);
    if (view->fraction < 0 && view->elapsed_s >= WORTH_SAYING_S)
        text_printf(&pieces[PIECE_ETA].text, "%s so far",
                    human_eta((uint64_t)view->elapsed_s).text);
}

static size_t total_width(const struct piece *pieces)
{
    size_t width = 0;

    for (size_t i = 0; i < PIECES; i++)
        if (pieces[i].text.length)
            width += human_width(pieces[i].text.bytes) + (width ? 2 : 0);
    return width;
}

static void drop_least(struct piece *pieces)
{
    struct piece *least = NULL;

    for (size_t i = 0; i < PIECES; i++)
        if (pieces[i].text.length && (!least || pieces[i].rank > least->rank))
            least = &pieces[i];
    text_clear(&least->text);
}

void progress_line(struct text *out, const struct progress_view *view, unsigned columns,
                   bool is_unicode)
{
    struct piece pieces[PIECES];
    bool is_first = true;

    for (size_t i = 0; i < PIECES; i++)
        pieces[i] = (struct piece){ranks[i], TEXT_INIT};
    fill(pieces, view, is_unicode);
    while (total_width(pieces) > columns)
        drop_least(pieces);
    for (size_t i = 0; i < PIECES; i++) {
        if (pieces[i].text.length) {
            text_printf(out, "%s%s", is_first ? "" : "  ", pieces[i].text.bytes);
            is_first = false;
        }
        text_release(&pieces[i].text);
    }
}

/* ---- an event ---- */

json_t *progress_json(const struct progress_view *view)
{
    json_t *object = json_pack("{s:s, s:o, s:s, s:i, s:i, s:I, s:i}", "event", "progress", "table",
                               output_string(view->table), "step", view->step, "step_number",
                               (int)view->step_number, "steps", (int)view->steps, "backlog",
                               (json_int_t)view->backlog, "threads", (int)view->threads);

    if (view->replicas) {
        json_object_set_new(object, "replicas", json_integer((json_int_t)view->replicas));
        json_object_set_new(object, "replicas_unknown",
                            json_integer((json_int_t)view->replicas_unknown));
        json_object_set_new(object, "replica_lag_ms",
                            view->replicas_unknown >= view->replicas
                                ? json_null()
                                : json_integer((json_int_t)view->replica_lag_ms));
    }
    if (view->counts_rows) {
        json_object_set_new(object, "rows", json_integer((json_int_t)view->rows_done));
        json_object_set_new(object, "rows_expected", json_integer((json_int_t)view->rows_expected));
    }
    if (view->fraction >= 0)
        json_object_set_new(object, "percent", json_real(round(view->fraction * 1000) / 10));
    if (view->rows_per_s >= 0)
        json_object_set_new(object, "rows_per_s", json_integer((json_int_t)view->rows_per_s));
    if (view->eta_s >= 0)
        json_object_set_new(object, "eta_s", json_integer((json_int_t)view->eta_s));
    if (view->eta_other_s > 0)
        json_object_set_new(object, "eta_other_s", json_integer((json_int_t)view->eta_other_s));
    if (view->server_words) {
        json_object_set_new(object, "server_words", output_string(view->server_words));
        if (view->server_permille >= 0)
            json_object_set_new(object, "server_percent",
                                json_real((double)view->server_permille / 10));
    }
    if (view->rests) {
        json_object_set_new(object, "rests", json_string(rest_word(view)));
        if (view->rests_until)
            json_object_set_new(object, "rests_until", json_integer(view->rests_until));
    }
    if (view->attempts)
        json_object_set_new(object, "attempts", json_integer((json_int_t)view->attempts));
    if (view->throttle.is_known)
        json_object_set_new(object, "throttle", throttle_view_json(&view->throttle));
    return object;
}
