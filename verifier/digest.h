/*
 * Digest: how many rows of a range there are, and a number they all go into.  Where rows can be
 * compared side by side for less, the number is how many differ, which is to be none.
 *
 * The number is the sum of 64-bit hashes of the rows: no order matters, a row
 * that comes twice counts twice, and two sets of rows that differ have the
 * same sum once in 2^64 cases.  Both tables are read by one statement, which
 * is one snapshot.
 */
#ifndef OSC_VERIFIER_DIGEST_H
#define OSC_VERIFIER_DIGEST_H

#include "osc/plan/range.h"

struct digest {
    uint64_t rows;
    const char *sum;
};

/* A range of the key: after < key <= through. */
struct range {
    uint64_t number; /* in the order of the key, from 1 */
    struct bound after, through;
};

/*
 * An environment for the verifier's templates, on top of the plan's:
 *   {source_hash} {shadow_hash}     of a row, over t and s
 */
void digest_bind(const struct plan *plan, struct sql_env *env);

/*
 * Adds to `env` what the templates of one range need:
 *   {source_range} {shadow_range}   conditions on t and s
 *   {source_force}                  makes the source be read by the key's index, or ""
 *   {source_excuse} {shadow_excuse} leave out rows whose key is in the journal, or ""
 */
void digest_bind_range(const struct plan *plan, struct sql_env *env, const struct range *range,
                       bool excuses);

/* The value of the map's column, over t, in the type of the shadow's column. */
const char *digest_source_value(const struct plan *plan, size_t i, struct arena *arena);

/* Both tables' digests of a bound range, read from one snapshot. */
bool digest_range(struct db *db, const struct sql_env *env, struct digest *source,
                  struct digest *shadow, struct arena *arena, struct error *err) MUST_CHECK;

bool digest_is_equal(const struct digest *a, const struct digest *b);

/* False when a row's hash could not be computed. */
bool digest_is_sound(const struct digest *digest);

#endif
