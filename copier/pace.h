/*
 * Pace: how much to put into the next chunk so that it takes the time it should.
 */
#ifndef OSC_COPIER_PACE_H
#define OSC_COPIER_PACE_H

#include <stdint.h>

struct pace {
    uint64_t target_us; /* what a chunk should take */
    uint64_t size;      /* positions, or rows, of the next chunk */
    uint64_t least;     /* never fewer: below it a chunk's time is the commit's, not the rows';
                           0 is 1 */
    uint64_t most;      /* never more */
};

/* Chunks should take that long from now on: smaller ones at once, larger ones as it is learned. */
void pace_aim(struct pace *pace, uint64_t target_us);

/* The chunk of `size` took `elapsed_us`: grows by half at most, shrinks to a quarter at most. */
void pace_learn(struct pace *pace, uint64_t size, uint64_t elapsed_us);

#endif
