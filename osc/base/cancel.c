#include "osc/base/cancel.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "osc/base/arena.h"
#include "osc/base/clock.h"

struct cancel {
    struct cancel *parent;
    atomic_bool is_set;
};

struct cancel *cancel_new(struct cancel *parent)
{
    struct cancel *cancel = must_alloc(sizeof *cancel);

    cancel->parent = parent;
    return cancel;
}

void cancel_free(struct cancel *cancel)
{
    free(cancel);
}

void cancel_set(struct cancel *cancel)
{
    atomic_store(&cancel->is_set, true);
}

bool cancel_is_set(const struct cancel *cancel)
{
    for (; cancel; cancel = cancel->parent)
        if (atomic_load(&cancel->is_set))
            return true;
    return false;
}

bool cancel_sleep_ms(struct cancel *cancel, uint64_t ms)
{
    const struct deadline until = deadline_in_ms(ms);

    /* Slices instead of a condition variable: a signal handler may set the token. */
    for (;;) {
        const uint64_t left = deadline_left_ms(&until);
        if (cancel_is_set(cancel))
            return false;
        if (!left)
            return true;
        const uint64_t slice = left < 20 ? left : 20;
        const struct timespec pause = {.tv_nsec = (long)slice * 1000000};
        (void)nanosleep(&pause, NULL);
    }
}

bool cancel_check(const struct cancel *cancel, struct error *err)
{
    return cancel_is_set(cancel) ? error_set(err, ERROR_CANCELLED, "cancelled") : true;
}
