#include "ledger.h"

#include <stdlib.h>
#include <string.h>

struct ledger *ledger_new(const struct witness *w)
{
    struct ledger *l = must(calloc(1, sizeof(*l)));
    l->witness = w;
    l->slot_count = 1024;
    l->slots = must(calloc(l->slot_count, sizeof(*l->slots)));
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->count; i++)
        free(ledger_at(l, i)->maybe);
    for (size_t i = 0; i * CHUNK_RECORDS < l->count; i++)
        free(l->chunks[i]);
    free(l->chunks);
    free(l->slots);
    free(l->plans);
    free(l);
}

struct record *ledger_at(const struct ledger *l, size_t index)
{
    return &l->chunks[index / CHUNK_RECORDS][index % CHUNK_RECORDS];
}

/* The slot that holds the ordinal, or the free one where it belongs. */
static size_t slot_of(const struct ledger *l, int64_t ordinal)
{
    size_t slot = (size_t)((uint64_t)ordinal * UINT64_C(0x9e3779b97f4a7c15) >> 20);
    for (slot %= l->slot_count; l->slots[slot]; slot = (slot + 1) % l->slot_count)
        if (ledger_at(l, l->slots[slot] - 1)->ordinal == ordinal)
            break;
    return slot;
}

struct record *ledger_find(const struct ledger *l, int64_t ordinal)
{
    const size_t slot = slot_of(l, ordinal);
    return l->slots[slot] ? ledger_at(l, l->slots[slot] - 1) : NULL;
}

static void grow_slots(struct ledger *l)
{
    free(l->slots);
    l->slot_count *= 2;
    l->slots = must(calloc(l->slot_count, sizeof(*l->slots)));
    for (size_t i = 0; i < l->count; i++)
        l->slots[slot_of(l, ledger_at(l, i)->ordinal)] = (uint32_t)(i + 1);
}

static struct record *add_record(struct ledger *l, int64_t ordinal)
{
    if ((l->count + 1) * 3 > l->slot_count * 2)
        grow_slots(l);
    if (l->count % CHUNK_RECORDS == 0) {
        const size_t chunk = l->count / CHUNK_RECORDS;
        if (chunk == l->chunk_room) {
            l->chunk_room = l->chunk_room ? l->chunk_room * 2 : 16;
            l->chunks = must(realloc(l->chunks, l->chunk_room * sizeof(*l->chunks)));
        }
        l->chunks[chunk] = must(calloc(CHUNK_RECORDS, sizeof(struct record)));
    }
    struct record *r = ledger_at(l, l->count++);
    r->ordinal = ordinal;
    witness_pristine(l->witness, ordinal, &r->now);
    l->slots[slot_of(l, ordinal)] = (uint32_t)l->count;
    return r;
}

struct record *ledger_record(struct ledger *l, int64_t ordinal)
{
    struct record *r = ledger_find(l, ordinal);
    return r ? r : add_record(l, ordinal);
}

void ledger_settled(const struct ledger *l, int64_t ordinal, struct image *image)
{
    const struct record *r = ledger_find(l, ordinal);
    if (r)
        *image = r->now;
    else
        witness_pristine(l->witness, ordinal, image);
}

bool ledger_image(const struct ledger *l, int64_t ordinal, struct image *image)
{
    for (size_t i = l->plan_count; i > 0; i--) {
        if (l->plans[i - 1].ordinal == ordinal) {
            *image = l->plans[i - 1].image;
            return true;
        }
    }
    ledger_settled(l, ordinal, image);
    const struct record *r = ledger_find(l, ordinal);
    return !r || !r->maybe;
}

void ledger_plan(struct ledger *l, int64_t ordinal, const struct image *image)
{
    if (l->plan_count == l->plan_room) {
        l->plan_room = l->plan_room ? l->plan_room * 2 : 64;
        l->plans = must(realloc(l->plans, l->plan_room * sizeof(*l->plans)));
    }
    l->plans[l->plan_count++] = (struct plan){ordinal, *image};
}

size_t ledger_planned(const struct ledger *l)
{
    return l->plan_count;
}

void ledger_unplan(struct ledger *l, size_t mark)
{
    l->plan_count = mark;
}

static void acknowledge(struct ledger *l, const struct plan *p)
{
    struct record *r = ledger_record(l, p->ordinal);
    r->previous = r->now;
    r->has_previous = true;
    r->now = p->image;
}

static void doubt(struct ledger *l, const struct plan *p)
{
    struct record *r = ledger_record(l, p->ordinal);
    if (!r->maybe)
        r->maybe = must(malloc(sizeof(*r->maybe)));
    *r->maybe = p->image; /* of several plans for one row, the transaction's last counts */
    r->doubt = l->doubts;
}

void ledger_settle(struct ledger *l, enum outcome outcome)
{
    if (outcome == OUTCOME_UNKNOWN)
        l->doubts++;
    for (size_t i = 0; i < l->plan_count; i++) {
        if (outcome == OUTCOME_ACKNOWLEDGED)
            acknowledge(l, &l->plans[i]);
        else if (outcome == OUTCOME_UNKNOWN)
            doubt(l, &l->plans[i]);
    }
    l->plan_count = 0;
}
