/*
 * The comparison of the table with what the witness knows.
 */
#include "ledger.h"
#include "witness_private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct witness *w;
    struct traffic_verdict *verdict;
    uint8_t *seeds; /* by ordinal: rows that no ledger knows, seen so often */
    uint8_t *hot;
    uint8_t **choices; /* by writer and doubt: 1 its old states are there, 2 its new ones */
};

static void quote_value(const struct value *v, char *out, size_t size)
{
    if (!v->text) {
        snprintf(out, size, "NULL");
        return;
    }
    size_t used = 0;
    out[used++] = '\'';
    for (size_t i = 0; i < v->length && used + 6 < size; i++) {
        const unsigned char c = (unsigned char)v->text[i];
        if (c < 0x20 || c == 0x7f)
            used += (size_t)snprintf(out + used, size - used, "\\x%02x", c);
        else
            out[used++] = (char)c;
    }
    out[used++] = '\'';
    out[used] = '\0';
}

static void key_text(const struct witness *w, int64_t ordinal, bool respelled, char *out,
                     size_t size)
{
    char room[VALUE_ROOM];
    struct value v;
    size_t used = 0;
    for (size_t i = 0; i < w->target.shape->key_count && used < size; i++) {
        shape_key(&w->target, i, ordinal, respelled, room, &v);
        used += (size_t)snprintf(out + used, size - used, "%s%s=%s", i ? " " : "",
                                 w->target.shape->columns[i].name, v.text);
    }
}

__attribute__((format(printf, 4, 5))) static void report(struct traffic_verdict *verdict,
                                                         uint64_t *counter, const char *kind,
                                                         const char *format, ...)
{
    ++*counter;
    if (verdict->difference_count == TRAFFIC_MAX_DIFFERENCES)
        return;
    struct traffic_difference *d = &verdict->differences[verdict->difference_count++];
    snprintf(d->kind, sizeof(d->kind), "%s", kind);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(d->text, sizeof(d->text), format, arguments);
    va_end(arguments);
}

static int difference(const struct witness *w, int64_t ordinal, const struct image *image,
                      const struct value *values, int except)
{
    char room[VALUE_ROOM];
    struct value expected;
    for (size_t i = 0; i < w->target.column_count; i++) {
        if (!w->target.used[i] || (int)i == except)
            continue;
        witness_value(w, ordinal, image, i, room, &expected);
        if (!shape_same(w->target.shape->columns[i].content, &expected, &values[i]))
            return (int)i;
    }
    return -1;
}

static bool matches(const struct witness *w, int64_t ordinal, const struct image *image,
                    const struct value *values)
{
    return image && image->present && difference(w, ordinal, image, values, -1) < 0;
}

static void report_wrong(struct check *c, int64_t ordinal, const struct image *image,
                         const struct value *values, bool stale)
{
    char key[120], expected_text[140], found_text[140], room[VALUE_ROOM];
    struct value expected;
    const size_t column = (size_t)difference(c->w, ordinal, image, values, -1);
    key_text(c->w, ordinal, image->respelled, key, sizeof(key));
    witness_value(c->w, ordinal, image, column, room, &expected);
    quote_value(&expected, expected_text, sizeof(expected_text));
    quote_value(&values[column], found_text, sizeof(found_text));
    report(c->verdict, stale ? &c->verdict->stale : &c->verdict->wrong, stale ? "stale" : "wrong",
           "%s: column %s is %s, acknowledged was %s%s", key,
           c->w->target.shape->columns[column].name, found_text, expected_text,
           stale ? " (the row is as it was before its last write)" : "");
}

static void choose(struct check *c, unsigned writer, const struct record *r, bool old, bool new)
{
    if (!r->maybe || old == new)
        return;
    uint8_t *choice = &c->choices[writer][r->doubt];
    const uint8_t here = new ? 2 : 1;
    if (*choice == 0)
        *choice = here;
    if (*choice == here)
        return;
    char key[120];
    key_text(c->w, r->ordinal, r->now.respelled, key, sizeof(key));
    report(c->verdict, &c->verdict->torn, "torn",
           "%s: the transaction without a reply took effect on some rows only", key);
}

