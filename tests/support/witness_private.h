/*
 * The inside of the witness, for its own files.
 */
#ifndef OSC_TESTS_WITNESS_PRIVATE_H
#define OSC_TESTS_WITNESS_PRIVATE_H

#include "witness.h"

struct hot {
    int64_t base;
    uint64_t acknowledged, unknown; /* atomic: every writer counts here */
};

struct witness {
    struct target target;
    unsigned writers;
    uint64_t rows, block;
    struct hot hot[HOT_ROWS];
    char **literals; /* values found at the start; only read once writers run */
    size_t literal_count, literal_room;
    struct ledger *ledgers[];
};

unsigned witness_owner(const struct witness *w, int64_t ordinal);
bool witness_is_hot(const struct witness *w, int64_t ordinal);

#endif
