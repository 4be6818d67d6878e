#include "tests/unit/unit.h"

#include <stdlib.h>

#include "copier/chunker.h"
#include "copier/pace.h"
#include "osc/db/dialect.h"

static const char *show_positions(const struct plan *plan, uint64_t from, uint64_t to,
                                  struct arena *arena)
{
    (void)plan;
    return arena_printf(arena, "%lu..%lu", (unsigned long)from, (unsigned long)to);
}

static const struct copy_dialect copy = {.positions = show_positions};
static const struct dialect dialect = {.copy = &copy};
static const struct plan plan = {.dialect = &dialect};

struct scene {
    struct chunker *chunker;
    struct arena *arena;
    unsigned char *copied; /* how often each position was */
    uint64_t first, last;
};

static struct scene scene(uint64_t first, uint64_t last, unsigned workers, const char *watermark)
{
    const struct extent extent = {.is_numeric = true, .first = first, .last = last};
    struct error err = ERROR_INIT;
    struct scene s = {.arena = arena_new(), .first = first, .last = last};

    s.chunker = chunker_new(&plan, &extent, workers, watermark, &err);
    assert_non_null(s.chunker);
    s.copied = calloc(last - first + 1, 1);
    return s;
}

static void end(struct scene *s)
{
    chunker_free(s->chunker);
    arena_free(s->arena);
    free(s->copied);
}

static bool take(struct scene *s, unsigned worker, uint64_t size, struct chunk *chunk)
{
    struct error err = ERROR_INIT;
    bool found = false;

    chunk->arena = s->arena;
    assert_true(chunker_take(s->chunker, worker, NULL, size, chunk, &found, &err));
    return found;
}

static void copy_it(struct scene *s, unsigned worker, const struct chunk *chunk)
{
    for (uint64_t p = chunk->from; p <= chunk->to; p++)
        s->copied[p - s->first]++;
    chunker_done(s->chunker, worker, chunk);
}

static void assert_all_copied_once(const struct scene *s)
{
    for (uint64_t p = s->first; p <= s->last; p++)
        assert_int_equal(s->copied[p - s->first], 1);
}

static void every_position_is_copied_once_by_any_number_of_workers(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 7; workers++)
        for (uint64_t size = 1; size < 40; size += 6)
            for (uint64_t last = 0; last < 60; last += 7) {
                struct scene s = scene(3, 3 + last, workers, NULL);
                bool any = true;
                while (any) {
                    any = false;
                    for (unsigned w = 0; w < workers; w++) {
                        struct chunk chunk;
                        if (take(&s, w, size + w, &chunk)) {
                            any = true;
                            copy_it(&s, w, &chunk);
                        }
                    }
                }
                assert_all_copied_once(&s);
                end(&s);
            }
}

static void an_idle_worker_takes_half_of_the_largest_stretch(void **state)
{
    (void)state;
    struct scene s = scene(0, 9999, 2, NULL);
    struct chunk chunk;

    for (unsigned i = 0; i < 50; i++) {
        assert_true(take(&s, 0, 100, &chunk));
        copy_it(&s, 0, &chunk);
        if (i == 0)
            assert_true(take(&s, 1, 100, &chunk)); /* the other works, too */
    }
    assert_true(take(&s, 0, 100, &chunk)); /* its own is used up: it goes on in the other's */
    assert_true(chunk.from > 7000);
    copy_it(&s, 0, &chunk);
    end(&s);
}

static void the_ends_of_the_number_line_are_positions(void **state)
{
    (void)state;
    const struct extent extent = {.is_numeric = true, .first = 0, .last = UINT64_MAX};
    struct error err = ERROR_INIT;
    struct arena *arena = arena_new();
    struct chunk chunk = {.arena = arena};
    struct chunker *chunker = chunker_new(&plan, &extent, 1, NULL, &err);
    bool found;

    assert_true(chunker_take(chunker, 0, NULL, UINT64_MAX, &chunk, &found, &err) && found);
    assert_int_equal(chunk.from, 0);
    assert_true(chunk.to == UINT64_MAX - 1);
    assert_true(chunker_take(chunker, 0, NULL, 10, &chunk, &found, &err) && found);
    assert_true(chunk.from == UINT64_MAX && chunk.to == UINT64_MAX);
    assert_true(chunker_take(chunker, 0, NULL, 10, &chunk, &found, &err) && !found);
    chunker_free(chunker);
    arena_free(arena);
}

