/*
 * What the writers do.  An operation plans the states of its rows before it sends the statement:
 * when the reply never comes, the witness must know what it might have done.
 */
#include "traffic_private.h"

#include <inttypes.h>
#include <string.h>

enum { MANY_MAX = 200 };

static enum step run(struct writer *w, struct statement *s, int64_t rows)
{
    return writer_run(w, s, rows) ? STEP_DONE : STEP_FAILED;
}

static void begin_update(struct writer *w, struct statement *s)
{
    writer_statement(w, s);
    statement_add(s, "UPDATE ");
    target_table(&w->t->target, s);
    statement_add(s, " SET ");
}

static void begin_delete(struct writer *w, struct statement *s)
{
    writer_statement(w, s);
    statement_add(s, "DELETE FROM ");
    target_table(&w->t->target, s);
}

static void add_changes(struct writer *w, struct statement *s, const bool *changed, int64_t ordinal,
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

static enum step insert_row(struct writer *w, int64_t ordinal, const struct image *image)
{
    struct statement s;
    ledger_plan(w->ledger, ordinal, image);
    writer_statement(w, &s);
    add_insert(w, &s, "INSERT", false);
    add_row(w, &s, ordinal, image, false);
    return run(w, &s, 1);
}

static enum step delete_row(struct writer *w, int64_t ordinal, struct image image)
{
    struct statement s;
    begin_delete(w, &s);
    add_key_match(w, &s, ordinal, image.respelled);
    image.present = false;
    ledger_plan(w->ledger, ordinal, &image);
    ordinals_add(&w->vacant, ordinal);
    return run(w, &s, 1);
}

static enum step do_insert(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    pick_absent(w, &ordinal, &image);
    new_image(w, &image);
    return insert_row(w, ordinal, &image);
}

static enum step do_insert_generated(struct writer *w)
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

static enum step do_insert_many(struct writer *w)
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
    return run(w, &s, (int64_t)count);
}

static enum step update_row(struct writer *w, int64_t ordinal, struct image image)
{
    bool changed[MAX_COLUMNS];
    struct statement s;
    change_some(w, &image, changed, true);
    ledger_plan(w->ledger, ordinal, &image);
    begin_update(w, &s);
    add_changes(w, &s, changed, ordinal, &image);
    add_key_match(w, &s, ordinal, image.respelled);
    return run(w, &s, 1);
}

static enum step do_update(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    return pick_present(w, &ordinal, &image) ? update_row(w, ordinal, image) : STEP_NOTHING;
}

static enum step do_update_noop(struct writer *w)
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
    return run(w, &s, 1);
}

static enum step update_listed(struct writer *w, size_t count)
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
    return run(w, &s, (int64_t)count);
}

static enum step do_update_many(struct writer *w)
{
    return update_listed(w, some(w));
}

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

static enum step do_bulk_update(struct writer *w)
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
    writer_statement(w, &s);
    s.prepared = false; /* the range is part of the text */
    statement_add(&s, "UPDATE ");
    target_table(&w->t->target, &s);
    statement_add(&s, " SET ");
    add_changes(w, &s, changed, first, &changes);
    add_range(w, &s, first, count);
    return run(w, &s, rows);
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
    return run(w, &s, 1);
}

static enum step do_move(struct writer *w)
{
    int64_t from, to;
    struct image image, vacant;
    if (!pick_present(w, &from, &image) || !pick_absent(w, &to, &vacant))
        return STEP_NOTHING;
    return move_row(w, from, to, image);
}

static enum step do_there_and_back(struct writer *w)
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
    return run(w, &s, rows);
}

static enum step do_shift(struct writer *w)
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

static enum step do_shift_by_one(struct writer *w)
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

static enum step do_delete(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    return pick_present(w, &ordinal, &image) ? delete_row(w, ordinal, image) : STEP_NOTHING;
}

static enum step do_delete_many(struct writer *w)
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
    return run(w, &s, (int64_t)count);
}

static enum step do_delete_reinsert(struct writer *w)
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

static void add_conflict(struct writer *w, struct statement *s, bool update)
{
    const struct target *target = &w->t->target;
    const bool postgres = target->family == FAMILY_POSTGRES;
    const char *comma = "";
    if (postgres) {
        statement_add(s, " ON CONFLICT (");
        for (size_t i = 0; i < target->shape->key_count; i++) {
            statement_add(s, i ? ", " : "");
            target_column(target, w->names, i, s);
        }
        statement_add(s, update ? ") DO UPDATE SET " : ") DO NOTHING");
    } else {
        statement_add(s, update ? " ON DUPLICATE KEY UPDATE " : "");
    }
    for (size_t i = target->shape->key_count; update && i < target->column_count; i++) {
        if (!target->used[i])
            continue;
        statement_add(s, comma);
        target_column(target, w->names, i, s);
        statement_add(s, postgres ? " = EXCLUDED." : " = VALUES(");
        target_column(target, w->names, i, s);
        statement_add(s, postgres ? "" : ")");
        comma = ", ";
    }
}

