#include "osc/base/columns.h"

#include <string.h>

#include "osc/base/human.h"

enum { GAP = 2, NOTE_INDENT = 4 };

void columns_start(struct columns *columns, struct arena *arena, size_t n_columns,
                   const char *const *cells)
{
    *columns = (struct columns){.arena = arena, .n_columns = n_columns};
    columns->last = &columns->first;
    columns_row(columns, cells, "");
}

void columns_row(struct columns *columns, const char *const *cells, const char *notes)
{
    struct columns_row *row = ARENA_NEW(columns->arena, struct columns_row);

    for (size_t i = 0; i < columns->n_columns; i++)
        row->cells[i] = arena_string(columns->arena, cells[i]);
    row->notes = arena_string(columns->arena, notes);
    *columns->last = row;
    columns->last = &row->next;
}

static size_t width_of(const struct columns *columns, size_t column)
{
    size_t widest = 0;

    for (const struct columns_row *row = columns->first; row; row = row->next) {
        const size_t width = human_width(row->cells[column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_row(const struct columns_row *row, const size_t *widths, size_t n_columns,
                      struct text *out)
{
    size_t owed = 0; /* spaces, written only when something follows them */

    for (size_t i = 0; i < n_columns; i++) {
        if (*row->cells[i]) {
            text_printf(out, "%*s%s", (int)owed, "", row->cells[i]);
            owed = 0;
        }
        owed += widths[i] - human_width(row->cells[i]) + GAP;
    }
    text_add(out, "\n");
}

static void print_notes(const char *notes, struct text *out)
{
    while (*notes) {
        const size_t length = strcspn(notes, "\n");
        text_printf(out, "%*s", NOTE_INDENT, "");
        text_add_bytes(out, notes, length);
        text_add(out, "\n");
        notes += length + (notes[length] == '\n');
    }
}

void columns_print(const struct columns *columns, struct text *out)
{
    size_t widths[COLUMNS_MOST];

    for (size_t i = 0; i < columns->n_columns; i++)
        widths[i] = width_of(columns, i);
    for (const struct columns_row *row = columns->first; row; row = row->next) {
        print_row(row, widths, columns->n_columns, out);
        print_notes(row->notes, out);
    }
}
