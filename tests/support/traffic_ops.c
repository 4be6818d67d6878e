/*
 * What the writers do, as a table; and the operations that are special in some way.
 */
#include "traffic_ops.h"

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
    return run_rows(w, &s, w->t->target.family == FAMILY_POSTGRES ? 1 : -1);
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
    return run_rows(w, &s, old.present ? 0 : 1);
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
    return run_rows(w, &s, -1);
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
    return run_rows(w, &s, 1);
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
    return run_rows(w, &s, 1);
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
    return run_rows(w, &s, 1);
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
    {"insert",           10, SINGLE,                                   do_insert          },
    {"insert-generated", 5,  NEEDS_GENERATED_KEY,                      do_insert_generated},
    {"insert-many",      2,  SINGLE,                                   do_insert_many     },
    {"update",           24, SINGLE,                                   do_update          },
    {"update-noop",      5,  SINGLE,                                   do_update_noop     },
    {"update-many",      4,  SINGLE,                                   do_update_many     },
    {"bulk-update",      1,  SINGLE,                                   do_bulk_update     },
    {"move",             5,  SINGLE,                                   do_move            },
    {"there-and-back",   3,  0,                                        do_there_and_back  },
    {"shift",            1,  SINGLE | NEEDS_INTEGER_KEY,               do_shift           },
    {"shift-by-one",     1,  SINGLE | NEEDS_INTEGER_KEY | NEEDS_MYSQL, do_shift_by_one    },
    {"recase",           4,  SINGLE | NEEDS_CODE_KEY,                  do_recase          },
    {"delete",           16, SINGLE,                                   do_delete          },
    {"delete-many",      2,  SINGLE,                                   do_delete_many     },
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
