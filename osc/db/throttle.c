#include "osc/db/throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/group.h"
#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/db/server.h"
#include "osc/db/tempo.h"

enum {
    PIECE_IN_COMPANY_US = 40000,
    COMPANY_PER_S = 20,    /* fewer statements are a monitor's, or somebody's at a prompt */
    LOOK_AGAIN_US = 20000, /* a token that is set wakes nobody */
};

struct throttle {
    const struct dsn *dsn;
    unsigned threads;
    struct group *watch;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tempo tempo GUARDED_BY(lock);
    unsigned at_work GUARDED_BY(lock);
    uint64_t rest_until_us GUARDED_BY(lock);
};

/* ---- who else is at work? ---- */

struct watch {
    struct db *db;
    struct others last;
    uint64_t last_ms; /* 0: none yet */
};

static bool is_quiet(const struct watch *watch, const struct others *others, uint64_t now_ms)
{
    /* Counted later than our own, theirs may seem to run backwards. */
    const uint64_t statements = others->statements > watch->last.statements
                                    ? others->statements - watch->last.statements
                                    : 0;

    return !others->sessions &&
           statements * 1000 < (uint64_t)COMPANY_PER_S * (now_ms - watch->last_ms + 1);
}

static void take_look(struct throttle *throttle, struct watch *watch, const struct others *others)
{
    const uint64_t now_ms = clock_ms();

    if (watch->last_ms) {
        pthread_mutex_lock(&throttle->lock);
        const bool was_alone = throttle->tempo.is_alone;
        tempo_look(&throttle->tempo, is_quiet(watch, others, now_ms));
        const bool is_alone = throttle->tempo.is_alone;
        pthread_cond_broadcast(&throttle->changed);
        pthread_mutex_unlock(&throttle->lock);
        if (was_alone != is_alone)
            LOG(LOG_DEBUG, is_alone ? "nobody else is at work: full speed"
                                    : "others are at work: gently from here on");
    }
    watch->last = *others;
    watch->last_ms = now_ms;
}

/* A server that does not answer counts as busy: what was known of it stays. */
static bool look_around(void *argument, struct cancel *cancel, struct error *err)
{
    struct throttle *throttle = argument;
    struct watch watch = {.db = NULL};

    do {
        struct error trouble = ERROR_INIT;
        struct others others = {.statements = 0};
        if (watch.db && db_is_lost(watch.db)) {
            db_close(watch.db);
            watch = (struct watch){.db = NULL};
        }
        if (!watch.db)
            watch.db = db_open(throttle->dsn, "throttle", &trouble);
        if (watch.db && throttle->dsn->dialect->server->look_at_others(watch.db, &others, &trouble))
            take_look(throttle, &watch, &others);
        else
            LOG(LOG_DEBUG, "cannot see who else is at work", F("error", trouble.text));
    } while (cancel_sleep_ms(cancel, TEMPO_LOOK_MS));
    db_close(watch.db);
    (void)err;
    return true;
}

struct throttle *throttle_start(const struct dsn *dsn, unsigned threads, bool adapts,
                                struct error *err)
{
    struct throttle *throttle = must_alloc(sizeof *throttle);
    pthread_condattr_t attributes;

    *throttle = (struct throttle){.dsn = dsn, .threads = threads, .watch = group_new(NULL)};
    (void)pthread_mutex_init(&throttle->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&throttle->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    tempo_begin(&throttle->tempo);
    throttle->tempo.is_alone = !adapts;
    if (!adapts || group_start(throttle->watch, "throttle", look_around, throttle, err))
        return throttle;
    throttle_stop(throttle);
    return NULL;
}

void throttle_stop(struct throttle *throttle)
{
    struct error ignored = ERROR_INIT;

    if (!throttle)
        return;
    group_cancel(throttle->watch);
    (void)!group_join(throttle->watch, &ignored);
    (void)pthread_cond_destroy(&throttle->changed);
    (void)pthread_mutex_destroy(&throttle->lock);
    free(throttle);
}

/* ---- work and rest ---- */

static unsigned places(const struct throttle *throttle)
{
    return throttle->tempo.is_alone ? throttle->threads : 1;
}

static void wait_us(struct throttle *throttle, uint64_t us)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)us * 1000;
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
    while ((good = cancel_check(cancel, err))) {
        const uint64_t now = clock_us(), until = throttle->rest_until_us;
        if (throttle->at_work >= places(throttle))
            wait_us(throttle, LOOK_AGAIN_US);
        else if (!throttle->tempo.is_alone && now < until)
            wait_us(throttle, until - now < LOOK_AGAIN_US ? until - now : LOOK_AGAIN_US);
        else
            break;
    }
    throttle->at_work += good;
    pthread_mutex_unlock(&throttle->lock);
    return good;
}

void throttle_leave(struct throttle *throttle, uint64_t worked_us)
{
    pthread_mutex_lock(&throttle->lock);
    throttle->at_work--;
    throttle->rest_until_us = clock_us() + tempo_rest_us(&throttle->tempo, worked_us);
    pthread_cond_broadcast(&throttle->changed);
    pthread_mutex_unlock(&throttle->lock);
}

uint64_t throttle_piece_us(struct throttle *throttle, uint64_t wanted_us)
{
    const uint64_t most = TUNED("PIECE_US", PIECE_IN_COMPANY_US);

    pthread_mutex_lock(&throttle->lock);
    const bool is_short = !throttle->tempo.is_alone && wanted_us > most;
    pthread_mutex_unlock(&throttle->lock);
    return is_short ? most : wanted_us;
}

unsigned throttle_threads(struct throttle *throttle)
{
    pthread_mutex_lock(&throttle->lock);
    const unsigned threads = places(throttle);
    pthread_mutex_unlock(&throttle->lock);
    return threads;
}

void throttle_note_commit(struct throttle *throttle, uint64_t took_us)
{
    pthread_mutex_lock(&throttle->lock);
    tempo_commit(&throttle->tempo, took_us);
    pthread_mutex_unlock(&throttle->lock);
}