static bool pick_either(struct writer *w, int64_t *ordinal, struct image *image)
{
    if (writer_random(w) % 3 == 0)
        return pick_absent(w, ordinal, image);
    return pick_present(w, ordinal, image);
}

static enum step do_upsert(struct writer *w)
{
    int64_t ordinal;
    struct image old, image;
    struct statement s;
    if (!pick_either(w, &ordinal, &old))
        return STEP_NOTHING;
    new_image(w, &image);
    image.respelled = old.respelled;
    ledger_plan(w->ledger, ordinal, &image);
    writer_statement(w, &s);
    add_insert(w, &s, "INSERT", false);
    add_row(w, &s, ordinal, &image, false);
    add_conflict(w, &s, true);
    return run(w, &s, w->t->target.family == FAMILY_POSTGRES ? 1 : -1);
}

static enum step do_insert_ignore(struct writer *w)
{
    int64_t ordinal;
    struct image old, image;
    struct statement s;
    if (!pick_either(w, &ordinal, &old))
        return STEP_NOTHING;
    new_image(w, &image);
    image.respelled = old.respelled;
    ledger_plan(w->ledger, ordinal, old.present ? &old : &image);
    writer_statement(w, &s);
    const bool postgres = w->t->target.family == FAMILY_POSTGRES;
    add_insert(w, &s, postgres ? "INSERT" : "INSERT IGNORE", false);
    add_row(w, &s, ordinal, &image, false);
    add_conflict(w, &s, false);
    return run(w, &s, old.present ? 0 : 1);
}

static enum step do_replace(struct writer *w)
{
    int64_t ordinal, other;
    struct image old, image, eaten;
    struct statement s;
    const int unique = shape_column_with(w->t->target.shape, CONTENT_EMAIL);
    if (!pick_either(w, &ordinal, &old))
        return STEP_NOTHING;
    new_image(w, &image);
    image.respelled = old.respelled;
    if (unique >= 0 && writer_random(w) % 3 == 0 && pick_present(w, &other, &eaten) &&
        other != ordinal) { /* one row replaces two */
        image.generation[unique] = eaten.generation[unique];
        char room[VALUE_ROOM];
        struct value v;
        witness_value(w->t->witness, other, &eaten, (size_t)unique, room, &v);
        eaten.present = !v.text || !w->t->target.used[unique];
        ledger_plan(w->ledger, other, &eaten);
        ordinals_add(&w->vacant, other);
    }
    ledger_plan(w->ledger, ordinal, &image);
    writer_statement(w, &s);
    add_insert(w, &s, "REPLACE", false);
    add_row(w, &s, ordinal, &image, false);
    return run(w, &s, -1);
}

static enum step set_unique(struct writer *w, size_t column, int64_t ordinal, struct image image,
                            uint64_t generation)
{
    struct statement s;
    image.generation[column] = generation;
    ledger_plan(w->ledger, ordinal, &image);
    begin_update(w, &s);
    add_assignment(w, &s, column, ordinal, &image);
    add_key_match(w, &s, ordinal, image.respelled);
    return run(w, &s, 1);
}

static enum step do_exchange(struct writer *w)
{
    int64_t a, b;
    struct image left, right;
    const size_t unique = (size_t)shape_column_with(w->t->target.shape, CONTENT_EMAIL);
    if (!pick_present(w, &a, &left) || !pick_present(w, &b, &right) || a == b)
        return STEP_NOTHING;
    enum step step = set_unique(w, unique, a, left, writer_generation(w));
    if (step == STEP_DONE)
        step = set_unique(w, unique, b, right, left.generation[unique]);
    if (step == STEP_DONE)
        step = set_unique(w, unique, a, left, right.generation[unique]);
    return step;
}

static enum step do_hot(struct writer *w)
{
    const struct target *target = &w->t->target;
    const size_t counter = (size_t)shape_column_with(target->shape, CONTENT_COUNTER);
    struct statement s;
    if (witness_rows(w->t->witness) <= HOT_ROWS || !target->used[counter])
        return STEP_NOTHING;
    w->hot = (int)(writer_random(w) % HOT_ROWS);
    begin_update(w, &s);
    target_column(target, w->names, counter, &s);
    statement_add(&s, " = ");
    target_column(target, w->names, counter, &s);
    statement_add(&s, " + 1");
    add_key_match(w, &s, w->hot + 1, false);
    return run(w, &s, 1);
}

