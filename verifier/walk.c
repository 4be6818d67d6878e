#include "verifier/walk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEWEST_ROWS = 50, MOST_ROWS = 1000000 };

struct walk {
    const struct plan *plan;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const char **after GUARDED_BY(lock); /* where the next range begins */
    uint64_t next_number GUARDED_BY(lock);
    unsigned workers GUARDED_BY(lock);
    bool is_searching GUARDED_BY(lock); /* somebody is finding the next bound */
    bool is_at_end GUARDED_BY(lock);
    uint64_t ends_before GUARDED_BY(lock); /* number of a range; 0: none */
    const char **rest GUARDED_BY(lock);    /* where that range begins */
};

/* ---- bounds that outlive an arena ---- */

static const char **keep_bound(const struct walk *walk, const char *const *literals)
{
    if (!literals)
        return NULL;
    const size_t n = walk->plan->key->n_columns;
    char **kept = must_alloc(sizeof *kept * n);
    for (size_t i = 0; i < n; i++) {
        const size_t size = strlen(literals[i]) + 1;
        kept[i] = must_alloc(size);
        memcpy(kept[i], literals[i], size);
    }
    return (const char **)kept;
}

static void drop_bound(const struct walk *walk, const char **literals)
{
    if (!literals)
        return;
    for (size_t i = 0; i < walk->plan->key->n_columns; i++)
        free((char *)(uintptr_t)literals[i]);
    free(literals);
}

/* ---- start and end ---- */

struct walk *walk_new(const struct plan *plan, const struct bound *after)
{
    struct walk *walk = must_alloc(sizeof *walk);
    pthread_condattr_t attributes;

    walk->plan = plan;
    walk->after = keep_bound(walk, after ? after->literals : NULL);
    walk->next_number = 1;
    (void)pthread_mutex_init(&walk->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&walk->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return walk;
}

void walk_free(struct walk *walk)
{
    drop_bound(walk, walk->after);
    drop_bound(walk, walk->rest);
    (void)pthread_cond_destroy(&walk->changed);
    (void)pthread_mutex_destroy(&walk->lock);
    free(walk);
}

/* ---- ranges ---- */

static bool wait_for_turn(struct walk *walk)
{
    pthread_mutex_lock(&walk->lock);
    while (walk->is_searching)
        (void)pthread_cond_wait(&walk->changed, &walk->lock);
    const bool is_left = !walk->is_at_end && !walk->ends_before;
    walk->is_searching = is_left;
    pthread_mutex_unlock(&walk->lock);
    return is_left;
}

static void go_on_behind(struct walk *walk, struct range *range)
{
    range->number = walk->next_number++;
    drop_bound(walk, walk->after);
    walk->after = keep_bound(walk, range->through.literals);
    walk->is_at_end = !walk->after;
}

bool walk_take(struct walk *walk, struct db *db, uint64_t rows, struct arena *arena,
               struct range *range, bool *found, struct error *err)
{
    bool good = true;

    *found = wait_for_turn(walk);
    if (!*found)
        return true;
    /* Only whoever has the turn moves `after`. */
    const struct bound after = {.literals = walk->after};
    range->after = bound_copy(walk->plan, &after, arena);
    range->through.literals = NULL;
    if (walk->plan->key_keeps_order)
        good = range_next(db, walk->plan, &range->after, rows, &range->through, arena, err);
    pthread_mutex_lock(&walk->lock);
    *found = !walk->ends_before;
    if (good && *found)
        go_on_behind(walk, range);
    walk->is_searching = false;
    pthread_cond_broadcast(&walk->changed);
    pthread_mutex_unlock(&walk->lock);
    return good;
}

void walk_end_before(struct walk *walk, const struct range *range)
{
    pthread_mutex_lock(&walk->lock);
    if (!walk->ends_before || range->number < walk->ends_before) {
        walk->ends_before = range->number;
        drop_bound(walk, walk->rest);
        walk->rest = keep_bound(walk, range->after.literals);
    }
    pthread_mutex_unlock(&walk->lock);
}

void walk_rest(struct walk *walk, struct bound *after, struct arena *arena)
{
    pthread_mutex_lock(&walk->lock);
    const struct bound rest = {.literals = walk->ends_before ? walk->rest : walk->after};
    *after = bound_copy(walk->plan, &rest, arena);
    pthread_mutex_unlock(&walk->lock);
}

/* ---- workers ---- */

void walk_enter(struct walk *walk)
{
    pthread_mutex_lock(&walk->lock);
    walk->workers++;
    pthread_mutex_unlock(&walk->lock);
}

void walk_leave(struct walk *walk)
{
    pthread_mutex_lock(&walk->lock);
    walk->workers--;
    pthread_cond_broadcast(&walk->changed);
    pthread_mutex_unlock(&walk->lock);
}

bool walk_is_over(struct walk *walk, uint64_t ms)
{
    struct timespec until;
    int code = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&walk->lock);
    while (walk->workers && code == 0)
        code = pthread_cond_timedwait(&walk->changed, &walk->lock, &until);
    const bool is_over = !walk->workers;
    pthread_mutex_unlock(&walk->lock);
    return is_over;
}

uint64_t walk_pace(uint64_t rows, uint64_t elapsed_us, uint64_t target_us)
{
    double factor = elapsed_us ? (double)target_us / (double)elapsed_us : 4.0;

    factor = factor > 4.0 ? 4.0 : factor < 0.125 ? 0.125 : factor;
    /* Halfway towards the aim, unless far off: one slow range is no trend. */
    if (factor > 0.5)
        factor = (1 + factor) / 2;
    const double wanted = (double)rows * factor;
    return wanted < FEWEST_ROWS ? FEWEST_ROWS : wanted > MOST_ROWS ? MOST_ROWS : (uint64_t)wanted;
}
