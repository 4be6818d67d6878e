/*
 * The operations of the writers, and what they share.
 */
#ifndef OSC_TESTS_TRAFFIC_OPS_H
#define OSC_TESTS_TRAFFIC_OPS_H

#include "traffic_private.h"

enum { MANY_MAX = 200 }; /* rows of the longest list of keys */

/* Runs a statement that must touch so many rows; -1: any number. */
enum step run_rows(struct writer *w, struct statement *s, int64_t rows);
void begin_update(struct writer *w, struct statement *s);
void begin_delete(struct writer *w, struct statement *s);
void add_changes(struct writer *w, struct statement *s, const bool *changed, int64_t ordinal,
                 const struct image *image);
enum step insert_row(struct writer *w, int64_t ordinal, const struct image *image);
enum step delete_row(struct writer *w, int64_t ordinal, struct image image);
enum step update_row(struct writer *w, int64_t ordinal, struct image image);
enum step update_listed(struct writer *w, size_t count);

enum step do_insert(struct writer *w);
enum step do_insert_generated(struct writer *w);
enum step do_insert_many(struct writer *w);
enum step do_update(struct writer *w);
enum step do_update_noop(struct writer *w);
enum step do_update_many(struct writer *w);
enum step do_delete(struct writer *w);
enum step do_delete_many(struct writer *w);
enum step do_delete_reinsert(struct writer *w);
enum step do_bulk_update(struct writer *w);
enum step do_move(struct writer *w);
enum step do_there_and_back(struct writer *w);
enum step do_shift(struct writer *w);
enum step do_shift_by_one(struct writer *w);

#endif
