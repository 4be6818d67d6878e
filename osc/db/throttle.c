#include "osc/db/throttle.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/db/flow.h"
#include "osc/db/server.h"
#include "osc/db/tempo.h"
#include "osc/db/throttle_signals.h"

enum {
    PIECE_US = 80000,
    LEAST_PIECE_US = 5000,
    COMPANY_PER_S = 20,    /* fewer statements are a monitor's, or somebody's at a prompt */
    LOOK_AGAIN_US = 20000, /* a token that is set wakes nobody */
    LONGEST_REST_US = 2000000,
};

struct throttle {
    struct throttle_job job;
    uint64_t piece_us GUARDED_BY(lock); /* 0: what the workers want */
    struct group *watch;
    struct signals *signals; /* NULL: there are no limits */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tempo tempo GUARDED_BY(lock);
    struct flow flow GUARDED_BY(lock);
    bool lags GUARDED_BY(lock);                /* the slowest replica, more than it must */
    const char *holds[HOLDS] GUARDED_BY(lock); /* NULL: not held */
    bool knows_limits GUARDED_BY(lock);        /* each was looked at once */
    const char *strained GUARDED_BY(lock);     /* by what, last */
    unsigned at_work GUARDED_BY(lock);
    /* Time that may be worked, of all threads: what was worked too much is rested before more. */
    double balance_us GUARDED_BY(lock);
    uint64_t balanced_at_us GUARDED_BY(lock);
};

/* ---- what it comes to (under the lock) ---- */

static const char *held_by(const struct throttle *throttle)
{
    for (size_t i = 0; i < HOLDS; i++)
        if (throttle->holds[i])
            return throttle->holds[i];
    return NULL;
}

/* Percent of the time of all threads that the replicas can stand. */
static double applied(const struct throttle *throttle)
{
    return TEMPO_FULL * flow_most(&throttle->flow) / throttle->tempo.threads;
}

static double power(const struct throttle *throttle)
{
    return held_by(throttle) ? 0 : fmin(tempo_power(&throttle->tempo), applied(throttle));
}

static unsigned places(const struct throttle *throttle)
{
    return (unsigned)ceil(power(throttle) * throttle->tempo.threads / TEMPO_FULL);
}

static const char *in_the_way(const struct throttle *throttle)
{
    const struct tempo *tempo = &throttle->tempo;

    if (held_by(throttle))
        return held_by(throttle);
    if (applied(throttle) < tempo_power(tempo))
        return throttle->lags ? "a replica lags" : "a replica is to keep up";
    if (tempo_power(tempo) == TEMPO_FULL)
        return NULL;
    if (tempo->allowance < tempo_company(tempo))
        return throttle->strained ? throttle->strained : "it begins gently";
    return "others are at work";
}

/* After each change: whoever waits looks again, whoever watches reads it. */
static void tell(struct throttle *throttle)
{
    struct progress *progress = throttle->job.progress;

    atomic_store(&progress->is_throttled, true);
    /* It is nothing only when it is. */
    atomic_store(&progress->duty_percent, (unsigned)ceil(power(throttle)));
    atomic_store(&progress->threads_allowed, places(throttle));
    atomic_store(&progress->throttle_reason, in_the_way(throttle));
    pthread_cond_broadcast(&throttle->changed);
}

/* Time passes: what may be worked grows, and is not saved up while nobody works. */
static void balance(struct throttle *throttle)
{
    const uint64_t now = clock_us();
    const double rate = power(throttle) * throttle->tempo.threads / TEMPO_FULL;
    const double longest = LONGEST_REST_US * rate;

    throttle->balance_us += (double)(now - throttle->balanced_at_us) * rate;
    throttle->balanced_at_us = now;
    if (throttle->balance_us > 0 && !throttle->at_work)
        throttle->balance_us = 0;
    if (throttle->balance_us < -longest)
        throttle->balance_us = -longest;
}

static bool may_enter(struct throttle *throttle)
{
    balance(throttle);
    return throttle->knows_limits && throttle->at_work < places(throttle) &&
           (power(throttle) >= TEMPO_FULL || throttle->balance_us >= 0);
}

/* ---- who else is at work? ---- */

struct watch {
    struct db *db;
    struct tempo_others others;
    uint64_t last_ms; /* 0: none yet */
};

static bool is_quiet(struct watch *watch, const struct others *others, uint64_t now_ms)
{
    const uint64_t statements = tempo_others(&watch->others, others->statements, others->ours);

    return !others->sessions &&
           statements * 1000 < (uint64_t)COMPANY_PER_S * (now_ms - watch->last_ms + 1);
}

