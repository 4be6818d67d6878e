#include "witness.h"

#include "ledger.h"
#include "witness_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t literal_bit = UINT64_C(1) << 63;

struct witness *witness_new(const struct target *target, unsigned writers)
{
    struct witness *w = must(calloc(1, sizeof(*w) + writers * sizeof(w->ledgers[0])));
    w->target = *target;
    w->writers = writers;
    for (unsigned i = 0; i < writers; i++)
        w->ledgers[i] = ledger_new(w);
    return w;
}

void witness_free(struct witness *w)
{
    if (!w)
        return;
    for (unsigned i = 0; i < w->writers; i++)
        ledger_free(w->ledgers[i]);
    for (size_t i = 0; i < w->literal_count; i++)
        free(w->literals[i]);
    free(w->literals);
    free(w);
}

uint64_t witness_rows(const struct witness *w)
{
    return w->rows;
}

uint64_t witness_block(const struct witness *w)
{
    return w->block;
}

struct ledger *witness_ledger(struct witness *w, unsigned writer)
{
    return w->ledgers[writer];
}

int64_t witness_region(unsigned writer)
{
    return -(int64_t)(writer + 1) * REGION_ROWS;
}

static void set_rows(struct witness *w, uint64_t rows)
{
    w->rows = rows;
    w->block = rows / (w->writers * 4u);
    if (w->block < 16)
        w->block = 16;
    if (w->block > 2000)
        w->block = 2000;
}

enum role witness_role(const struct witness *w, int64_t ordinal)
{
    if (ordinal < 0) {
        const int64_t place = (ordinal + (int64_t)REGION_ROWS * 2000) % REGION_ROWS;
        return place == 0 || place == REGION_ROWS - 1 ? ROLE_FENCE : ROLE_OWNED;
    }
    if (ordinal <= HOT_ROWS)
        return ROLE_HOT;
    const uint64_t place = ((uint64_t)ordinal - 1) % w->block;
    const bool edge = place == 0 || place == w->block - 1 || ordinal == HOT_ROWS + 1;
    return edge || (uint64_t)ordinal == w->rows ? ROLE_FENCE : ROLE_OWNED;
}

/* The writer whose row this is by its place; rows with generated keys belong to who made them. */
unsigned witness_owner(const struct witness *w, int64_t ordinal)
{
    if (ordinal < 0)
        return (unsigned)((-ordinal - 1) / REGION_ROWS) % w->writers;
    return (unsigned)(((uint64_t)ordinal - 1) / w->block % w->writers);
}

void witness_pristine(const struct witness *w, int64_t ordinal, struct image *image)
{
    *image = (struct image){.present = ordinal > 0 && (uint64_t)ordinal <= w->rows};
    for (size_t i = 0; image->present && i < w->target.column_count; i++)
        image->generation[i] = (uint64_t)ordinal;
}

void witness_value(const struct witness *w, int64_t ordinal, const struct image *image,
                   size_t column, char *room, struct value *v)
{
    const uint64_t generation = image->generation[column];
    if (column < w->target.shape->key_count) {
        shape_key(&w->target, column, ordinal, image->respelled, room, v);
    } else if (generation & literal_bit) {
        const char *text = w->literals[generation & ~literal_bit];
        *v = (struct value){.text = text, .length = text ? strlen(text) : 0};
    } else {
        shape_value(&w->target, column, generation, room, v);
    }
}

bool witness_is_hot(const struct witness *w, int64_t ordinal)
{
    const int counter = shape_column_with(w->target.shape, CONTENT_COUNTER);
    return ordinal > 0 && ordinal <= HOT_ROWS && (uint64_t)ordinal <= w->rows && counter >= 0 &&
           w->target.used[counter];
}

void ledger_hot(struct ledger *l, size_t row, enum outcome outcome)
{
    struct hot *hot = &((struct witness *)(uintptr_t)l->witness)->hot[row];
    if (outcome == OUTCOME_ACKNOWLEDGED)
        __atomic_add_fetch(&hot->acknowledged, 1, __ATOMIC_RELAXED);
    else if (outcome == OUTCOME_UNKNOWN)
        __atomic_add_fetch(&hot->unknown, 1, __ATOMIC_RELAXED);
}

/* ---- what the table holds when the traffic starts ---- */

