/*
 * Walk: hands out the table range by range, in key order.
 *
 * One worker at a time asks the server for the next bound.
 */
#ifndef OSC_VERIFIER_WALK_H
#define OSC_VERIFIER_WALK_H

#include "verifier/digest.h"

struct walk;

struct walk *walk_new(const struct plan *plan, const struct bound *after); /* NULL: all rows */
void walk_free(struct walk *walk);                                         /* NULL is fine */

/*
 * The next range of about `rows` rows; *found is false when nothing is left.
 * The bounds live in `arena`.
 */
bool walk_take(struct walk *walk, struct db *db, uint64_t rows, struct arena *arena,
               struct range *range, bool *found, struct error *err) MUST_CHECK;

/*
 * Nothing more is handed out, and `range` has to be taken again: what is left begins no later than
 * there.  walk_rest() says where that is, once all have left; the strings live in `arena`.
 */
void walk_end_before(struct walk *walk, const struct range *range);
void walk_rest(struct walk *walk, struct bound *after, struct arena *arena);

/* A worker comes and goes; true when none is left after at most `ms`. */
void walk_enter(struct walk *walk);
void walk_leave(struct walk *walk);
bool walk_is_over(struct walk *walk, uint64_t ms);

/* How many rows the next range should have so that it takes `target_us`. */
uint64_t walk_pace(uint64_t rows, uint64_t elapsed_us, uint64_t target_us);

#endif