static void check_known(struct check *c, unsigned writer, struct record *r,
                        const struct value *values)
{
    char key[120];
    if (++r->seen > 1) {
        key_text(c->w, r->ordinal, r->now.respelled, key, sizeof(key));
        report(c->verdict, &c->verdict->doubled, "doubled", "%s: row number %u with this key", key,
               r->seen);
        return;
    }
    const bool old = matches(c->w, r->ordinal, &r->now, values);
    const bool new = matches(c->w, r->ordinal, r->maybe, values);
    const struct image *wanted = r->now.present ? &r->now : r->maybe;
    if (old || new) {
        choose(c, writer, r, old, new);
    } else if (!wanted || !wanted->present) {
        key_text(c->w, r->ordinal, r->now.respelled, key, sizeof(key));
        report(c->verdict, &c->verdict->resurrected, "resurrected",
               "%s: the row is there, its delete was acknowledged", key);
    } else {
        const bool stale = r->has_previous && matches(c->w, r->ordinal, &r->previous, values);
        report_wrong(c, r->ordinal, wanted, values, stale);
    }
}

static void check_hot(struct check *c, int64_t ordinal, const struct value *values)
{
    const int counter = shape_column_with(c->w->target.shape, CONTENT_COUNTER);
    const struct hot *hot = &c->w->hot[ordinal - 1];
    struct image image;
    if (!ledger_image(c->w->ledgers[witness_owner(c->w, ordinal)], ordinal, &image))
        return;
    if (c->hot[ordinal - 1]++) {
        report(c->verdict, &c->verdict->doubled, "doubled", "hot row %" PRId64, ordinal);
        return;
    }
    const int64_t least = hot->base + (int64_t)hot->acknowledged;
    const int64_t most = least + (int64_t)hot->unknown;
    const int64_t found = values[counter].text ? strtoll(values[counter].text, NULL, 10) : 0;
    if (found < least || found > most)
        report(c->verdict, &c->verdict->wrong, "wrong",
               "hot row %" PRId64 ": counted to %" PRId64 ", acknowledged were %" PRId64
               " to %" PRId64,
               ordinal, found, least, most);
    if (difference(c->w, ordinal, &image, values, counter) >= 0)
        report(c->verdict, &c->verdict->wrong, "wrong",
               "hot row %" PRId64 ": a column nobody wrote has changed", ordinal);
}

static void check_untouched(struct check *c, int64_t ordinal, bool respelled,
                            const struct value *values)
{
    struct image image;
    char key[120];
    key_text(c->w, ordinal, respelled, key, sizeof(key));
    witness_pristine(c->w, ordinal, &image);
    if (!image.present) {
        report(c->verdict, &c->verdict->unexpected, "unexpected",
               "%s: nobody was told that this row exists", key);
        return;
    }
    if (c->seeds[ordinal] && c->seeds[ordinal]++ < 255) {
        report(c->verdict, &c->verdict->doubled, "doubled", "%s: an untouched row", key);
        return;
    }
    c->seeds[ordinal] = 1;
    if (difference(c->w, ordinal, &image, values, -1) >= 0)
        report_wrong(c, ordinal, &image, values, false);
}

/*
 * A server that crashed may give out a key again whose insert nobody acknowledged: the row is
 * that of the writer who was told of it.
 */
static struct record *find_record(const struct witness *w, int64_t ordinal, unsigned *writer)
{
    *writer = witness_owner(w, ordinal);
    struct record *found = ledger_find(w->ledgers[*writer], ordinal);
    for (unsigned i = 0; (!found || !found->now.present) && i < w->writers; i++) {
        struct record *r = ledger_find(w->ledgers[i], ordinal);
        if (!r || (found && !r->now.present))
            continue;
        *writer = i;
        found = r;
    }
    return found;
}

