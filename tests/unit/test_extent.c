#include "tests/unit/unit.h"

#include "copier/copy_dialect.h"
#include "osc/db/dialect.h"
#include "osc/db/driver.h"

/* A server whose table holds ROWS rows, the last of them with the key `highest`. */
enum { ROWS = 500000 };
static const char *answers[2];
static size_t lengths[2];
static bool has_answer;
static const char *highest;

static bool fake_query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    (void)db, (void)err;
    answers[0] = "1";
    answers[1] = highest;
    rows->columns = strstr(statement, "MAX(") ? 2 : 1;
    for (unsigned i = 0; i < rows->columns; i++)
        lengths[i] = strlen(answers[i]);
    has_answer = true;
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

static const struct db_driver driver = {
    .query = fake_query, .next = fake_next, .finish = fake_finish};
static const struct dialect dialect = {.driver = &driver};
static const struct column id = {
    .name = "id", .quoted = "`id`", .type = "bigint", .type_name = "bigint"};
static const struct column *key_columns[] = {&id};
static const struct key key = {.n_columns = 1, .columns = key_columns};
static const struct table source = {
    .name = "t", .quoted = "`t`", .rows_estimate = ROWS, .data_bytes = ROWS * 100};

static struct extent measured(const char *highest_key)
{
    struct db db = {.driver = &driver, .dialect = &dialect};
    struct arena *arena = arena_new();
    struct plan plan = {.arena = arena, .source = &source, .key = &key};
    struct extent extent = {.is_empty = true};
    struct error err = ERROR_INIT;

    plan.env.arena = arena;
    sql_bind_sql(&plan.env, "key", "t.`id`");
    sql_bind_sql(&plan.env, "source", "`t`");
    highest = highest_key;
    assert_true(mysql_copy.extent(&db, &plan, &extent, &err));
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
