#include "tests/unit/unit.h"

#include "copier/copy_dialect.h"
#include "osc/db/dialect.h"
#include "tests/support/db_fake.h"

enum { ROWS = 500000 };

static const struct dialect dialect = {.driver = &fake_driver};
static const struct column id = {
    .name = "id", .quoted = "`id`", .type = "bigint", .type_name = "bigint"};
static const struct column *key_columns[] = {&id};
static const struct key key = {.n_columns = 1, .columns = key_columns};
static const struct table source = {
    .name = "t", .quoted = "`t`", .rows_estimate = ROWS, .data_bytes = ROWS * 100};

/* Of a table with ROWS rows, the last of them with the key `highest`. */
static struct extent measured(const char *highest)
{
    struct arena *arena = arena_new();
    struct plan plan = {.arena = arena, .source = &source, .key = &key};
    struct extent extent = {.is_empty = true};
    struct error err = ERROR_INIT;
    struct db db;
    const struct fake_answer answers[] = {
        {.words = "MAX(", .rows = arena_printf(arena, "1|%s", highest)},
        {.words = "EXISTS",         .rows = "1"},
        {.words = NULL              },
    };

    fake_open(&db, &dialect, answers);
    plan.env.arena = arena;
    sql_bind_sql(&plan.env, "key", "t.`id`");
    sql_bind_sql(&plan.env, "source", "`t`");
    assert_true(mysql_copy.extent(&db, &plan, &extent, &err));
    fake_close(&db);
    arena_free(arena);
    return extent;
}

static void dense_keys_are_cut_by_position(void **state)
{
    (void)state;
    const struct extent full = measured("500000"), with_gaps = measured("1500000");

    assert_true(full.is_numeric && with_gaps.is_numeric);
    assert_int_equal(full.last - full.first, 499999);
    assert_true(with_gaps.chunk_positions > full.chunk_positions);
}

/* Cut by position, the chunk that holds all the others would be one long transaction. */
static void one_high_key_makes_rows_be_counted(void **state)
{
    (void)state;
    const struct extent extent = measured("1000000000000");

    assert_false(extent.is_empty);
    assert_false(extent.is_numeric);
    assert_true(extent.chunk_positions <= 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_keys_are_cut_by_position),
        cmocka_unit_test(one_high_key_makes_rows_be_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
