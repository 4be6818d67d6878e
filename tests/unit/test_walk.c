#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/plan/catalog_dialect.h"
#include "verifier/walk.h"

/* A server whose table holds the keys 1…KEYS: asked for the key `skip` rows further on. */
enum { KEYS = 1000 };
static unsigned long last_key;
static char answer[32];
static const char *answers[1] = {answer};
static size_t lengths[1];
static bool has_answer;

static bool fake_query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    (void)db, (void)err;
    const char *after = strstr(statement, "t.id > "), *skip = strstr(statement, "OFFSET ");
    last_key = after ? strtoul(after + 7, NULL, 10) : 0;
    last_key += strtoul(skip + 7, NULL, 10) + 1;
    has_answer = last_key <= KEYS;
    lengths[0] = (size_t)snprintf(answer, sizeof answer, "%lu", last_key);
    rows->columns = 1;
    return true;
}

static bool fake_next(struct rows *rows, struct error *err)
{
    (void)err;
    const bool has = has_answer;
    has_answer = false;
    rows->values = answers;
    rows->lengths = lengths;
    return has;
}

static void fake_finish(struct rows *rows)
{
    (void)rows;
}

static const char *plain_literal(const struct column *column, const char *ref, struct arena *arena)
{
    (void)column, (void)arena;
    return ref;
}

static const struct db_driver driver = {
    .query = fake_query, .next = fake_next, .finish = fake_finish};
static const struct catalog_dialect catalog = {.literal_of = plain_literal, .force_index = ""};
static const struct dialect dialect = {.driver = &driver, .catalog = &catalog};
static const struct column id = {.name = "id", .quoted = "id", .type = "int"};
static const struct column *key_columns[] = {&id};
static const struct key key = {.n_columns = 1, .columns = key_columns};
static const struct table source = {.name = "t", .quoted = "t"};

struct scene {
    struct arena *arena;
    struct plan plan;
    struct db db;
    struct walk *walk;
};

static void scene_open(struct scene *s)
{
    *s = (struct scene){.arena = arena_new()};
    s->plan = (struct plan){.dialect = &dialect,
                            .source = &source,
                            .key = &key,
                            .shadow_key = key_columns,
                            .key_keeps_order = true,
                            .env = {.arena = s->arena}};
    sql_bind_sql(&s->plan.env, "only_source", "t");
    sql_bind_sql(&s->plan.env, "key", "t.id");
    s->db = (struct db){.driver = &driver, .dialect = &dialect};
    s->walk = walk_new(&s->plan, NULL);
}

static void scene_close(struct scene *s)
{
    walk_free(s->walk);
    arena_free(s->arena);
}

static bool take(struct scene *s, uint64_t rows, struct range *range)
{
    struct error err = ERROR_INIT;
    bool found = false;

    assert_true(walk_take(s->walk, &s->db, rows, s->arena, range, &found, &err));
    return found;
}

static void ranges_cover_the_table_once_and_both_ends_are_open(void **state)
{
    (void)state;
    struct scene s;
    struct range range;
    const char *expected = NULL;
    unsigned n = 0;

    scene_open(&s);
    for (; take(&s, 300, &range); n++) {
        if (expected)
            assert_string_equal(range.after.literals[0], expected);
        else
            assert_null(range.after.literals);
        expected = range.through.literals ? range.through.literals[0] : NULL;
        assert_int_equal(range.number, n + 1);
    }
    assert_null(expected);
    assert_int_equal(n, 4); /* 300, 600, 900, the rest */
    scene_close(&s);
}

static void a_walk_goes_on_behind_a_key(void **state)
{
    (void)state;
    struct scene s;
    struct range range;
    const char *literals[] = {"600"};
    const struct bound after = {.literals = literals};

    scene_open(&s);
    walk_free(s.walk);
    s.walk = walk_new(&s.plan, &after);
    assert_true(take(&s, 300, &range));
    assert_string_equal(range.after.literals[0], "600");
    assert_string_equal(range.through.literals[0], "900");
    scene_close(&s);
}

static void what_is_left_begins_with_the_first_range_that_is_to_be_taken_again(void **state)
{
    (void)state;
    struct scene s;
    struct range first, second, third, none;
    struct bound rest;

    scene_open(&s);
    assert_true(take(&s, 100, &first) && take(&s, 100, &second) && take(&s, 100, &third));
    walk_rest(s.walk, &rest, s.arena);
    assert_string_equal(rest.literals[0], "300");
    walk_end_before(s.walk, &third);
    assert_false(take(&s, 100, &none));
    walk_end_before(s.walk, &second);
    walk_end_before(s.walk, &third);
    assert_false(take(&s, 100, &none));
    walk_rest(s.walk, &rest, s.arena);
    assert_string_equal(rest.literals[0], "100");
    walk_end_before(s.walk, &first);
    walk_rest(s.walk, &rest, s.arena);
    assert_null(rest.literals);
    scene_close(&s);
}

static void table_without_a_common_order_is_one_range(void **state)
{
    (void)state;
    struct scene s;
    struct range range;

    scene_open(&s);
    s.plan.key_keeps_order = false;
    assert_true(take(&s, 10, &range));
    assert_null(range.after.literals);
    assert_null(range.through.literals);
    assert_false(take(&s, 10, &range));
    scene_close(&s);
}

static void walk_is_over_when_the_last_worker_left(void **state)
{
    (void)state;
    struct scene s;

    scene_open(&s);
    walk_enter(s.walk);
    walk_enter(s.walk);
    walk_leave(s.walk);
    assert_false(walk_is_over(s.walk, 1));
    walk_leave(s.walk);
    assert_true(walk_is_over(s.walk, 1));
    scene_close(&s);
}

static void pace_follows_the_time_a_range_took(void **state)
{
    (void)state;

    assert_int_equal(walk_pace(1000, 250000, 250000), 1000);
    assert_true(walk_pace(1000, 125000, 250000) > 1000);
    assert_true(walk_pace(1000, 500, 250000) <= 4000);
    assert_true(walk_pace(1000, 2500000, 250000) <= 250); /* far too slow: at once */
    assert_true(walk_pace(1, 100000000, 250000) >= 1);
    assert_true(walk_pace(UINT32_MAX, 1, 250000) <= 1000000);
    assert_true(walk_pace(1000, 0, 250000) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_cover_the_table_once_and_both_ends_are_open),
        cmocka_unit_test(a_walk_goes_on_behind_a_key),
        cmocka_unit_test(what_is_left_begins_with_the_first_range_that_is_to_be_taken_again),
        cmocka_unit_test(table_without_a_common_order_is_one_range),
        cmocka_unit_test(walk_is_over_when_the_last_worker_left),
        cmocka_unit_test(pace_follows_the_time_a_range_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
