/*
 * Journal: which rows of the source were written since capture began.
 *
 * Holds keys, never values.  Not in commit order: an entry may become visible
 * behind others that were read long ago, so exactly what was read is forgotten, and
 * reading starts over from the first place now and then.
 */
#ifndef OSC_TRIGGERS_JOURNAL_H
#define OSC_TRIGGERS_JOURNAL_H

#include "osc/plan/range.h"

struct entry {
    const char *id; /* names it in the journal */
    unsigned lane;  /* equal keys share a lane */
};

struct batch {
    struct entry *entries;
    size_t n;
    bool is_full_pass; /* read from the first place to the end: nothing visible was left out */
};

struct journal {
    const struct plan *plan;
    struct arena *places; /* holds `after` */
    const char *after;    /* where the next read goes on */
    bool from_first;      /* the current pass began at the first place */
    uint64_t pass_us;     /* what the last pass from the first place took */
    uint64_t full_pass_due_ms;
};

void journal_init(struct journal *journal, const struct plan *plan);
void journal_release(struct journal *journal);
void journal_start_over(struct journal *journal); /* the next read begins at the first place */

/* Reads at most `limit` entries into `arena`; batch->n is 0 when none is visible from here on. */
bool journal_read(struct journal *journal, struct db *db, size_t limit, struct batch *batch,
                  struct arena *arena, struct error *err) MUST_CHECK;

/* Condition on the journal that selects these entries: every `step`-th lane from `lane`. */
const char *journal_condition(const struct plan *plan, const struct batch *batch, unsigned lane,
                              unsigned step, size_t *count, struct arena *arena);

/*
 * Takes away what consumed entries left, which makes every pass from the first place longer.
 * To shrink it as well may take some seconds, and makes writers wait for some 20 ms.
 */
bool journal_tidy(struct db *db, const struct plan *plan, bool shrink,
                  struct error *err) MUST_CHECK;

/* Is there an entry of a key up to `through`? */
bool journal_touches(struct db *db, const struct plan *plan, const struct bound *through,
                     bool *is_touched, struct error *err) MUST_CHECK;

/* How many entries there are: counted up to `limit`, beyond it what the server's statistics say. */
bool journal_backlog(struct db *db, const struct plan *plan, uint64_t limit, uint64_t *entries,
                     struct error *err) MUST_CHECK;

#endif
