#include "osc/base/grace.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "osc/base/arena.h"
#include "osc/base/clock.h"
#include "osc/base/fail.h"
#include "osc/base/log.h"

enum { SEATS = 256 /* more than there can be copy workers */, TELL_EVERY_MS = 10000 };

struct grace {
    pthread_mutex_t lock;
    pthread_cond_t left;
    uint64_t next GUARDED_BY(lock);
    uint64_t seats[SEATS] GUARDED_BY(lock); /* tickets that are inside; 0 is free */
};

struct grace *grace_new(void)
{
    struct grace *grace = must_alloc(sizeof *grace);

    (void)pthread_mutex_init(&grace->lock, NULL);
    (void)pthread_cond_init(&grace->left, NULL);
    grace->next = 1;
    return grace;
}

void grace_free(struct grace *grace)
{
    if (grace) {
        (void)pthread_cond_destroy(&grace->left);
        (void)pthread_mutex_destroy(&grace->lock);
    }
    free(grace);
}

uint64_t grace_enter(struct grace *grace)
{
    pthread_mutex_lock(&grace->lock);
    const uint64_t ticket = grace->next++;
    size_t seat = 0;
    while (seat < SEATS && grace->seats[seat])
        seat++;
    if (seat == SEATS)
        bug("more than %d chunks at once", SEATS);
    grace->seats[seat] = ticket;
    pthread_mutex_unlock(&grace->lock);
    return ticket;
}

void grace_leave(struct grace *grace, uint64_t ticket)
{
    pthread_mutex_lock(&grace->lock);
    for (size_t seat = 0; seat < SEATS; seat++)
        if (grace->seats[seat] == ticket)
            grace->seats[seat] = 0;
    pthread_cond_broadcast(&grace->left);
    pthread_mutex_unlock(&grace->lock);
}

static unsigned count_before(const struct grace *grace, uint64_t ticket)
{
    unsigned inside = 0;

    for (size_t seat = 0; seat < SEATS; seat++)
        inside += grace->seats[seat] && grace->seats[seat] < ticket;
    return inside;
}

bool grace_wait(struct grace *grace, struct cancel *cancel, struct error *err)
{
    bool good = true;

    const uint64_t began = clock_ms();
    uint64_t told = began;
    unsigned inside = 0;

    pthread_mutex_lock(&grace->lock);
    const uint64_t now = grace->next;
    while (good && (inside = count_before(grace, now))) {
        if (clock_ms() - told >= TUNED("TELL", TELL_EVERY_MS)) {
            told = clock_ms();
            pthread_mutex_unlock(&grace->lock);
            LOG(LOG_INFO, "replay waits for chunks that had started before", FU("chunks", inside),
                FR("for_s", (double)(told - began) / 1000));
            pthread_mutex_lock(&grace->lock);
        }
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 50 * 1000000L; /* a cancelled token signals nobody: look now and then */
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        (void)pthread_cond_timedwait(&grace->left, &grace->lock, &until);
        good = cancel_check(cancel, err);
    }
    pthread_mutex_unlock(&grace->lock);
    return good;
}
