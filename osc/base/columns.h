/*
 * Columns: a text table whose columns line up on a terminal.
 */
#ifndef OSC_BASE_COLUMNS_H
#define OSC_BASE_COLUMNS_H

#include "osc/base/arena.h"
#include "osc/base/text.h"

enum { COLUMNS_MOST = 10 };

struct columns {
    struct arena *arena;
    size_t n_columns;
    struct columns_row {
        const char *cells[COLUMNS_MOST];
        const char *notes; /* lines under the row; "" for none */
        struct columns_row *next;
    } * first, **last;
};

/* The first row is the heading; `cells` has n_columns of them and is copied. */
void columns_start(struct columns *columns, struct arena *arena, size_t n_columns,
                   const char *const *cells);
void columns_row(struct columns *columns, const char *const *cells, const char *notes);
void columns_print(const struct columns *columns, struct text *out);

#endif