static void take_look(struct throttle *throttle, struct watch *watch, const struct others *others)
{
    const uint64_t now_ms = clock_ms();
    const bool quiet = is_quiet(watch, others, now_ms);

    if (watch->last_ms) {
        const char *reason = NULL;
        const unsigned strain =
            throttle->signals ? signals_strain(throttle->signals, !quiet, &reason) : 0;
        pthread_mutex_lock(&throttle->lock);
        const bool was_alone = throttle->tempo.is_alone;
        balance(throttle);
        if (reason)
            throttle->strained = reason;
        tempo_look(&throttle->tempo, quiet, strain);
        const bool is_alone = throttle->tempo.is_alone;
        tell(throttle);
        pthread_mutex_unlock(&throttle->lock);
        if (was_alone != is_alone)
            LOG(LOG_DEBUG, is_alone ? "nobody else is at work: full speed"
                                    : "others are at work: gently from here on");
    }
    watch->last_ms = now_ms;
}

/* A server that does not answer counts as busy: what was known of it stays. */
static bool look_around(void *argument, struct cancel *cancel, struct error *err)
{
    struct throttle *throttle = argument;
    const struct dsn *dsn = throttle->job.dsn;
    struct watch watch = {.db = NULL};

    do {
        struct error trouble = ERROR_INIT;
        struct others others = {.statements = 0};
        if (watch.db && db_is_lost(watch.db)) {
            db_close(watch.db);
            watch.db = NULL;
        }
        if (!watch.db)
            watch.db = db_open(dsn, "throttle", &trouble);
        if (watch.db && dsn->dialect->server->look_at_others(watch.db, &others, &trouble))
            take_look(throttle, &watch, &others);
        else
            LOG(LOG_DEBUG, "cannot see who else is at work", F("error", trouble.text));
    } while (cancel_sleep_ms(cancel, TEMPO_LOOK_MS));
    db_close(watch.db);
    (void)err;
    return true;
}

static void note_commit(void *owner, uint64_t took_us)
{
    throttle_note_commit(owner, took_us);
}

static void note_first_look(void *owner, bool some_are_late)
{
    struct throttle *throttle = owner;
    const char *reason = NULL;
    /* Company is not known yet; what counts in it alone waits for the next look. */
    const unsigned strain = signals_strain(throttle->signals, false, &reason);

    pthread_mutex_lock(&throttle->lock);
    balance(throttle);
    if (reason)
        throttle->strained = reason;
    tempo_limit(&throttle->tempo, strain);
    if (some_are_late)
        tempo_ease_in(&throttle->tempo);
    throttle->knows_limits = true;
    tell(throttle);
    pthread_mutex_unlock(&throttle->lock);
}

static bool watch_signals(void *argument, struct cancel *cancel, struct error *err UNUSED)
{
    struct throttle *throttle = argument;

    const struct signals_listener listener = {
        .owner = throttle, .commit = note_commit, .first_look = note_first_look};

    signals_watch(throttle->signals, cancel, &listener);
    return true;
}

static bool start_watching(struct throttle *throttle, struct error *err)
{
    const struct throttle_job *job = &throttle->job;

    if (job->limits) {
        const struct signals_job signals = {
            .dsn = job->dsn,
            .limits = job->limits,
            .progress = job->progress,
            .heartbeat = job->heartbeat,
        };
        throttle->signals = signals_new(&signals);
        if (!group_start(throttle->watch, "signals", watch_signals, throttle, err))
            return false; /* uncovered: no thread can be had */
    }
    return (!job->minds_company && !job->limits) ||
           group_start(throttle->watch, "throttle", look_around, throttle, err);
}

struct throttle *throttle_start(const struct throttle_job *job, struct error *err)
{
    struct throttle *throttle = must_alloc(sizeof *throttle);
    pthread_condattr_t attributes;

