#include "verifier/walk.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEWEST_ROWS = 50, MOST_ROWS = 1000000 };

/* A range that was handed out and is not known to be equal. */
struct open_range {
    struct open_range *next; /* in key order */
    uint64_t number;
    const char **after; /* malloced; NULL: from the start */
};

struct walk {
    const struct plan *plan;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct open_range *open GUARDED_BY(lock), **last GUARDED_BY(lock);
    const char **after GUARDED_BY(lock); /* where the next range begins */
    uint64_t next_number GUARDED_BY(lock);
    uint64_t first_divergent GUARDED_BY(lock); /* stays open for good */
    unsigned workers GUARDED_BY(lock);
    bool is_searching GUARDED_BY(lock); /* somebody is finding the next bound */
    bool is_at_end GUARDED_BY(lock);
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

static void copy_bound(const struct walk *walk, struct bound *bound, const char **literals,
                       struct arena *arena)
{
    *bound = (struct bound){.literals = NULL};
    if (!literals)
        return;
    bound->literals = ARENA_ARRAY(arena, const char *, walk->plan->key->n_columns);
    for (size_t i = 0; i < walk->plan->key->n_columns; i++)
        bound->literals[i] = arena_string(arena, literals[i]);
}

/* ---- start, end, watermark ---- */

static bool read_watermark(struct walk *walk, const char *watermark, struct error *err)
{
    const size_t n = walk->plan->key->n_columns;
    json_t *json = json_loads(watermark, 0, NULL);
    const json_t *list = json_object_get(json, "verified_through");
    const char **literals = must_alloc(sizeof *literals * n);
    bool good = json_array_size(list) == n;

    for (size_t i = 0; good && i < n; i++) {
        literals[i] = json_string_value(json_array_get(list, i));
        good = literals[i] != NULL;
    }
    if (good)
        walk->after = keep_bound(walk, literals);
    free(literals);
    json_decref(json);
    return good
               ? true
               : error_set(err, ERROR_SYSTEM, "the stored watermark cannot be read: %s", watermark);
}

struct walk *walk_new(const struct plan *plan, const char *watermark, struct error *err)
{
    struct walk *walk = must_alloc(sizeof *walk);
    pthread_condattr_t attributes;

    walk->plan = plan;
    walk->last = &walk->open;
    walk->next_number = 1;
    walk->first_divergent = UINT64_MAX;
    (void)pthread_mutex_init(&walk->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&walk->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (watermark && *watermark && plan->key_keeps_order && !read_watermark(walk, watermark, err)) {
        walk_free(walk);
        return NULL;
    }
    return walk;
}

void walk_free(struct walk *walk)
{
    if (!walk)
        return;
    while (walk->open) {
        struct open_range *range = walk->open;
        walk->open = range->next;
        drop_bound(walk, range->after);
        free(range);
    }
    drop_bound(walk, walk->after);
    (void)pthread_cond_destroy(&walk->changed);
    (void)pthread_mutex_destroy(&walk->lock);
    free(walk);
}

const char *walk_watermark(struct walk *walk, struct arena *arena)
{
    const char *watermark = NULL;
    bool good = true;

    pthread_mutex_lock(&walk->lock);
    const char **through = walk->open ? walk->open->after : walk->after;
    json_t *list = json_array();
    /* A literal that is not UTF-8 cannot be stored: a later run starts over. */
    for (size_t i = 0; through && i < walk->plan->key->n_columns; i++)
        good &= json_array_append_new(list, json_string(through[i])) == 0;
    pthread_mutex_unlock(&walk->lock);
    json_t *json = json_pack("{s:o}", "verified_through", list);
    char *dump = good && through ? json_dumps(json, JSON_COMPACT) : NULL;
    if (dump)
        watermark = arena_string(arena, dump);
    free(dump);
    json_decref(json);
    return watermark;
}

/* ---- ranges ---- */

static bool wait_for_turn(struct walk *walk)
{
    pthread_mutex_lock(&walk->lock);
    while (walk->is_searching)
        (void)pthread_cond_wait(&walk->changed, &walk->lock);
    const bool is_left = !walk->is_at_end;
    walk->is_searching = is_left;
    pthread_mutex_unlock(&walk->lock);
    return is_left;
}

/* The open list owns where the range begins, the walk where the next one does. */
static void add_open(struct walk *walk, struct range *range)
{
    struct open_range *open = must_alloc(sizeof *open);

    range->number = open->number = walk->next_number++;
    open->after = walk->after;
    *walk->last = open;
    walk->last = &open->next;
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
    copy_bound(walk, &range->after, walk->after, arena);
    range->through.literals = NULL;
    if (walk->plan->key_keeps_order)
        good = range_next(db, walk->plan, &range->after, rows, &range->through, arena, err);
    pthread_mutex_lock(&walk->lock);
    if (good)
        add_open(walk, range);
    walk->is_searching = false;
    pthread_cond_broadcast(&walk->changed);
    pthread_mutex_unlock(&walk->lock);
    return good;
}

void walk_done(struct walk *walk, const struct range *range, bool is_equal)
{
    pthread_mutex_lock(&walk->lock);
    struct open_range **link = &walk->open;
    while (*link && (*link)->number != range->number)
        link = &(*link)->next;
    struct open_range *open = *link;
    if (!open)
        bug("range %" PRIu64 " was not handed out", range->number);
    if (!is_equal && range->number < walk->first_divergent) {
        walk->first_divergent = range->number;
    } else {
        *link = open->next;
        if (walk->last == &open->next)
            walk->last = link;
        drop_bound(walk, open->after);
        free(open);
    }
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
