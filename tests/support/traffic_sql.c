/*
 * The pieces that the writers' statements are made of, and the choice of rows.
 */
#include "traffic_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t writer_random(struct writer *w)
{
    uint64_t x = w->random; /* xorshift64* */
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    w->random = x;
    return x * UINT64_C(0x2545f4914f6cdd1d) >> 11;
}

uint64_t writer_generation(struct writer *w)
{
    return generation_of_writer(w->index, ++w->generations);
}

void ordinals_add(struct ordinals *o, int64_t ordinal)
{
    if (o->count == o->room) {
        o->room = o->room ? o->room * 2 : 256;
        o->at = must(realloc(o->at, o->room * sizeof(*o->at)));
    }
    o->at[o->count++] = ordinal;
}

void writer_statement(struct writer *w, struct statement *s)
{
    statement_begin(s, &w->link, w->prepared);
}

static void add_key_value(struct writer *w, struct statement *s, size_t column, int64_t ordinal,
                          bool respelled)
{
    const struct target *target = &w->t->target;
    char room[VALUE_ROOM];
    struct value v;
    shape_key(target, column, ordinal, respelled, room, &v);
    statement_wrapped(s, target->shape->columns[column].write[target->family], &v);
}

static void add_key_condition(struct writer *w, struct statement *s, int64_t ordinal,
                              bool respelled)
{
    const struct target *target = &w->t->target;
    for (size_t i = 0; i < target->shape->key_count; i++) {
        statement_add(s, i ? " AND " : "");
        target_column(target, w->names, i, s);
        statement_add(s, " = ");
        add_key_value(w, s, i, ordinal, respelled);
    }
}

void add_key_match(struct writer *w, struct statement *s, int64_t ordinal, bool respelled)
{
    statement_add(s, " WHERE ");
    add_key_condition(w, s, ordinal, respelled);
}

static void add_key_list(struct writer *w, struct statement *s, const int64_t *ordinals,
                         const struct image *images, size_t count)
{
    target_column(&w->t->target, w->names, 0, s);
    statement_add(s, " IN (");
    for (size_t n = 0; n < count; n++) {
        statement_add(s, n ? ", " : "");
        add_key_value(w, s, 0, ordinals[n], images[n].respelled);
    }
    statement_add(s, ")");
}

/* Not as (a, b) IN ((1, 2), ...): MariaDB would read, and lock, the whole table for it. */
void add_key_in(struct writer *w, struct statement *s, const int64_t *ordinals,
                const struct image *images, size_t count)
{
    const bool single = w->t->target.shape->key_count == 1;
    statement_add(s, " WHERE ");
    if (single)
        add_key_list(w, s, ordinals, images, count);
    for (size_t n = 0; !single && n < count; n++) {
        statement_add(s, n ? " OR (" : "(");
        add_key_condition(w, s, ordinals[n], images[n].respelled);
        statement_add(s, ")");
    }
}

void add_insert(struct writer *w, struct statement *s, const char *verb, bool without_key)
{
    const struct target *target = &w->t->target;
    const char *comma = "";
    statement_add(s, verb);
    statement_add(s, " INTO ");
    target_table(target, s);
    statement_add(s, " (");
    for (size_t i = without_key ? target->shape->key_count : 0; i < target->column_count; i++) {
        if (!target->used[i])
            continue;
        statement_add(s, comma);
        target_column(target, w->names, i, s);
        comma = ", ";
    }
    statement_add(s, ") VALUES ");
}

static void add_value(struct writer *w, struct statement *s, size_t column, int64_t ordinal,
                      const struct image *image)
{
    const struct target *target = &w->t->target;
    char room[VALUE_ROOM];
    struct value v;
    witness_value(w->t->witness, ordinal, image, column, room, &v);
    statement_wrapped(s, target->shape->columns[column].write[target->family], &v);
}

void add_row(struct writer *w, struct statement *s, int64_t ordinal, const struct image *image,
             bool without_key)
{
    const struct target *target = &w->t->target;
    const char *comma = "(";
    for (size_t i = without_key ? target->shape->key_count : 0; i < target->column_count; i++) {
        if (!target->used[i])
            continue;
        statement_add(s, comma);
        add_value(w, s, i, ordinal, image);
        comma = ", ";
    }
    statement_add(s, ")");
}

