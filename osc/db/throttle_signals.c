#include "osc/db/throttle_signals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/clock.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"
#include "osc/db/tempo.h"

enum { STALE_MS = 15000, FULL = 100, BESIDE_LIMIT = 50, SEARCH_MS = 2000, SELDOM_MS = 1000 };

struct kept {
    const struct signal *signal;
    struct progress_signal *shown;
    enum reading reading;
    uint64_t value, limit;
    uint64_t read_ms;            /* 0: never */
    uint64_t total, total_at_ms; /* of a rate: what was read last */
};

struct signals {
    struct signals_job job;
    pthread_mutex_t lock;
    struct limits limits GUARDED_BY(lock); /* as last ordered */
    struct kept all[MOST_SIGNALS] GUARDED_BY(lock);
    size_t n;
};

/* ---- which ---- */

static uint64_t limit_of(const struct signal *signal, const struct limits *limits)
{
    const char *place = (const char *)limits + signal->limit_at;
    unsigned count = 0;
    uint64_t value = 0; /* or a pointer */

    if (signal->limit_size == sizeof count)
        memcpy(&count, place, sizeof count);
    else
        memcpy(&value, place, sizeof value);
    value += count;
    return value && signal->limit_is ? signal->limit_is : value;
}

static void keep(struct signals *signals, const struct signal *rows)
{
    for (; rows->name && signals->n < MOST_SIGNALS; rows++) {
        struct progress_signal *shown = &signals->job.progress->signals[signals->n];
        atomic_store(&shown->unit, rows->unit);
        signals->all[signals->n++] = (struct kept){.signal = rows, .shown = shown};
    }
}

/* Whoever reads takes over what was ordered: before the first look, and each other. */
static struct limits take_limits(struct signals *signals)
{
    pthread_mutex_lock(&signals->lock);
    const struct limits limits = signals->limits;
    for (size_t i = 0; i < signals->n; i++) {
        struct kept *kept = &signals->all[i];
        kept->limit = limit_of(kept->signal, &limits);
        atomic_store(&kept->shown->limit, kept->limit);
        if (kept->limit)
            continue;
        kept->reading = READING_NONE;
        kept->read_ms = kept->total_at_ms = 0;
        atomic_store(&kept->shown->name, NULL);
    }
    pthread_mutex_unlock(&signals->lock);
    return limits;
}

struct signals *signals_new(const struct signals_job *job)
{
    struct signals *signals = must_alloc(sizeof *signals);

    *signals = (struct signals){.job = *job, .limits = *job->limits};
    (void)pthread_mutex_init(&signals->lock, NULL);
    keep(signals, common_signals);
    keep(signals, job->dsn->dialect->server->signals);
    return signals;
}

void signals_free(struct signals *signals)
{
    if (!signals)
        return;
    (void)pthread_mutex_destroy(&signals->lock);
    free(signals);
}

void signals_set_limits(struct signals *signals, const struct limits *limits)
{
    pthread_mutex_lock(&signals->lock);
    signals->limits = *limits;
    pthread_mutex_unlock(&signals->lock);
}

/* ---- how bad it is ---- */

static unsigned strain_of(const struct kept *kept, uint64_t now_ms)
{
    if (kept->read_ms && now_ms - kept->read_ms > STALE_MS)
        return TEMPO_STOP; /* uncovered: whoever is to answer hangs, and so long no test waits */
    if (kept->reading == READING_UNKNOWN)
        return TEMPO_STOP;
    if (kept->reading == READING_NONE || !kept->value)
        return 0;
    if (kept->signal->limit_is == 1)
        return TEMPO_STOP;
    const double strain = (double)kept->value * FULL / (double)kept->limit;
    return strain < TEMPO_STOP ? (unsigned)strain : TEMPO_STOP;
}

unsigned signals_strain(struct signals *signals, bool in_company, const char **reason)
{
    const uint64_t now_ms = clock_ms();
    unsigned worst = 0;

    pthread_mutex_lock(&signals->lock);
    for (size_t i = 0; i < signals->n; i++) {
        const struct kept *kept = &signals->all[i];
        const unsigned strain = in_company || !kept->signal->is_soft ? strain_of(kept, now_ms) : 0;
        if (strain <= worst)
            continue;
        worst = strain;
        if (strain >= BESIDE_LIMIT)
            *reason = kept->signal->reason;
    }
    pthread_mutex_unlock(&signals->lock);
    return worst;
}

/* ---- reading ---- */

/* The growth in a second; a counter that begins anew has not grown. */
static enum reading rate(struct kept *kept, uint64_t *value, uint64_t now_ms)
{
    const uint64_t before = kept->total, passed_ms = now_ms - kept->total_at_ms;
    const bool is_first = !kept->total_at_ms;

    kept->total = *value;
    kept->total_at_ms = now_ms;
    if (is_first || !passed_ms)
        return READING_NONE;
    *value = *value > before ? (*value - before) * 1000 / passed_ms : 0;
    return READING_KNOWN;
}

