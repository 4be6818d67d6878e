/*
 * What one writer knows about its rows; shared by the files of the witness only.
 */
#ifndef OSC_TESTS_LEDGER_H
#define OSC_TESTS_LEDGER_H

#include "witness.h"

struct record {
    int64_t ordinal;
    unsigned seen; /* rows with this key in the table, while it is read */
    bool has_previous;
    struct image now;
    struct image previous; /* before the last acknowledged write */
    struct image *maybe;   /* the other possible state, when a reply never came */
    uint64_t doubt;        /* which transaction that was */
};

enum { CHUNK_RECORDS = 1024 };

struct plan {
    int64_t ordinal;
    struct image image;
};

struct ledger {
    const struct witness *witness;
    struct record **chunks; /* records never move */
    size_t count, chunk_room;
    uint32_t *slots; /* open addressing; 0 is free, else index + 1 */
    size_t slot_count;
    struct plan *plans;
    size_t plan_count, plan_room;
    uint64_t doubts;
};

struct ledger *ledger_new(const struct witness *w);
void ledger_free(struct ledger *l);

struct record *ledger_at(const struct ledger *l, size_t index);
struct record *ledger_find(const struct ledger *l, int64_t ordinal);
struct record *ledger_record(struct ledger *l, int64_t ordinal); /* makes it when missing */

/* The state of a row that creation made and nobody touched; absent when it made none. */
void witness_pristine(const struct witness *w, int64_t ordinal, struct image *image);
/* SELECT of all used columns in the shape's order (NULL for the unused). */
void witness_select(const struct witness *w, const struct link *link, unsigned names,
                    struct statement *s);

#endif
