/*
 * Chunker: hands out what is still to be copied and remembers what is done.
 *
 * Numeric positions are cut into one contiguous stretch per worker (neighbours
 * interleaving on the same pages is slower); a worker that has finished takes
 * half of the largest stretch that is left.  Other keys are handed out in key
 * order, bound by bound.  The watermark is what a later run needs to go on;
 * copying a chunk twice does no harm.
 */
#ifndef OSC_COPIER_CHUNKER_H
#define OSC_COPIER_CHUNKER_H

#include "copier/copy_dialect.h"
#include "osc/plan/range.h"

struct chunker;

struct chunk {
    uint64_t id;
    uint64_t from, to;           /* numeric positions, both included */
    const char *range;           /* condition on t */
    struct arena *arena;         /* the worker's, reset for each chunk */
    struct bound after, through; /* where keys are not numeric */
};

/* `watermark` NULL: from the start.  ERROR_SYSTEM when it cannot be read. */
struct chunker *chunker_new(const struct plan *plan, const struct extent *extent, unsigned workers,
                            const char *watermark, struct error *err) MUST_CHECK;
void chunker_free(struct chunker *chunker);

/*
 * The next chunk of about `size` positions or rows for this worker; *found is
 * false when nothing is left.  Asks the server on `db` where bounds are needed.
 */
bool chunker_take(struct chunker *chunker, unsigned worker, struct db *db, uint64_t size,
                  struct chunk *chunk, bool *found, struct error *err) MUST_CHECK;
void chunker_done(struct chunker *chunker, unsigned worker, const struct chunk *chunk);

/* The worker's last chunk was empty: goes on at the next position that holds a row. */
bool chunker_skip_gap(struct chunker *chunker, unsigned worker, struct db *db,
                      struct error *err) MUST_CHECK;

/* The watermark as JSON text, in `arena`. */
const char *chunker_watermark(struct chunker *chunker, struct arena *arena);
bool chunker_is_numeric(const struct chunker *chunker);

#endif
