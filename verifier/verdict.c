#include "verifier/verdict.h"

enum { MOST_RANGES = 10000 };

void verdict_add_range(const struct plan *plan, struct verdict *verdict, const struct range *range,
                       struct arena *arena)
{
    if (verdict->n_ranges == MOST_RANGES) {
        verdict->has_more_ranges = true;
        return;
    }
    struct divergent_range *kept = ARENA_NEW(arena, struct divergent_range);
    kept->range = (struct range){.number = range->number,
                                 .after = bound_copy(plan, &range->after, arena),
                                 .through = bound_copy(plan, &range->through, arena)};
    kept->next = verdict->ranges;
    verdict->ranges = kept;
    verdict->n_ranges++;
}

/* Ranges are numbered in the order of the key: so are the differences, then. */
static void add_difference(struct verdict *verdict, const struct difference *difference,
                           struct arena *arena)
{
    struct difference **at = &verdict->differences;
    struct difference *copy = ARENA_NEW(arena, struct difference);

    while (*at && (*at)->range <= difference->range)
        at = &(*at)->next;
    *copy = (struct difference){.next = *at,
                                .kind = difference->kind,
                                .key = arena_string(arena, difference->key),
                                .columns = arena_string(arena, difference->columns),
                                .range = difference->range};
    *at = copy;
    verdict->n_differences++;
}

void verdict_add_share(const struct plan *plan, struct verdict *verdict,
                       const struct verdict *share, uint64_t most, struct arena *arena)
{
    for (const struct difference *d = share->differences; d && verdict->n_differences < most;
         d = d->next)
        add_difference(verdict, d, arena);
    for (const struct divergent_range *r = share->ranges; r; r = r->next)
        verdict_add_range(plan, verdict, &r->range, arena);
    verdict->rows += share->rows;
    verdict->chunks += share->chunks;
    verdict->rechecked += share->rechecked;
    verdict->differing += share->differing;
    verdict->has_more_ranges |= share->has_more_ranges;
}
