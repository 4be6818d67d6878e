#include "tests/unit/unit.h"

#include "verifier/verdict.h"
#include "verifier/verifier.h"

static const struct table source = {.name = "users", .quoted = "`users`"};
static const struct table shadow = {.name = "users_osc_new", .quoted = "`users_osc_new`"};
static const struct key key = {.n_columns = 1};
static const struct plan plan = {.source = &source, .shadow = &shadow, .key = &key};

static struct difference difference(uint64_t range, enum difference_kind kind, const char *at,
                                    const char *columns, struct difference *next)
{
    return (struct difference){
        .range = range, .kind = kind, .key = at, .columns = columns, .next = next};
}

static void assert_text(const struct verdict *verdict, uint64_t most, const char *expected)
{
    AUTO(text) out = TEXT_INIT;

    verdict_text(&plan, verdict, most, &out);
    assert_string_equal(out.bytes, expected);
}

static void assert_json(const struct verdict *verdict, const char *expected)
{
    AUTO(text) out = TEXT_INIT;

    verdict_json(&plan, verdict, &out);
    assert_string_equal(out.bytes, expected);
}

static void equal_tables_are_one_line(void **state)
{
    (void)state;
    const struct verdict verdict = {.is_equal = true, .rows = 17, .chunks = 2};

    assert_text(&verdict, 20, "users and users_osc_new are equal: 17 rows compared\n");
    assert_json(&verdict,
                "{\"source\":\"users\",\"shadow\":\"users_osc_new\",\"equal\":true,\"rows\":17,"
                "\"ranges\":2,\"rechecked\":0,\"differing\":0,\"differences\":[]}");
}

static void every_kind_of_difference_has_its_words(void **state)
{
    (void)state;
    struct difference c = difference(1, DIFFERENCE_CHANGED, "id=3", "name, note", NULL);
    struct difference b = difference(1, DIFFERENCE_EXTRA, "id=2", "", &c);
    struct difference a = difference(1, DIFFERENCE_MISSING, "id=1", "", &b);
    const struct verdict verdict = {.rows = 100, .differing = 5, .differences = &a};

    assert_text(&verdict, 20,
                "users and users_osc_new differ in 5 rows of 100:\n"
                "  id=1: missing in users_osc_new\n"
                "  id=2: only in users_osc_new\n"
                "  id=3: differs in name, note\n"
                "  and 2 more\n");
    assert_text(&verdict, 1,
                "users and users_osc_new differ in 5 rows of 100:\n"
                "  id=1: missing in users_osc_new\n"
                "  and 4 more\n");
}

/* Changed once more before its columns could be asked for. */
static void a_row_that_is_alike_by_now_differed(void **state)
{
    (void)state;
    struct difference a = difference(1, DIFFERENCE_CHANGED, "id=1", "", NULL);
    const struct verdict verdict = {.rows = 100, .differing = 1, .differences = &a};

    assert_text(&verdict, 20,
                "users and users_osc_new differ in 1 row of 100:\n  id=1: differed\n");
}

static void keys_that_are_not_utf8_do_not_break_the_json(void **state)
{
    (void)state;
    struct difference a = difference(1, DIFFERENCE_EXTRA, "k=a\xff\"", "", NULL);
    const struct verdict verdict = {.rows = 1, .differing = 1, .differences = &a};

    assert_json(&verdict,
                "{\"source\":\"users\",\"shadow\":\"users_osc_new\",\"equal\":false,\"rows\":1,"
                "\"ranges\":0,\"rechecked\":0,\"differing\":1,\"differences\":[{\"key\":"
                "\"k=a?\\\"\",\"kind\":\"extra\",\"columns\":\"\"}]}");
}

static void shares_of_the_workers_come_together_in_key_order(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct verdict verdict = {.is_equal = false};
    const char *literals[] = {"7"};
    struct difference a2 = difference(1, DIFFERENCE_EXTRA, "id=2", "", NULL);
    struct difference a1 = difference(1, DIFFERENCE_EXTRA, "id=1", "", &a2);
    struct difference b = difference(2, DIFFERENCE_EXTRA, "id=5", "", NULL);
    struct difference c2 = difference(3, DIFFERENCE_EXTRA, "id=8", "", NULL);
    struct difference c1 = difference(3, DIFFERENCE_EXTRA, "id=7", "", &c2);
    struct verdict first = {.rows = 10, .chunks = 2, .differing = 1, .differences = &b};
    struct verdict second = {.rows = 5, .chunks = 1, .differing = 4, .differences = &a1};
    a2.next = &c1;

    verdict_add_range(&plan, &second, &(struct range){.number = 1, .through.literals = literals},
                      arena);
    verdict_add_share(&plan, &verdict, &first, 4, arena);
    verdict_add_share(&plan, &verdict, &second, 4, arena);
    assert_int_equal(verdict.rows, 15);
    assert_int_equal(verdict.differing, 5);
    assert_text(&verdict, 20,
                "users and users_osc_new differ in 5 rows of 15:\n"
                "  id=1: only in users_osc_new\n"
                "  id=2: only in users_osc_new\n"
                "  id=5: only in users_osc_new\n"
                "  id=7: only in users_osc_new\n"
                "  and 1 more\n");
    assert_null(verdict.ranges->range.after.literals);
    assert_string_equal(verdict.ranges->range.through.literals[0], "7");
    arena_free(arena);
}

static void ranges_to_repair_have_an_end(void **state)
{
    (void)state;
    struct arena *arena = arena_new();
    struct verdict verdict = {.is_equal = false};

    for (unsigned i = 0; i < 10001; i++) {
        assert_false(verdict.has_more_ranges);
        verdict_add_range(&plan, &verdict, &(struct range){.number = i}, arena);
    }
    assert_true(verdict.has_more_ranges);
    assert_int_equal(verdict.n_ranges, 10000);

    const struct verify_job job = {.plan = &plan};
    struct error err = ERROR_INIT;
    uint64_t entries = 0;
    assert_false(verify_repair(&job, &verdict, &entries, &err));
    assert_int_equal(err.kind, ERROR_DIVERGED);
    assert_string_equal(err.text, "`users_osc_new` differs too much from `users` to be repaired");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_tables_are_one_line),
        cmocka_unit_test(every_kind_of_difference_has_its_words),
        cmocka_unit_test(a_row_that_is_alike_by_now_differed),
        cmocka_unit_test(keys_that_are_not_utf8_do_not_break_the_json),
        cmocka_unit_test(shares_of_the_workers_come_together_in_key_order),
        cmocka_unit_test(ranges_to_repair_have_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