void add_assignment(struct writer *w, struct statement *s, size_t column, int64_t ordinal,
                    const struct image *image)
{
    target_column(&w->t->target, w->names, column, s);
    statement_add(s, " = ");
    add_value(w, s, column, ordinal, image);
}

/* A random stretch of created rows that is the writer's, without the fences at its ends. */
bool pick_block(struct writer *w, int64_t *first, size_t *count)
{
    const uint64_t rows = witness_rows(w->t->witness), block = witness_block(w->t->witness);
    const uint64_t blocks = (rows + block - 1) / block;
    if (w->index >= blocks)
        return false;
    const uint64_t own = (blocks - w->index - 1) / w->t->options.writers + 1;
    const uint64_t which = w->index + writer_random(w) % own * w->t->options.writers;
    uint64_t from = which * block + 2, to = which * block + block - 1;
    if (which == 0)
        from += HOT_ROWS;
    if (to >= rows)
        to = rows - 1;
    if (from > to)
        return false;
    *first = (int64_t)from;
    *count = (size_t)(to - from + 1);
    return true;
}

bool pick_present(struct writer *w, int64_t *ordinal, struct image *image)
{
    for (int tries = 0; tries < 20; tries++) {
        size_t count;
        if (w->made.count > 0 && writer_random(w) % 4 == 0)
            *ordinal = w->made.at[writer_random(w) % w->made.count];
        else if (pick_block(w, ordinal, &count))
            *ordinal += (int64_t)(writer_random(w) % count);
        else if (w->made.count > 0)
            *ordinal = w->made.at[writer_random(w) % w->made.count];
        else
            return false;
        if (ledger_image(w->ledger, *ordinal, image) && image->present)
            return true;
    }
    return false;
}

bool pick_absent(struct writer *w, int64_t *ordinal, struct image *image)
{
    while (w->vacant.count > 0 && writer_random(w) % 2 == 0) {
        int64_t *place = &w->vacant.at[writer_random(w) % w->vacant.count];
        *ordinal = *place;
        *place = w->vacant.at[--w->vacant.count];
        if (ledger_image(w->ledger, *ordinal, image) && !image->present) {
            ordinals_add(&w->vacant, *ordinal); /* again, should this transaction fail */
            return true;
        }
    }
    *ordinal = w->next_ordinal++;
    ordinals_add(&w->made, *ordinal);
    ordinals_add(&w->vacant, *ordinal);
    *image = (struct image){0};
    return true;
}

void new_image(struct writer *w, struct image *image)
{
    const uint64_t generation = writer_generation(w);
    *image = (struct image){.present = true};
    for (size_t i = w->t->target.shape->key_count; i < w->t->target.column_count; i++)
        image->generation[i] = generation;
}

static bool is_unique(const struct shape_column *column)
{
    return column->content == CONTENT_EMAIL || column->content == CONTENT_ADDRESS;
}

void change_some(struct writer *w, struct image *image, bool *changed, bool with_unique)
{
    const struct target *target = &w->t->target;
    const uint64_t generation = writer_generation(w), choice = writer_random(w);
    const size_t keys = target->shape->key_count, columns = target->column_count - keys;
    memset(changed, 0, MAX_COLUMNS * sizeof(*changed));
    const size_t certain = keys + writer_random(w) % columns;
    bool any = false;
    for (size_t i = keys; i < target->column_count; i++) {
        const bool unique = is_unique(&target->shape->columns[i]);
        if (!target->used[i] || (unique && !(with_unique && choice % 4 == 0)))
            continue;
        changed[i] = i == certain || (choice >> i & 3) == 3;
        any = any || changed[i];
    }
    for (size_t i = target->column_count; !any && i > keys; i--)
        any = changed[i - 1] = target->used[i - 1] && !is_unique(&target->shape->columns[i - 1]);
    for (size_t i = keys; i < target->column_count; i++)
        if (changed[i])
            image->generation[i] = generation;
}
