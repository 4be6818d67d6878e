#include "osc/base/clock.h"

#include <stdlib.h>
#include <time.h>

#include "osc/base/fail.h"

uint64_t clock_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_ms(void)
{
    return clock_us() / 1000;
}

int64_t clock_calendar(void)
{
    return MOVED((int64_t)time(NULL));
}

struct deadline deadline_in_ms(uint64_t ms)
{
    return (struct deadline){.at_ms = clock_ms() + ms};
}

bool deadline_passed(const struct deadline *deadline)
{
    return clock_ms() >= deadline->at_ms;
}

uint64_t deadline_left_ms(const struct deadline *deadline)
{
    const uint64_t now = clock_ms();

    return now >= deadline->at_ms ? 0 : deadline->at_ms - now;
}

uint64_t backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t cap_ms)
{
    static _Thread_local unsigned seed;
    uint64_t whole = base_ms;

    if (!seed)
        seed = (unsigned)clock_us() | 1;
    while (attempt-- && whole < cap_ms)
        whole *= 2;
    whole = whole < cap_ms ? whole : cap_ms;
    return whole / 2 + (uint64_t)rand_r(&seed) % (whole / 2 + 1);
}

uint64_t backoff_until_ms(const struct deadline *until, unsigned attempt, uint64_t base_ms,
                          uint64_t cap_ms)
{
    const uint64_t pause = backoff_ms(attempt, base_ms, cap_ms);
    const uint64_t left = deadline_left_ms(until);

    return pause < left ? pause : left < base_ms ? base_ms : left;
}
