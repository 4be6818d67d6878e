#include "verifier/verdict.h"

enum { MOST_RANGES = 10000 };

static struct bound copy_bound(const struct plan *plan, const struct bound *bound,
                               struct arena *arena)
{
    struct bound copy = {.literals = NULL};

    if (!bound->literals)
        return copy;
    copy.literals = ARENA_ARRAY(arena, const char *, plan->key->n_columns);
    for (size_t i = 0; i < plan->key->n_columns; i++)
        copy.literals[i] = arena_string(arena, bound->literals[i]);
    return copy;
}

void verdict_add_range(const struct plan *plan, struct verdict *verdict, const struct range *range,
                       struct arena *arena)
{
    if (verdict->n_ranges == MOST_RANGES) {
        verdict->has_more_ranges = true;
        return;
    }
    struct divergent_range *kept = ARENA_NEW(arena, struct divergent_range);
    kept->range = (struct range){.number = range->number,
                                 .after = copy_bound(plan, &range->after, arena),
                                 .through = copy_bound(plan, &range->through, arena)};
    kept->next = verdict->ranges;
    verdict->ranges = kept;
    verdict->n_ranges++;
}

static void add_differences(struct verdict *verdict, const struct difference *share, uint64_t most,
                            struct arena *arena)
{
    struct difference **last = &verdict->differences;
    uint64_t kept = 0;

    for (; *last; last = &(*last)->next)
        kept++;
    for (; share && kept < most; share = share->next, kept++) {
        *last = ARENA_NEW(arena, struct difference);
        (*last)->kind = share->kind;
        (*last)->key = arena_string(arena, share->key);
        (*last)->columns = arena_string(arena, share->columns);
        last = &(*last)->next;
    }
}

void verdict_add_share(const struct plan *plan, struct verdict *verdict,
                       const struct verdict *share, uint64_t most, struct arena *arena)
{
    add_differences(verdict, share->differences, most, arena);
    for (const struct divergent_range *r = share->ranges; r; r = r->next)
        verdict_add_range(plan, verdict, &r->range, arena);
    verdict->rows += share->rows;
    verdict->chunks += share->chunks;
    verdict->rechecked += share->rechecked;
    verdict->differing += share->differing;
    verdict->has_more_ranges |= share->has_more_ranges;
}