void witness_expect_fresh(struct witness *w, uint64_t rows)
{
    set_rows(w, rows);
    const int counter = shape_column_with(w->target.shape, CONTENT_COUNTER);
    for (int64_t i = 0; counter >= 0 && i < HOT_ROWS && (uint64_t)i < rows; i++) {
        char room[VALUE_ROOM];
        struct value v;
        shape_value(&w->target, (size_t)counter, (uint64_t)i + 1, room, &v);
        w->hot[i].base = strtoll(v.text, NULL, 10);
    }
}

static uint64_t new_literal(struct witness *w, const struct value *v)
{
    if (w->literal_count == w->literal_room) {
        w->literal_room = w->literal_room ? w->literal_room * 2 : 1024;
        w->literals = must(realloc(w->literals, w->literal_room * sizeof(*w->literals)));
    }
    char *copy = NULL;
    if (v->text) {
        copy = must(malloc(v->length + 1));
        memcpy(copy, v->text, v->length);
        copy[v->length] = '\0';
    }
    w->literals[w->literal_count] = copy;
    return literal_bit | w->literal_count++;
}

struct finding { /* what a table left by earlier traffic holds */
    struct witness *w;
    int64_t last;
    uint64_t odd;   /* rows whose key is none of ours */
    uint8_t *found; /* by ordinal: created rows that are there */
};

static bool find_last(void *context, const struct value *values, size_t count)
{
    struct finding *f = context;
    int64_t ordinal;
    bool respelled;
    (void)count;
    if (!shape_parse_key(&f->w->target, values, &ordinal, &respelled))
        f->odd++;
    else if (ordinal > f->last)
        f->last = ordinal;
    return true;
}

/* The image of a row as it was found; true when it is as creation made it. */
static bool take_image(struct witness *w, int64_t ordinal, bool respelled,
                       const struct value *values, struct image *image)
{
    witness_pristine(w, ordinal, image);
    bool pristine = image->present && !respelled;
    image->present = true;
    image->respelled = respelled;
    for (size_t i = w->target.shape->key_count; i < w->target.column_count; i++) {
        char room[VALUE_ROOM];
        struct value expected;
        witness_value(w, ordinal, image, i, room, &expected);
        if (!w->target.used[i] ||
            shape_same(w->target.shape->columns[i].content, &expected, &values[i]))
            continue;
        image->generation[i] = new_literal(w, &values[i]);
        pristine = false;
    }
    return pristine;
}

static bool find_row(void *context, const struct value *values, size_t count)
{
    struct finding *f = context;
    struct witness *w = f->w;
    const int counter = shape_column_with(w->target.shape, CONTENT_COUNTER);
    struct image image;
    int64_t ordinal;
    bool respelled;
    (void)count;
    if (!shape_parse_key(&w->target, values, &ordinal, &respelled))
        return true;
    if (ordinal > 0 && ordinal <= f->last)
        f->found[ordinal] = 1;
    if (witness_is_hot(w, ordinal) && values[counter].text)
        w->hot[ordinal - 1].base = strtoll(values[counter].text, NULL, 10);
    if (!take_image(w, ordinal, respelled, values, &image))
        ledger_record(w->ledgers[witness_owner(w, ordinal)], ordinal)->now = image;
    return true;
}

static bool find_rows(struct finding *f, struct link *link, const char *select)
{
    struct witness *w = f->w;
    witness_expect_fresh(w, (uint64_t)f->last);
    f->found = must(calloc((size_t)f->last + 1, 1));
    const bool ok = link->kind->stream(link, select, find_row, f);
    for (int64_t i = 1; i <= f->last; i++)
        if (!f->found[i])
            ledger_record(w->ledgers[witness_owner(w, i)], i)->now.present = false;
    free(f->found);
    return ok;
}

bool witness_expect_found(struct witness *w, struct link *link, struct traffic_error *err)
{
    struct finding f = {.w = w};
    struct statement s;
    witness_select(w, link, 0, &s);
    bool ok = link->kind->stream(link, s.sql, find_last, &f);
    ok = ok && find_rows(&f, link, s.sql);
    statement_free(&s);
    if (!ok)
        snprintf(err->text, sizeof(err->text), "reading the table: %s %s", link->code, link->text);
    else if (f.odd > 0)
        snprintf(err->text, sizeof(err->text),
                 "%" PRIu64 " rows have keys that are not of shape %s; create the table anew",
                 f.odd, w->target.shape->name);
    return ok && f.odd == 0;
}