/* What was handed out but not done at the crash is handed out again; what was done is not. */
static void a_later_run_goes_on_from_the_watermark(void **state)
{
    (void)state;
    struct scene s = scene(0, 999, 3, NULL);
    struct chunk done, lost;

    assert_true(take(&s, 0, 50, &done));
    copy_it(&s, 0, &done);
    assert_true(take(&s, 1, 50, &done));
    copy_it(&s, 1, &done);
    assert_true(take(&s, 1, 50, &lost));
    char *watermark = strdup(chunker_watermark(s.chunker, s.arena));
    struct scene again = scene(0, 999, 2, watermark);
    memcpy(again.copied, s.copied, 1000);
    for (bool any = true; any;) {
        any = false;
        for (unsigned w = 0; w < 2; w++)
            if (take(&again, w, 77, &done)) {
                any = true;
                copy_it(&again, w, &done);
            }
    }
    assert_all_copied_once(&again);
    free(watermark);
    end(&again);
    end(&s);
}

/* Whoever begins where another has begun would call done what that one still copies. */
static void no_two_workers_share_a_stretch(void **state)
{
    (void)state;
    struct scene s = scene(0, 999, 3, "{\"stretches\":[[\"0\",\"999\"]]}");
    const unsigned order[] = {0, 2, 1, 3}; /* one more than there were to begin with */
    struct chunk chunks[ARRAY_SIZE(order)];

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        assert_true(take(&s, order[i], 10, &chunks[i]));
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (order[i] != 2)
            copy_it(&s, order[i], &chunks[i]);
    struct scene again = scene(0, 999, 1, chunker_watermark(s.chunker, s.arena));
    memcpy(again.copied, s.copied, 1000);
    for (struct chunk chunk; take(&again, 0, 100, &chunk);)
        copy_it(&again, 0, &chunk);
    assert_all_copied_once(&again);
    end(&again);
    end(&s);
}

static void a_broken_watermark_is_an_error(void **state)
{
    (void)state;
    const struct extent extent = {.is_numeric = true, .first = 0, .last = 9};
    const char *const broken[] = {
        "{",
        "[]",
        "{\"stretches\":3}",
        "{\"stretches\":[[1,2]]}",
        "{\"stretches\":[[\"1\",\"9x\"]]}",
        "{\"stretches\":[[\"9\",\"1\"]]}",
        "{\"stretches\":[[\"1\",\"99999999999999999999\"]]}",
    };

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        struct error err = ERROR_INIT;
        assert_null(chunker_new(&plan, &extent, 1, broken[i], &err));
        assert_int_equal(err.kind, ERROR_SYSTEM);
    }
}

static void pace_comes_to_the_wanted_time_and_stays(void **state)
{
    (void)state;
    struct pace pace = {.target_us = 250000, .size = 100, .most = 1u << 30};

    for (int i = 0; i < 40; i++)
        pace_learn(&pace, pace.size, pace.size * 10); /* 10 us a row */
    assert_in_range(pace.size, 24000, 26000);
    pace_learn(&pace, pace.size, 60 * 1000000u); /* one chunk met a lock */
    assert_in_range(pace.size, 6000, 7000);
    for (int i = 0; i < 200; i++)
        pace_learn(&pace, pace.size, 1000000000);
    assert_int_equal(pace.size, 1);
}

/* Wide rows: the first chunk is a page or two, and then it is to be half of that. */
static void a_chunk_is_never_of_nothing(void **state)
{
    (void)state;
    struct pace pace = {.target_us = 250000, .size = 1, .least = 0, .most = 1};

    pace_aim(&pace, 80000);
    assert_int_equal(pace.size, 1);
    assert_int_equal(pace.target_us, 80000);
    pace_aim(&pace, 250000);
    assert_int_equal(pace.size, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_position_is_copied_once_by_any_number_of_workers),
        cmocka_unit_test(an_idle_worker_takes_half_of_the_largest_stretch),
        cmocka_unit_test(the_ends_of_the_number_line_are_positions),
        cmocka_unit_test(a_later_run_goes_on_from_the_watermark),
        cmocka_unit_test(no_two_workers_share_a_stretch),
        cmocka_unit_test(a_broken_watermark_is_an_error),
        cmocka_unit_test(pace_comes_to_the_wanted_time_and_stays),
        cmocka_unit_test(a_chunk_is_never_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
