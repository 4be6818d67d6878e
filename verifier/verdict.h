/*
 * Verdict: what a comparison of source and shadow found.
 */
#ifndef OSC_VERIFIER_VERDICT_H
#define OSC_VERIFIER_VERDICT_H

#include "osc/base/text.h"
#include "verifier/digest.h"

enum difference_kind { DIFFERENCE_MISSING, DIFFERENCE_EXTRA, DIFFERENCE_CHANGED };

struct difference {
    struct difference *next;
    enum difference_kind kind; /* of the shadow, seen from the source */
    const char *key;           /* for people: id=17, name=abc */
    const char *columns;       /* that were changed: a, b; "" */
    uint64_t range;            /* number of the range it was found in */
};

struct verdict {
    bool is_equal;
    uint64_t rows;                  /* of the source that were verified by this run */
    uint64_t chunks;                /* ranges */
    uint64_t rechecked;             /* ranges that differed at first sight */
    uint64_t differing;             /* rows */
    struct difference *differences; /* in the order of the key */
    uint64_t n_differences;         /* kept */
    struct divergent_range {
        struct range range;
        struct divergent_range *next;
    } * ranges;           /* what verify_repair() works on */
    uint64_t n_ranges;    /* kept */
    bool has_more_ranges; /* too many to be kept */
};

/* Both copy what they are given into `arena`. */
void verdict_add_range(const struct plan *plan, struct verdict *verdict, const struct range *range,
                       struct arena *arena);
/* Adds one worker's share; keeps at most `most` differences, counts all. */
void verdict_add_share(const struct plan *plan, struct verdict *verdict,
                       const struct verdict *share, uint64_t most, struct arena *arena);

/* One line when equal; otherwise one more for each of at most `most` rows. */
void verdict_text(const struct plan *plan, const struct verdict *verdict, uint64_t most,
                  struct text *out);

/* One JSON object in one line, with every difference that was kept. */
void verdict_json(const struct plan *plan, const struct verdict *verdict, struct text *out);

#endif