static bool check_row(void *context, const struct value *values, size_t count)
{
    struct check *c = context;
    int64_t ordinal;
    bool respelled;
    unsigned writer;
    (void)count;
    c->verdict->rows++;
    if (!shape_parse_key(&c->w->target, values, &ordinal, &respelled)) {
        char text[140];
        quote_value(&values[0], text, sizeof(text));
        report(c->verdict, &c->verdict->unexpected, "unexpected", "%s: a key of nobody's", text);
        return true;
    }
    struct record *r = find_record(c->w, ordinal, &writer);
    if (witness_is_hot(c->w, ordinal))
        check_hot(c, ordinal, values);
    else if (r)
        check_known(c, writer, r, values);
    else
        check_untouched(c, ordinal, respelled, values);
    return true;
}

static void report_lost(struct check *c, int64_t ordinal, const struct image *image,
                        const char *what)
{
    char key[120];
    key_text(c->w, ordinal, image->respelled, key, sizeof(key));
    report(c->verdict, &c->verdict->lost, "lost", "%s: %s", key, what);
}

static void check_missing(struct check *c)
{
    unsigned writer;
    struct image none = {0};
    for (unsigned i = 0; i < c->w->writers; i++) {
        const struct ledger *l = c->w->ledgers[i];
        for (size_t n = 0; n < l->count; n++) {
            const struct record *r = ledger_at(l, n);
            if (r->seen || witness_is_hot(c->w, r->ordinal))
                continue;
            if (r->now.present && (!r->maybe || r->maybe->present))
                report_lost(c, r->ordinal, &r->now, "an acknowledged row is not there");
            else
                choose(c, i, r, !r->now.present, r->maybe && !r->maybe->present);
        }
    }
    for (int64_t i = 1; (uint64_t)i <= c->w->rows; i++) {
        if (witness_is_hot(c->w, i) ? !c->hot[i - 1]
                                    : !c->seeds[i] && !find_record(c->w, i, &writer))
            report_lost(c, i, &none, "an untouched row is not there");
    }
}

void witness_select(const struct witness *w, const struct link *link, unsigned names,
                    struct statement *s)
{
    statement_begin(s, link, false);
    target_select(&w->target, names, s);
}

/* Which column names the table has now. */
static unsigned find_names(const struct witness *w, struct link *link)
{
    for (unsigned names = 1; names > 0; names--) {
        struct statement s;
        witness_select(w, link, names, &s);
        statement_add(&s, " LIMIT 0");
        const bool ok = link->kind->run(link, &s) == REPLY_OK;
        statement_free(&s);
        if (ok)
            return names;
    }
    return 0;
}

static void prepare(struct check *c)
{
    const struct witness *w = c->w;
    c->seeds = must(calloc(w->rows + 2, 1));
    c->hot = must(calloc(HOT_ROWS, 1));
    c->choices = must(calloc(w->writers, sizeof(*c->choices)));
    for (unsigned i = 0; i < w->writers; i++) {
        struct ledger *l = w->ledgers[i];
        c->choices[i] = must(calloc(l->doubts + 1, 1));
        for (size_t n = 0; n < l->count; n++) {
            struct record *r = ledger_at(l, n);
            r->seen = 0;
            c->verdict->witnessed += r->has_previous || r->maybe;
        }
    }
}

static void finish(struct check *c)
{
    for (unsigned i = 0; i < c->w->writers; i++)
        free(c->choices[i]);
    free(c->choices);
    free(c->hot);
    free(c->seeds);
}

void witness_check(struct witness *w, struct link *link, struct traffic_verdict *verdict)
{
    *verdict = (struct traffic_verdict){0};
    struct check c = {.w = w, .verdict = verdict};
    struct statement s;
    prepare(&c);
    witness_select(w, link, find_names(w, link), &s);
    verdict->checked = link->kind->stream(link, s.sql, check_row, &c);
    statement_free(&s);
    if (verdict->checked)
        check_missing(&c);
    else
        snprintf(verdict->problem, sizeof(verdict->problem), "reading the table back: %s %s",
                 link->code, link->text);
    finish(&c);
}

bool traffic_verdict_clean(const struct traffic_verdict *v)
{
    return v->checked &&
           v->lost + v->stale + v->wrong + v->doubled + v->resurrected + v->unexpected + v->torn ==
               0;
}
