/*
 * The witness: what the server acknowledged, row by row, and the comparison with the table.
 *
 * Each writer keeps a ledger of its own, without locks.  A transaction first plans the states its
 * rows will have; the reply to its COMMIT decides what becomes of the plan.  When no reply came,
 * both states are possible from then on, for all its rows alike, and the writer leaves those rows
 * alone for ever: an answer read later would make the server its own judge.
 */
#ifndef OSC_TESTS_WITNESS_H
#define OSC_TESTS_WITNESS_H

#include "traffic.h"
#include "traffic_shape.h"

enum { HOT_ROWS = 4 };

struct image { /* the state of a row */
    bool present, respelled;
    uint64_t generation[MAX_COLUMNS];
};

enum outcome { OUTCOME_ACKNOWLEDGED, OUTCOME_REFUSED, OUTCOME_UNKNOWN };

enum role {
    ROLE_OWNED, /* one writer may do anything with it */
    ROLE_FENCE, /* nobody touches it: keeps gap locks of neighbours apart, and is a control */
    ROLE_HOT,   /* everybody counts it up */
};

struct witness;
struct ledger;

struct witness *witness_new(const struct target *target, unsigned writers);
void witness_free(struct witness *w);

/* The table has just been created with these rows. */
void witness_expect_fresh(struct witness *w, uint64_t rows);
/* The table holds what earlier traffic left; reads it all. */
bool witness_expect_found(struct witness *w, struct link *link, struct traffic_error *err);

uint64_t witness_rows(const struct witness *w);
uint64_t witness_block(const struct witness *w); /* rows of a stretch with one owner */
enum role witness_role(const struct witness *w, int64_t ordinal);
struct ledger *witness_ledger(struct witness *w, unsigned writer);

/* Where writer's own ordinals begin; those of its new rows, up to the last, are below zero. */
int64_t witness_region(unsigned writer);
enum { REGION_ROWS = 1000000000 };

/* The value of one column of an image. */
void witness_value(const struct witness *w, int64_t ordinal, const struct image *image,
                   size_t column, char *room, struct value *v);

/* The state inside the current transaction. False: in doubt, leave the row alone. */
bool ledger_image(const struct ledger *l, int64_t ordinal, struct image *image);
/* The state before the current transaction. */
void ledger_settled(const struct ledger *l, int64_t ordinal, struct image *image);
void ledger_plan(struct ledger *l, int64_t ordinal, const struct image *image);
size_t ledger_planned(const struct ledger *l);
void ledger_unplan(struct ledger *l, size_t mark); /* forgets what was planned after mark */
void ledger_settle(struct ledger *l, enum outcome outcome);
void ledger_hot(struct ledger *l, size_t row, enum outcome outcome);

/* Reads the table back and compares; names says which column names to ask for first. */
void witness_check(struct witness *w, struct link *link, struct traffic_verdict *verdict);

#endif
