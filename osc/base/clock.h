/*
 * Clock: monotonic time, the calendar, deadlines and jittered backoff.
 */
#ifndef OSC_BASE_CLOCK_H
#define OSC_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

uint64_t clock_us(void); /* monotonic, microseconds */
uint64_t clock_ms(void);
/* Seconds since 1970 by the calendar; tests move it: a file "clock" beside their failpoints. */
int64_t clock_calendar(void);

struct deadline {
    uint64_t at_ms; /* on clock_ms() */
};

struct deadline deadline_in_ms(uint64_t ms);
bool deadline_passed(const struct deadline *deadline);
uint64_t deadline_left_ms(const struct deadline *deadline); /* 0 when passed */

/* Exponential backoff with jitter: between half and the whole of base * 2^attempt, capped. */
uint64_t backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t cap_ms);
/* The same, but not beyond the deadline: the last attempt comes when it passes. */
uint64_t backoff_until_ms(const struct deadline *until, unsigned attempt, uint64_t base_ms,
                          uint64_t cap_ms);

#endif
