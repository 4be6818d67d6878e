#include "osc/control/orders.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/clock.h"

struct standing_orders {
    pthread_mutex_t lock;
    struct arena *arena; /* grows with each osc set, a few hundred bytes */
    const char *text GUARDED_BY(lock);
    struct options options GUARDED_BY(lock);
    struct rules rules GUARDED_BY(lock);
    bool is_paused GUARDED_BY(lock), is_let_go GUARDED_BY(lock);
    uint64_t number GUARDED_BY(lock);
};

struct standing_orders *standing_orders_new(const struct options *options, struct error *err)
{
    struct standing_orders *standing = must_alloc(sizeof *standing);

    *standing = (struct standing_orders){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .arena = arena_new(),
        .text = "",
        .options = *options,
    };
    if (rules_read(options, standing->arena, &standing->rules, err))
        return standing;
    standing_orders_free(standing);
    return NULL;
}

void standing_orders_free(struct standing_orders *standing)
{
    if (!standing)
        return;
    arena_free(standing->arena);
    free(standing);
}

static bool take_options(struct standing_orders *standing, const char *text, struct error *err)
{
    struct options options = standing->options;
    struct rules rules;

    if (strcmp(text, standing->text) == 0)
        return true;
    standing->text = arena_string(standing->arena, text);
    /* Those that were given to this run stand in the row as well, see migration_save_options(). */
    options_forget_origins(&options);
    if (!options_recall(&options, standing->text, standing->arena, err) ||
        !rules_read(&options, standing->arena, &rules, err))
        return false;
    memcpy(options.said, standing->options.said, sizeof options.said);
    standing->options = options;
    standing->rules = rules;
    return true;
}

/* The main thread and the keeper read by turns: who reads first may come last. */
bool standing_orders_take(struct standing_orders *standing, const struct orders *orders,
                          struct error *err)
{
    bool good = true;

    pthread_mutex_lock(&standing->lock);
    if (orders->number >= standing->number) {
        standing->number = orders->number;
        standing->is_paused = *orders->paused;
        standing->is_let_go = *orders->let_go;
        good = take_options(standing, orders->options, err);
    }
    pthread_mutex_unlock(&standing->lock);
    return good;
}

struct rest standing_orders_rest(struct standing_orders *standing, enum errand errand)
{
    pthread_mutex_lock(&standing->lock);
    const struct rest rest = rules_rest(&standing->rules, errand, standing->is_paused,
                                        standing->is_let_go, clock_calendar());
    pthread_mutex_unlock(&standing->lock);
    return rest;
}

struct options standing_orders_options(struct standing_orders *standing)
{
    pthread_mutex_lock(&standing->lock);
    const struct options options = standing->options;
    pthread_mutex_unlock(&standing->lock);
    return options;
}

const struct zone *standing_orders_zone(struct standing_orders *standing)
{
    pthread_mutex_lock(&standing->lock);
    const struct zone *zone = standing->rules.zone;
    pthread_mutex_unlock(&standing->lock);
    return zone;
}
