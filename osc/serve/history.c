#include "osc/serve/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "osc/base/arena.h"
#include "osc/base/log_line.h"
#include "osc/base/metrics.h"
#include "osc/output.h"

enum { SAMPLES = 360, EVENTS = 60, EVENT_BYTES = 400, FIRST_PAUSE_MS = 1000, LATE_MS = 50 };

struct sample {
    uint64_t at_s, backlog;
    int duty_percent; /* negative: nothing is held back in this step */
    double replayed_per_s;
    double rows_per_s, fraction, lag_s; /* negative: unknown, or there is none */
    const char *step;
};

struct event {
    uint64_t at_s;
    enum log_level level;
    char words[EVENT_BYTES];
};

struct history {
    struct progress_meter meter; /* of the looking thread */
    uint64_t replayed, looked_ms;
    pthread_mutex_t lock;
    struct progress_view view GUARDED_BY(lock);
    int duty_percent GUARDED_BY(lock);
    const char *reason GUARDED_BY(lock); /* why it is not 100; NULL: it is */
    double replayed_per_s GUARDED_BY(lock);
    struct sample samples[SAMPLES] GUARDED_BY(lock);
    size_t n_samples GUARDED_BY(lock);
    uint64_t pause_ms GUARDED_BY(lock), next_ms GUARDED_BY(lock);
    struct event events[EVENTS] GUARDED_BY(lock); /* a ring */
    size_t n_events GUARDED_BY(lock);             /* ever heard */
};

struct history *history_new(void)
{
    struct history *history = must_alloc(sizeof *history);

    (void)pthread_mutex_init(&history->lock, NULL);
    history->pause_ms = FIRST_PAUSE_MS;
    history->duty_percent = -1;
    history->view = (struct progress_view){
        .table = "", .step = "plan", .fraction = -1, .rows_per_s = -1, .eta_s = -1};
    return history;
}

void history_free(struct history *history)
{
    (void)pthread_mutex_destroy(&history->lock);
    free(history);
}

/* ---- samples ---- */

static void thin_out(struct history *history)
{
    for (size_t i = 0; i < SAMPLES / 2; i++)
        history->samples[i] = history->samples[2 * i + 1];
    history->n_samples = SAMPLES / 2;
    history->pause_ms *= 2;
}

static void keep(struct history *history, const struct progress_view *view, uint64_t now_ms)
{
    if (now_ms < history->next_ms)
        return;
    if (history->n_samples == SAMPLES)
        thin_out(history);
    history->next_ms = now_ms + history->pause_ms - LATE_MS;
    history->samples[history->n_samples++] = (struct sample){
        .at_s = (uint64_t)time(NULL),
        .backlog = view->backlog,
        .duty_percent = history->duty_percent,
        .rows_per_s = view->rows_per_s,
        .replayed_per_s = history->replayed_per_s,
        .fraction = view->fraction,
        .lag_s = view->replicas > view->replicas_unknown ? (double)view->replica_lag_ms / 1000 : -1,
        .step = view->step,
    };
}

/* Of steps that the throttle does not touch nothing is said. */
static void look_at_throttle(struct history *history, const struct progress *progress,
                             const struct progress_view *view, double seconds)
{
    const unsigned duty = atomic_load(&progress->duty_percent);
    const char *reason = atomic_load(&progress->throttle_reason);

    history->duty_percent = view->counts_rows && (duty || reason) ? (int)duty : -1;
    history->reason = history->duty_percent >= 0 ? reason : NULL;
    if (history->reason && duty < 100)
        metrics_throttled(reason, (uint64_t)((100 - duty) * seconds * 1e4));
}

void history_look(struct history *history, const struct progress *progress, uint64_t now_ms)
{
    struct progress_view view;
    const uint64_t replayed = atomic_load(&progress->replayed);
    const double seconds = (double)(now_ms - history->looked_ms) / 1000;

    progress_read(&history->meter, progress, now_ms, &view);
    pthread_mutex_lock(&history->lock);
    history->view = view;
    if (history->looked_ms && seconds > 0) {
        history->replayed_per_s = (double)(replayed - history->replayed) / seconds;
        look_at_throttle(history, progress, &view, seconds);
    }
    keep(history, &view, now_ms);
    pthread_mutex_unlock(&history->lock);
    history->replayed = replayed;
    history->looked_ms = now_ms;
}

static json_t *known(double value)
{
    return value < 0 ? json_null() : json_real(value);
}

static json_t *sample_json(const struct sample *s)
{
    return json_pack("{s:I, s:s, s:o, s:I, s:f, s:o, s:o, s:o}", "at", (json_int_t)s->at_s, "step",
                     s->step, "rows_per_s", known(s->rows_per_s), "backlog", (json_int_t)s->backlog,
                     "replayed_per_s", s->replayed_per_s, "lag_s", known(s->lag_s), "duty_percent",
                     known(s->duty_percent), "fraction", known(s->fraction));
}

json_t *history_samples(struct history *history)
{
    json_t *list = json_array();

    pthread_mutex_lock(&history->lock);
    for (size_t i = 0; i < history->n_samples; i++)
        json_array_append_new(list, sample_json(&history->samples[i]));
    pthread_mutex_unlock(&history->lock);
    return list;
}

json_t *history_now(struct history *history)
{
    pthread_mutex_lock(&history->lock);
    json_t *object = progress_json(&history->view);
    const struct sample *last =
        history->n_samples ? &history->samples[history->n_samples - 1] : NULL;
    (void)json_object_del(object, "event");
    json_object_set_new(object, "replayed_per_s", json_real(history->replayed_per_s));
    json_object_set_new(object, "duty_percent", known(history->duty_percent));
    json_object_set_new(object, "throttle_reason", output_string(history->reason));
    json_object_set_new(object, "sample", last ? sample_json(last) : json_null());
    pthread_mutex_unlock(&history->lock);
    return object;
}

/* ---- events ---- */

void history_event(struct history *history, enum log_level level, const char *event,
                   const struct log_field *fields)
{
    AUTO(text) words = TEXT_INIT;

    log_line_words(&words, event, fields);
    /* Cut between characters, not inside one. */
    size_t length = words.length < EVENT_BYTES ? words.length : EVENT_BYTES - 1;
    while (length < words.length && length && (words.bytes[length] & 0xc0) == 0x80)
        length--;
    pthread_mutex_lock(&history->lock);
    struct event *place = &history->events[history->n_events++ % EVENTS];
    place->at_s = (uint64_t)time(NULL);
    place->level = level;
    memcpy(place->words, words.bytes, length);
    place->words[length] = '\0';
    pthread_mutex_unlock(&history->lock);
}

/* Newest first. */
json_t *history_events(struct history *history)
{
    static const char *const levels[] = {"error", "warn", "info"};
    json_t *list = json_array();

    pthread_mutex_lock(&history->lock);
    const size_t n = history->n_events < EVENTS ? history->n_events : EVENTS;
    for (size_t i = 1; i <= n; i++) {
        const struct event *event = &history->events[(history->n_events - i) % EVENTS];
        json_array_append_new(list, json_pack("{s:I, s:s, s:o}", "at", (json_int_t)event->at_s,
                                              "level", levels[event->level], "event",
                                              output_string(event->words)));
    }
    pthread_mutex_unlock(&history->lock);
    return list;
}
