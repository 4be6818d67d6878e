/*
 * Operations on ranges of keys, and those that change keys.
 */
#include "traffic_ops.h"

#include <inttypes.h>
#include <string.h>

/* A stretch of the writer's created rows, none of them in doubt. */
static bool pick_range(struct writer *w, size_t most, int64_t *first, size_t *count)
{
    struct image image;
    if (!pick_block(w, first, count))
        return false;
    if (*count > most) {
        *first += (int64_t)(writer_random(w) % (*count - most + 1));
        *count = most;
    }
    for (size_t i = 0; i < *count; i++)
        if (!ledger_image(w->ledger, *first + (int64_t)i, &image))
            return false;
    return true;
}

static void add_range(struct writer *w, struct statement *s, int64_t first, size_t count)
{
    statement_add(s, " WHERE ");
    target_column(&w->t->target, w->names, 0, s);
    statement_printf(s, " BETWEEN %" PRId64 " AND %" PRId64, first, first + (int64_t)count - 1);
}

enum step do_bulk_update(struct writer *w)
{
    int64_t first, rows = 0;
    size_t count;
    bool changed[MAX_COLUMNS];
    struct image changes = {.present = true};
    struct statement s;
    if (w->t->target.shape->columns[0].content != CONTENT_KEY_INTEGER)
        return update_listed(w, MANY_MAX);
    if (ledger_planned(w->ledger) > 0)
        return STEP_NOTHING; /* keeps looking up planned states cheap */
    if (!pick_range(w, w->t->options.bulk_rows, &first, &count))
        return STEP_NOTHING;
    change_some(w, &changes, changed, false);
    for (int64_t i = first; i < first + (int64_t)count; i++) {
        struct image image;
        ledger_settled(w->ledger, i, &image);
        if (!image.present)
            continue;
        for (size_t c = 0; c < MAX_COLUMNS; c++)
            if (changed[c])
                image.generation[c] = changes.generation[c];
        ledger_plan(w->ledger, i, &image);
        rows++;
    }
    begin_update(w, &s);
    s.prepared = false; /* the range is part of the text */
    add_changes(w, &s, changed, first, &changes);
    add_range(w, &s, first, count);
    return run_rows(w, &s, rows);
}

static enum step move_row(struct writer *w, int64_t from, int64_t to, struct image image)
{
    struct statement s;
    begin_update(w, &s);
    for (size_t i = 0; i < w->t->target.shape->key_count; i++) {
        statement_add(&s, i ? ", " : "");
        add_assignment(w, &s, i, to, &image);
    }
    add_key_match(w, &s, from, image.respelled);
    ledger_plan(w->ledger, to, &image);
    image.present = false;
    ledger_plan(w->ledger, from, &image);
    ordinals_add(&w->vacant, from);
    return run_rows(w, &s, 1);
}

enum step do_move(struct writer *w)
{
    int64_t from, to;
    struct image image, vacant;
    if (!pick_present(w, &from, &image) || !pick_absent(w, &to, &vacant))
        return STEP_NOTHING;
    return move_row(w, from, to, image);
}

enum step do_there_and_back(struct writer *w)
{
    int64_t home, away;
    struct image image, vacant;
    if (!pick_present(w, &home, &image) || !pick_absent(w, &away, &vacant))
        return STEP_NOTHING;
    enum step step = move_row(w, home, away, image);
    if (step == STEP_DONE && writer_random(w) % 2)
        step = update_row(w, away, image);
    if (step == STEP_DONE && ledger_image(w->ledger, away, &image))
        step = move_row(w, away, home, image);
    return step;
}

/* Moves count rows by the same distance in one statement. */
static enum step shift(struct writer *w, int64_t from, size_t count, int64_t distance,
                       const char *order)
{
    struct image image;
    struct statement s;
    int64_t rows = 0;
    for (int64_t i = from; i < from + (int64_t)count; i++) {
        ledger_settled(w->ledger, i, &image);
        if (!image.present)
            continue;
        ledger_plan(w->ledger, i + distance, &image);
        rows++;
    }
    for (int64_t i = from; i < from + (int64_t)count; i++) {
        ledger_settled(w->ledger, i, &image);
        struct image next = {0};
        /* with a distance of one the row's place may have been taken by its neighbour */
        if (i - distance >= from && i - distance < from + (int64_t)count)
            ledger_settled(w->ledger, i - distance, &next);
        if (!image.present || next.present)
            continue;
        image.present = false;
        ledger_plan(w->ledger, i, &image);
        ordinals_add(&w->vacant, i);
    }
    begin_update(w, &s);
    s.prepared = false;
    target_column(&w->t->target, w->names, 0, &s);
    statement_add(&s, " = ");
    target_column(&w->t->target, w->names, 0, &s);
    statement_printf(&s, " + (%" PRId64 ")", distance);
    add_range(w, &s, from, count);
    if (order) {
        statement_add(&s, order);
        target_column(&w->t->target, w->names, 0, &s);
    }
    return run_rows(w, &s, rows);
}

enum step do_shift(struct writer *w)
{
    int64_t from;
    size_t count;
    if (ledger_planned(w->ledger) > 0 || !pick_range(w, 2 + writer_random(w) % 40, &from, &count))
        return STEP_NOTHING;
    const int64_t to = w->next_ordinal;
    w->next_ordinal += (int64_t)count;
    for (size_t i = 0; i < count; i++)
        ordinals_add(&w->made, to + (int64_t)i);
    return shift(w, from, count, to - from, NULL);
}

enum step do_shift_by_one(struct writer *w)
{
    int64_t gap;
    size_t count;
    struct image image;
    if (ledger_planned(w->ledger) > 0 || !pick_range(w, 3 + writer_random(w) % 20, &gap, &count))
        return STEP_NOTHING;
    for (; count > 1; gap++, count--)
        if (ledger_image(w->ledger, gap, &image) && !image.present)
            return shift(w, gap + 1, count - 1, -1, " ORDER BY ");
    return STEP_NOTHING;
}
