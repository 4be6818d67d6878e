/*
 * The set of states that a search has seen, each with the number of ways from
 * it to an end.  A state is known by 128 bits of hash: two that share them
 * would be taken for one, which does not happen to a few million.
 */
#ifndef OSC_TESTS_STATE_SET_H
#define OSC_TESTS_STATE_SET_H

#include <stdbool.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

struct seen_state {
    uint64_t hash[2]; /* both 0: free */
    double ways;
};

struct state_set {
    struct seen_state *slots;
    size_t size, n;
};

static inline uint64_t state_hash(const unsigned char *bytes, size_t length, uint64_t hash)
{
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ bytes[i]) * 1099511628211u;
        hash ^= hash >> 29;
    }
    return hash | 1;
}

/* The state's place, and in *is_new whether it was not there. */
static inline struct seen_state *state_set_add(struct state_set *set, const void *state,
                                               size_t length, bool *is_new)
{
    const uint64_t a = state_hash(state, length, 14695981039346656037u);
    const uint64_t b = state_hash(state, length, 88172645463325252u);
    size_t slot = (size_t)(a >> 7) % set->size;

    while (set->slots[slot].hash[0] &&
           (set->slots[slot].hash[0] != a || set->slots[slot].hash[1] != b))
        slot = (slot + 1) % set->size;
    *is_new = !set->slots[slot].hash[0];
    if (*is_new) {
        set->slots[slot] = (struct seen_state){
            .hash = {a, b}
        };
        assert_true(++set->n < set->size * 3 / 4);
    }
    return &set->slots[slot];
}

#endif
