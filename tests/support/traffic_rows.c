/*
 * Operations on single rows and on lists of rows.  Each plans the states of its rows before it
 * sends the statement: when the reply never comes, the witness must know what it might have done.
 */
#include "traffic_ops.h"

#include <inttypes.h>

enum step run_rows(struct writer *w, struct statement *s, int64_t rows)
{
    return writer_run(w, s, rows) ? STEP_DONE : STEP_FAILED;
}

/* In a small table a list of keys may cost more than a scan, and a scan locks others' rows. */
static void add_table_by_key(struct writer *w, struct statement *s)
{
    target_table(&w->t->target, s);
    if (w->t->target.family == FAMILY_MYSQL)
        statement_add(s, " FORCE INDEX (PRIMARY)");
}

void begin_update(struct writer *w, struct statement *s)
{
    writer_statement(w, s);
    statement_add(s, "UPDATE ");
    add_table_by_key(w, s);
    statement_add(s, " SET ");
}

void begin_delete(struct writer *w, struct statement *s)
{
    writer_statement(w, s);
    statement_add(s, "DELETE ");
    if (w->t->target.family == FAMILY_MYSQL)
        target_table(&w->t->target, s); /* only this form takes an index hint */
    statement_add(s, " FROM ");
    add_table_by_key(w, s);
}

void add_changes(struct writer *w, struct statement *s, const bool *changed, int64_t ordinal,
                 const struct image *image)
{
    const char *comma = "";
    for (size_t i = 0; i < w->t->target.column_count; i++) {
        if (!changed[i])
            continue;
        statement_add(s, comma);
        add_assignment(w, s, i, ordinal, image);
        comma = ", ";
    }
}

enum step insert_row(struct writer *w, int64_t ordinal, const struct image *image)
{
    struct statement s;
    ledger_plan(w->ledger, ordinal, image);
    writer_statement(w, &s);
    add_insert(w, &s, "INSERT", false);
    add_row(w, &s, ordinal, image, false);
    return run_rows(w, &s, 1);
}

enum step delete_row(struct writer *w, int64_t ordinal, struct image image)
{
    struct statement s;
    begin_delete(w, &s);
    add_key_match(w, &s, ordinal, image.respelled);
    image.present = false;
    ledger_plan(w->ledger, ordinal, &image);
    ordinals_add(&w->vacant, ordinal);
    return run_rows(w, &s, 1);
}

enum step update_row(struct writer *w, int64_t ordinal, struct image image)
{
    bool changed[MAX_COLUMNS];
    struct statement s;
    change_some(w, &image, changed, true);
    ledger_plan(w->ledger, ordinal, &image);
    begin_update(w, &s);
    add_changes(w, &s, changed, ordinal, &image);
    add_key_match(w, &s, ordinal, image.respelled);
    return run_rows(w, &s, 1);
}

enum step do_insert(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    pick_absent(w, &ordinal, &image);
    new_image(w, &image);
    return insert_row(w, ordinal, &image);
}

enum step do_insert_generated(struct writer *w)
{
    struct statement s;
    struct image image;
    new_image(w, &image);
    writer_statement(w, &s);
    add_insert(w, &s, "INSERT", true);
    add_row(w, &s, 0, &image, true);
    if (w->t->target.family == FAMILY_POSTGRES) {
        statement_add(&s, " RETURNING CAST(");
        target_column(&w->t->target, w->names, 0, &s);
        statement_add(&s, " AS text)"); /* a prepared result type must survive the change */
    }
    if (!writer_run(w, &s, 1))
        return STEP_FAILED;
    const int64_t key = w->link.generated_key;
    if (key <= w->last_generated || (uint64_t)key <= witness_rows(w->t->witness))
        meter_error(&w->t->meter, w->operation, "KEY", "the server gave out an old key again");
    w->last_generated = key;
    ledger_plan(w->ledger, key, &image);
    ordinals_add(&w->made, key);
    return STEP_DONE;
}

