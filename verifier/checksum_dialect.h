/*
 * What proof asks of a kind of server: one number for a row, or whether two rows are the same.
 */
#ifndef OSC_VERIFIER_CHECKSUM_DIALECT_H
#define OSC_VERIFIER_CHECKSUM_DIALECT_H

#include "osc/plan/plan.h"

struct checksum_dialect {
    /*
     * A 64-bit number that every bit of every value goes into, and no sum of
     * functions of single columns: values exchanged between two rows must
     * change the sum over the rows.  refs[i] is a value of columns[i]'s type.
     * What the server cannot digest must yield more than DIGEST_POISON.
     */
    const char *(*row_hash)(const struct column *const *columns, const char *const *refs, size_t n,
                            struct arena *arena);

    /*
     * A condition over t and s that holds when each of the map's values is the same, bit by bit.
     * It is never NULL, and where it does not hold the hashes have the last word.  NULL where
     * hashing both rows is all there is: rows find their partners by equal keys of equal types.
     */
    const char *(*same_row)(const struct plan *plan, const struct column *const *columns,
                            const char *const *values, const char *const *refs,
                            struct arena *arena);
    bool has_full_join; /* else a row looks its partner up, and the shadow's are counted */
    /* Statement: until the end of the transaction, by the key's index.  NULL: it is anyway. */
    const char *walk_in_order;

    /* A condition: a and b differ in a bit, or one of them is NULL. */
    const char *(*differs)(const struct column *column, const char *a, const char *b,
                           struct arena *arena);

    /* The value as text for people. */
    const char *(*shown)(const struct column *column, const char *ref, struct arena *arena);

    const char *as_bytes; /* printf format: a text expression, so that it sorts by its bytes */
};

/* 10^32: more than any sum of 64-bit numbers over a table reaches. */
#define DIGEST_POISON "100000000000000000000000000000000"

extern const struct checksum_dialect mysql_checksum;
extern const struct checksum_dialect postgres_checksum;

#endif
