/*
 * What the backfill asks of a kind of server.
 */
#ifndef OSC_COPIER_COPY_DIALECT_H
#define OSC_COPIER_COPY_DIALECT_H

#include "osc/plan/plan.h"

/* What there is to copy.  Positions are numbers where that is possible: integer keys, pages. */
struct extent {
    bool is_empty;
    bool is_numeric;
    uint64_t first, last;     /* positions, both included */
    uint64_t chunk_positions; /* a sensible first chunk */
};

struct copy_dialect {
    /* Measured after capture began: what comes later is journalled. */
    bool (*extent)(struct db *db, const struct plan *plan, struct extent *extent,
                   struct error *err);
    /* Condition on t for the positions from … to, both included. */
    const char *(*positions)(const struct plan *plan, uint64_t from, uint64_t to,
                             struct arena *arena);
    /* The first position at or after `from` that holds a row; *found false when none up to `to`. */
    bool (*seek)(struct db *db, const struct plan *plan, uint64_t from, uint64_t to,
                 uint64_t *position, bool *found, struct error *err);
    const char *chunk; /* template with {range}: inserts what is not there yet, never overwrites */

    /* Only where a shadow may be bare, else "": */
    const char *bare_chunk; /* template with {range}: inserts all of it */
    const char *record;   /* template: {first} {last} {rows}, in the transaction of the chunk … */
    const char *recorded; /* … and the query for the rows of such a record; none: no record */
    const char *remaining; /* query: the stretches up to {last} without a record, as a watermark
                              lists them; none: there is no record at all */
};

/* The statement for a chunk of this shadow. */
const char *copy_statement(const struct plan *plan);

extern const struct copy_dialect mysql_copy;
extern const struct copy_dialect postgres_copy;

#endif
