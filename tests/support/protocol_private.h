/*
 * What the files of the model share: a state, and the way into the next.
 */
#ifndef OSC_TESTS_PROTOCOL_PRIVATE_H
#define OSC_TESTS_PROTOCOL_PRIVATE_H

#include <string.h>

#include "osc/base/macro.h"
#include "tests/support/protocol.h"

enum {
    KEYS = 2,
    CHUNKS = 2,
    WRITERS = PROTOCOL_WRITERS,
    OPS = PROTOCOL_OPS,
    ENTRIES = WRITERS * OPS * 2,
    BOTH = 3,
};

enum chunk_step { CHUNK_IDLE, CHUNK_REGISTERED, CHUNK_READ, CHUNK_WRITTEN, CHUNK_DONE };
enum purge_step { PURGE_IDLE, PURGE_READ, PURGE_DONE };
enum replay_step {
    REPLAY_IDLE,
    REPLAY_COLLECTED,
    REPLAY_READ,
    REPLAY_WAITED,
    REPLAY_DELETED,
    REPLAY_INSERTED
};
enum entry_step { ENTRY_NONE, ENTRY_PENDING, ENTRY_VISIBLE, ENTRY_FORGOTTEN };

struct row {
    unsigned char is_there, version, page;
};

/* One process of osc, with its connections. */
struct run {
    unsigned char chunk[CHUNKS];
    struct row read[CHUNKS][KEYS]; /* what a chunk read */
    unsigned char replay, waits_for, batch[ENTRIES];
    unsigned char purge, purges; /* keys that were journalled when it read the journal */
    unsigned char replaces;      /* keys whose rows its open transaction has deleted */
    unsigned char holds;         /* keys whose shadow rows its open transaction has changed */
    unsigned char left_out;      /* keys that another row's unique value keeps out */
    struct row image[KEYS];      /* what it inserts for them */
};

struct state {
    struct row source[KEYS];           /* committed */
    struct row pending[WRITERS][KEYS]; /* a writer's own view */
    unsigned char wrote[WRITERS];      /* keys it holds locks on */
    unsigned char pc[WRITERS];         /* 0…OPS: operations; OPS + 1: ended */
    unsigned char entry[ENTRIES], entry_key[ENTRIES];
    struct row shadow[KEYS], twin[KEYS]; /* the same key a second time, while nothing prevents it */
    unsigned char is_keyed, recorded;    /* the shadow's key is built; chunks with a record */
    struct run run, zombie;
    unsigned char is_taken_over, was_rolled_back, was_left_out;
};

/* What is explored: one search at a time. */
extern enum mutant protocol_mutant;
extern const struct writer *protocol_writers;

/* All that can follow; the number of ways from here to an end. */
double protocol_follow(const struct state *s);

/* A writer's next operation, and its end; 0 ways when it has to wait. */
double protocol_write(const struct state *before, int w);
double protocol_end_writer(const struct state *before, int w);

#endif