    *throttle =
        (struct throttle){.job = *job, .watch = group_new(NULL), .knows_limits = !job->limits};
    (void)pthread_mutex_init(&throttle->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&throttle->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    throttle->balanced_at_us = clock_us();
    tempo_begin(&throttle->tempo, job->threads, job->minds_company);
    flow_begin(&throttle->flow, job->limits ? job->limits->lag_ms : 0);
    tell(throttle);
    if (start_watching(throttle, err))
        return throttle;
    throttle_stop(throttle); /* uncovered: no thread can be had */
    return NULL;             /* uncovered: the same */
}

void throttle_stop(struct throttle *throttle)
{
    struct error ignored = ERROR_INIT;

    if (!throttle)
        return; /* uncovered: it was not started, no thread can be had */
    group_cancel(throttle->watch);
    (void)!group_join(throttle->watch, &ignored);
    signals_free(throttle->signals);
    (void)pthread_cond_destroy(&throttle->changed);
    (void)pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

/* ---- work and rest ---- */

static void wait_a_little(struct throttle *throttle)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_AGAIN_US * 1000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    (void)pthread_cond_timedwait(&throttle->changed, &throttle->lock, &until);
}

bool throttle_enter(struct throttle *throttle, struct cancel *cancel, struct error *err)
{
    bool good;

    pthread_mutex_lock(&throttle->lock);
    while ((good = cancel_check(cancel, err)) && !may_enter(throttle))
        wait_a_little(throttle);
    throttle->at_work += good;
    pthread_mutex_unlock(&throttle->lock);
    return good;
}

void throttle_leave(struct throttle *throttle, uint64_t worked_us)
{
    pthread_mutex_lock(&throttle->lock);
    balance(throttle);
    throttle->at_work--;
    throttle->balance_us -= (double)worked_us;
    flow_worked(&throttle->flow, clock_ms(), worked_us);
    pthread_cond_broadcast(&throttle->changed);
    pthread_mutex_unlock(&throttle->lock);
}

bool throttle_await(struct throttle *throttle, struct cancel *cancel, struct error *err)
{
    bool good;

    pthread_mutex_lock(&throttle->lock);
    while ((good = cancel_check(cancel, err)) && !places(throttle))
        wait_a_little(throttle);
    pthread_mutex_unlock(&throttle->lock);
    return good;
}

void throttle_hold(struct throttle *throttle, enum hold who, const char *reason)
{
    pthread_mutex_lock(&throttle->lock);
    balance(throttle);
    throttle->holds[who] = reason;
    tell(throttle);
    pthread_mutex_unlock(&throttle->lock);
}

void throttle_release(struct throttle *throttle, enum hold who)
{
    throttle_hold(throttle, who, NULL);
}

void throttle_set_threads(struct throttle *throttle, unsigned threads)
{
    pthread_mutex_lock(&throttle->lock);
    balance(throttle);
    throttle->tempo.threads = threads;
    tell(throttle);
    pthread_mutex_unlock(&throttle->lock);
}

void throttle_set_limits(struct throttle *throttle, const struct limits *limits)
{
    signals_set_limits(throttle->signals, limits);
    pthread_mutex_lock(&throttle->lock);
    balance(throttle);
    if (throttle->flow.limit_ms != limits->lag_ms)
        flow_begin(&throttle->flow, limits->lag_ms);
    tell(throttle);
    pthread_mutex_unlock(&throttle->lock);
}

void throttle_set_piece_us(struct throttle *throttle, uint64_t wanted_us)
{
    pthread_mutex_lock(&throttle->lock);
    throttle->piece_us = wanted_us;
    pthread_mutex_unlock(&throttle->lock);
}

/* Near a limit pieces shrink as well: a replica shows each of them as a lag of its own. */
static double longest_piece_us(const struct throttle *throttle)
{
    const double piece_us = (double)TUNED("PIECE_US", PIECE_US);
    const double near = piece_us * throttle->tempo.allowance / TEMPO_FULL;
    const double gentle = power(throttle) < TEMPO_FULL ? near : INFINITY;

    return fmax(fmin(gentle, flow_piece_us(&throttle->flow)), LEAST_PIECE_US);
}

uint64_t throttle_piece_us(struct throttle *throttle, uint64_t wanted_us)
{
    pthread_mutex_lock(&throttle->lock);
    wanted_us = throttle->piece_us ? throttle->piece_us : wanted_us;
    const double longest_us = longest_piece_us(throttle);
    pthread_mutex_unlock(&throttle->lock);
    return (double)wanted_us > longest_us ? (uint64_t)longest_us : wanted_us;
}

unsigned throttle_threads(struct throttle *throttle)
{
    pthread_mutex_lock(&throttle->lock);
    const unsigned threads = places(throttle);
    pthread_mutex_unlock(&throttle->lock);
    return threads ? threads : 1;
}

void throttle_note_commit(struct throttle *throttle, uint64_t took_us)
{
    pthread_mutex_lock(&throttle->lock);
    tempo_commit(&throttle->tempo, took_us);
    pthread_mutex_unlock(&throttle->lock);
}

void throttle_note_lag(struct throttle *throttle, bool is_known, uint64_t lag_ms)
{
    pthread_mutex_lock(&throttle->lock);
    balance(throttle);
    throttle->lags = is_known && lag_ms > 2 * HEARTBEAT_MS;
    if (is_known)
        flow_look(&throttle->flow, clock_ms(), lag_ms);
    else
        flow_begin(&throttle->flow, throttle->flow.limit_ms);
    tell(throttle);
    pthread_mutex_unlock(&throttle->lock);
}
