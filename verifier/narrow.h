/*
 * Narrow: from a range that differs down to its rows.
 *
 * Rows are matched by their hashes on the server, both tables in one snapshot;
 * only those without a partner reach the client.
 */
#ifndef OSC_VERIFIER_NARROW_H
#define OSC_VERIFIER_NARROW_H

#include "verifier/digest.h"
#include "verifier/verifier.h"

/* Adds to `env` (with digest_bind() done) what the list of rows needs. */
void narrow_bind(const struct plan *plan, struct sql_env *env);

/*
 * Counts the rows that differ in the bound range; the first `most` are added
 * to *differences, in `arena`, changed ones with the columns that differ.
 */
bool narrow_range(struct db *db, const struct plan *plan, const struct sql_env *env, uint64_t most,
                  struct difference **differences, uint64_t *differing, struct arena *arena,
                  struct error *err) MUST_CHECK;

#endif