/* A server that does not answer at all makes the others wait, too. */
static enum reading ask(struct look *look, const char *const *questions, uint64_t *value,
                        struct error *err)
{
    for (; look->db && *questions; questions++) {
        AUTO(rows) rows = ROWS_INIT;
        error_clear(err);
        if (db_query(look->db, &rows, *questions, err) && rows_next(&rows, err)) {
            if (rows_is_null(&rows, rows.columns - 1))
                return READING_NONE;
            *value = rows_u64(&rows, rows.columns - 1);
            return READING_KNOWN;
        }
        if (err->kind == ERROR_LOST || err->kind == ERROR_TRANSIENT)
            return READING_UNKNOWN;
    }
    if (!look->db)
        error_set(err, ERROR_LOST, "the server does not answer");
    return look->db ? READING_NONE : READING_UNKNOWN; /* not here, or not for us */
}

static void read_one(struct signals *signals, struct kept *kept, struct look *look)
{
    struct error trouble = ERROR_INIT;
    uint64_t value = 0;

    const struct signal *signal = kept->signal;
    enum reading reading = signal->read ? signal->read(look, &value, &trouble)
                                        : ask(look, signal->questions, &value, &trouble);
    const uint64_t now_ms = clock_ms();
    if (reading == READING_KNOWN && kept->signal->is_rate)
        reading = rate(kept, &value, now_ms);
    if (reading == READING_UNKNOWN && kept->reading != READING_UNKNOWN)
        LOG(LOG_WARN, "a signal of the throttle cannot be read, which counts as over its limit",
            F("signal", kept->signal->name), F("error", trouble.text));
    pthread_mutex_lock(&signals->lock);
    kept->reading = reading;
    kept->value = value;
    kept->read_ms = now_ms;
    pthread_mutex_unlock(&signals->lock);
    atomic_store(&kept->shown->value, value);
    atomic_store(&kept->shown->is_unknown, reading == READING_UNKNOWN);
    if (reading != READING_NONE)
        atomic_store(&kept->shown->name, kept->signal->name);
}

/* Waits for the disk as a commit of the application's does. */
static void beat(struct signals *signals, struct look *look,
                 const struct signals_listener *listener)
{
    struct error trouble = ERROR_INIT;
    const uint64_t started = clock_us();

    look->commit_us = 0;
    if (!look->db || !signals->job.heartbeat)
        return;
    if (!db_exec(look->db, signals->job.heartbeat->beat, NULL, &trouble)) {
        LOG(LOG_DEBUG, "heartbeat not written", F("error", trouble.text));
        return;
    }
    look->commit_us = clock_us() - started;
    listener->commit(listener->owner, look->commit_us);
}

static void connect_look(struct signals *signals, struct look *look)
{
    struct error trouble = ERROR_INIT;

    if (look->db && db_is_lost(look->db)) {
        db_close(look->db);
        look->db = NULL;
    }
    if (look->db || (look->db = db_open(signals->job.dsn, "signals", &trouble)) == NULL)
        return;
    if (!look->disk.n && !disk_find(look->db, &look->disk, &trouble))
        LOG(LOG_DEBUG, "the server's disks are not known", F("error", trouble.text));
}

static bool some_are_late(const struct signals *signals)
{
    for (size_t i = 0; i < signals->n; i++)
        if (signals->all[i].signal->is_late && signals->all[i].reading != READING_NONE)
            return true;
    return false;
}

static bool is_due(const struct kept *kept)
{
    const uint64_t often_ms = kept->signal->is_late ? SLOW_HEARTBEAT_MS : SELDOM_MS;

    return kept->limit && (!kept->read_ms || clock_ms() - kept->read_ms >= often_ms);
}

/* Before that there seem to be none. */
static void await_replicas(const struct progress *progress, struct cancel *cancel)
{
    const struct deadline until = deadline_in_ms(SEARCH_MS);

    while (!atomic_load(&progress->replicas_sought) && !deadline_passed(&until) &&
           cancel_sleep_ms(cancel, 5))
        ;
}

void signals_watch(struct signals *signals, struct cancel *cancel,
                   const struct signals_listener *listener)
{
    bool is_first = true;
    struct look look = {
        .arena = arena_new(),
        .progress = signals->job.progress,
        .disk = {.arena = arena_new()},
    };

    do {
        const struct limits limits = take_limits(signals);
        look.limits = &limits;
        arena_reset(look.arena);
        connect_look(signals, &look);
        beat(signals, &look, listener);
        if (is_first)
            await_replicas(look.progress, cancel);
        for (size_t i = 0; i < signals->n; i++)
            if (is_due(&signals->all[i]))
                read_one(signals, &signals->all[i], &look);
        if (is_first)
            listener->first_look(listener->owner, some_are_late(signals));
        is_first = false;
    } while (cancel_sleep_ms(cancel, atomic_load(&look.progress->replicas) ? HEARTBEAT_MS
                                                                           : SLOW_HEARTBEAT_MS));
    db_close(look.db);
    arena_free(look.disk.arena);
    arena_free(look.arena);
}