/* Distinct rows; returns how many were found. */
static size_t pick_many(struct writer *w, bool present, size_t count, int64_t *ordinals,
                        struct image *images)
{
    size_t found = 0;
    for (size_t tries = 0; tries < count * 2 && found < count; tries++) {
        const bool ok = present ? pick_present(w, &ordinals[found], &images[found])
                                : pick_absent(w, &ordinals[found], &images[found]);
        bool known = false;
        for (size_t i = 0; i < found; i++)
            known = known || ordinals[i] == ordinals[found];
        found += ok && !known;
    }
    return found;
}

static size_t some(struct writer *w)
{
    static const size_t counts[] = {2, 3, 5, 10, 20}; /* few, so that prepared ones repeat */
    return counts[writer_random(w) % (sizeof(counts) / sizeof(counts[0]))];
}

enum step do_insert_many(struct writer *w)
{
    int64_t ordinals[MANY_MAX];
    struct image images[MANY_MAX];
    struct statement s;
    const size_t count = pick_many(w, false, some(w), ordinals, images);
    writer_statement(w, &s);
    add_insert(w, &s, "INSERT", false);
    for (size_t i = 0; i < count; i++) {
        new_image(w, &images[i]);
        ledger_plan(w->ledger, ordinals[i], &images[i]);
        statement_add(&s, i ? ", " : "");
        add_row(w, &s, ordinals[i], &images[i], false);
    }
    return run_rows(w, &s, (int64_t)count);
}

enum step do_update(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    return pick_present(w, &ordinal, &image) ? update_row(w, ordinal, image) : STEP_NOTHING;
}

enum step do_update_noop(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    struct statement s;
    const struct target *target = &w->t->target;
    if (!pick_present(w, &ordinal, &image))
        return STEP_NOTHING;
    size_t column;
    do
        column = writer_random(w) % target->column_count;
    while (!target->used[column]);
    ledger_plan(w->ledger, ordinal, &image); /* the same state */
    begin_update(w, &s);
    if (writer_random(w) % 2) {
        target_column(target, w->names, column, &s);
        statement_add(&s, " = ");
        target_column(target, w->names, column, &s);
    } else {
        add_assignment(w, &s, column, ordinal, &image);
    }
    add_key_match(w, &s, ordinal, image.respelled);
    return run_rows(w, &s, 1);
}

enum step update_listed(struct writer *w, size_t count)
{
    int64_t ordinals[MANY_MAX];
    struct image images[MANY_MAX], changes;
    bool changed[MAX_COLUMNS];
    struct statement s;
    count = pick_many(w, true, count, ordinals, images);
    if (count == 0)
        return STEP_NOTHING;
    changes = images[0];
    change_some(w, &changes, changed, false);
    begin_update(w, &s);
    add_changes(w, &s, changed, ordinals[0], &changes);
    add_key_in(w, &s, ordinals, images, count);
    for (size_t i = 0; i < count; i++) {
        for (size_t c = 0; c < MAX_COLUMNS; c++)
            if (changed[c])
                images[i].generation[c] = changes.generation[c];
        ledger_plan(w->ledger, ordinals[i], &images[i]);
    }
    return run_rows(w, &s, (int64_t)count);
}

enum step do_update_many(struct writer *w)
{
    return update_listed(w, some(w));
}

enum step do_delete(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    return pick_present(w, &ordinal, &image) ? delete_row(w, ordinal, image) : STEP_NOTHING;
}

enum step do_delete_many(struct writer *w)
{
    int64_t ordinals[MANY_MAX];
    struct image images[MANY_MAX];
    struct statement s;
    const size_t count = pick_many(w, true, some(w), ordinals, images);
    if (count == 0)
        return STEP_NOTHING;
    begin_delete(w, &s);
    add_key_in(w, &s, ordinals, images, count);
    for (size_t i = 0; i < count; i++) {
        images[i].present = false;
        ledger_plan(w->ledger, ordinals[i], &images[i]);
        ordinals_add(&w->vacant, ordinals[i]);
    }
    return run_rows(w, &s, (int64_t)count);
}

enum step do_delete_reinsert(struct writer *w)
{
    int64_t ordinal;
    struct image image, again;
    if (!pick_present(w, &ordinal, &image))
        return STEP_NOTHING;
    enum step step = delete_row(w, ordinal, image);
    if (step != STEP_DONE)
        return step;
    if (writer_random(w) % 2)
        new_image(w, &again);
    else
        again = image;
    return insert_row(w, ordinal, &again);
}