static enum step do_recase(struct writer *w)
{
    int64_t ordinal;
    struct image image;
    struct statement s;
    if (!pick_present(w, &ordinal, &image))
        return STEP_NOTHING;
    const size_t code = w->t->target.shape->key_count - 1;
    const bool before = image.respelled;
    image.respelled = !before;
    ledger_plan(w->ledger, ordinal, &image);
    begin_update(w, &s);
    add_assignment(w, &s, code, ordinal, &image);
    add_key_match(w, &s, ordinal, before);
    return run(w, &s, 1);
}

struct reading {
    struct writer *w;
    int64_t ordinal;
    const struct image *image;
};

/* The application reads its own row: it must find what was acknowledged to it. */
static bool compare_read(void *context, const struct value *values, size_t count)
{
    const struct reading *r = context;
    const struct traffic *t = r->w->t;
    (void)count;
    for (size_t i = t->target.shape->key_count; i < t->target.column_count; i++) {
        char room[VALUE_ROOM];
        struct value expected;
        witness_value(t->witness, r->ordinal, r->image, i, room, &expected);
        if (t->target.used[i] &&
            !shape_same(t->target.shape->columns[i].content, &expected, &values[i])) {
            meter_error(&r->w->t->meter, r->w->operation, "READ",
                        "a row read back is not as it was acknowledged");
            return true;
        }
    }
    return true;
}

static enum step read_then_update(struct writer *w, const char *lock)
{
    int64_t ordinal;
    struct image image;
    struct statement s;
    if (!pick_present(w, &ordinal, &image))
        return STEP_NOTHING;
    writer_statement(w, &s);
    s.prepared = s.prepared && w->t->target.family == FAMILY_POSTGRES;
    target_select(&w->t->target, w->names, &s);
    add_key_match(w, &s, ordinal, image.respelled);
    statement_add(&s, lock);
    struct reading reading = {w, ordinal, &image};
    w->link.on_row = compare_read;
    w->link.row_context = &reading;
    const bool ok = writer_run(w, &s, 1);
    w->link.on_row = NULL;
    if (!ok)
        return STEP_FAILED;
    return update_row(w, ordinal, image);
}

static enum step do_read_then_write(struct writer *w)
{
    return read_then_update(w, "");
}

static enum step do_lock_then_write(struct writer *w)
{
    return read_then_update(w, " FOR UPDATE");
}

const struct operation operations[] = {
    {"insert",           12, SINGLE,                                   do_insert          },
    {"insert-generated", 6,  NEEDS_GENERATED_KEY,                      do_insert_generated},
    {"insert-many",      3,  SINGLE,                                   do_insert_many     },
    {"update",           24, SINGLE,                                   do_update          },
    {"update-noop",      5,  SINGLE,                                   do_update_noop     },
    {"update-many",      4,  SINGLE,                                   do_update_many     },
    {"bulk-update",      1,  SINGLE,                                   do_bulk_update     },
    {"move",             5,  SINGLE,                                   do_move            },
    {"there-and-back",   3,  0,                                        do_there_and_back  },
    {"shift",            1,  SINGLE | NEEDS_INTEGER_KEY,               do_shift           },
    {"shift-by-one",     1,  SINGLE | NEEDS_INTEGER_KEY | NEEDS_MYSQL, do_shift_by_one    },
    {"recase",           4,  SINGLE | NEEDS_CODE_KEY,                  do_recase          },
    {"delete",           10, SINGLE,                                   do_delete          },
    {"delete-many",      1,  SINGLE,                                   do_delete_many     },
    {"delete-reinsert",  4,  0,                                        do_delete_reinsert },
    {"upsert",           6,  SINGLE,                                   do_upsert          },
    {"insert-ignore",    3,  SINGLE,                                   do_insert_ignore   },
    {"replace",          5,  SINGLE | NEEDS_MYSQL,                     do_replace         },
    {"exchange",         4,  NEEDS_UNIQUE,                             do_exchange        },
    {"hot",              4,  SINGLE | ALONE | NEEDS_READ_COMMITTED,    do_hot             },
    {"lock-then-write",  3,  0,                                        do_lock_then_write },
    {"read-then-write",  3,  NEEDS_POSTGRES,                           do_read_then_write },
    {"transaction",      8,  ALONE,                                    run_transaction    },
    {"rollback",         4,  ALONE | ROLLS_BACK,                       run_transaction    },
    {"savepoint",        3,  ALONE,                                    run_savepoint      },
};
const size_t operation_count = sizeof(operations) / sizeof(operations[0]);
