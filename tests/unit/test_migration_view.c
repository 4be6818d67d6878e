/* A row of the state table as osc status shows it. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/base/columns.h"
#include "osc/migration_view.h"

static struct state_row row_that_is(const char *status, uint64_t heartbeat_age_s)
{
    return (struct state_row){
        .id = 7,
        .schema = "shop",
        .table = "users",
        .alter = "ADD c int",
        .step = "copy",
        .status = status,
        .wish = "",
        .paused = "",
        .let_go = "",
        .options = "{}",
        .progress = "{\"step\":\"copy\",\"step_number\":4,\"steps\":9,\"rows_copied\":500,"
                    "\"rows_expected\":2000,\"units_copied\":30,\"units_expected\":100,"
                    "\"rows_verified\":0,\"backlog\":12,\"replayed\":3,\"threads\":2,"
                    "\"attempts\":0}",
        .error = "",
        .retired = "users_osc_old",
        .host = "db1",
        .version = "0.1.0",
        .started = "2024-11-22 00:37:01.5",
        .updated = "2024-11-22 00:38:01",
        .finished = "",
        .heartbeat_age_s = heartbeat_age_s,
        .pid = 4711,
        .age_s = 60,
    };
}

static int set_up(void **state)
{
    *state = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    arena_free(*state);
    return 0;
}

static void a_run_with_a_heartbeat_runs(void **state)
{
    struct migration_view view;
    const struct state_row row = row_that_is("running", 2);

    migration_view_read(&view, &row, "7", *state);
    assert_int_equal(view.life, LIFE_RUNNING);
    assert_string_equal(view.situation, "runs on db1, process 4711");
    assert_int_equal((int)(view.progress.fraction * 100), 30);
    assert_int_equal(view.progress.rows_done, 500);
    assert_int_equal(view.progress.backlog, 12);
    assert_int_equal(view.took_s, 0);
}

static void a_run_without_a_heartbeat_is_dead(void **state)
{
    struct migration_view view;
    const struct state_row row = row_that_is("running", 300);

    migration_view_read(&view, &row, "7", *state);
    assert_int_equal(view.life, LIFE_DEAD);
    assert_string_equal(view.situation, "no sign of life from db1, process 4711 for 5 m");
    assert_string_equal(view.next, "osc resume 7 | osc abort 7");
}

static void a_stop_after_the_swap_has_no_way_back(void **state)
{
    struct migration_view view;
    struct state_row row = row_that_is("failed", 60);

    migration_view_read(&view, &row, "7", *state);
    assert_int_equal(view.life, LIFE_STOPPED);
    assert_string_equal(view.next, "osc resume 7 | osc abort 7");
    row.step = "finish";
    migration_view_read(&view, &row, "7", *state);
    assert_string_equal(view.next, "osc resume 7");
}

static void a_swap_that_waits_says_until_when(void **state)
{
    struct migration_view view;
    struct state_row row = row_that_is("running", 1);

    row.step = "cutover";
    row.options = "{\"time-zone\":\"UTC\"}";
    row.progress = "{\"step\":\"cutover\",\"rests\":4,\"rests_until\":1900000000}";
    migration_view_read(&view, &row, "7", *state);
    assert_non_null(
        strstr(view.situation, "verified and ready: it waits until 2030-03-17 17:46 UTC"));
    assert_non_null(strstr(view.next, "osc cutover 7 swaps now"));
}

static void signals_are_read_up_to_one_that_is_broken(void **state)
{
    struct migration_view view;
    struct state_row row = row_that_is("running", 1);
    AUTO(text) out = TEXT_INIT;

    row.progress =
        "{\"throttle\":{\"duty_percent\":40,\"threads\":1,\"reason\":\"lag\",\"signals\":["
        "{\"name\":\"redo\",\"unit\":\"bytes\",\"value\":2097152,\"limit\":1048576},"
        "{\"unit\":\"ms\"},{\"name\":\"lag\",\"unit\":\"ms\"}]}}";
    migration_view_read(&view, &row, "7", *state);
    throttle_view_signals(&out, &view.progress.throttle);
    assert_string_equal(out.bytes, "redo 2.00 MiB of 1.00 MiB\n");
}

static void a_retired_table_waits_for_finish(void **state)
{
    struct migration_view view;
    struct state_row row = row_that_is("done", 60);

    row.finished = "2024-11-22 00:39:11+00";
    migration_view_read(&view, &row, "7", *state);
    assert_int_equal(view.life, LIFE_SWAPPED);
    assert_string_equal(view.next, "osc finish 7 drops it");
    assert_int_equal(view.took_s, 130);
    row.retired = "";
    migration_view_read(&view, &row, "7", *state);
    assert_int_equal(view.life, LIFE_DONE);
    assert_string_equal(view.next, "");
}

static void progress_that_cannot_be_read_is_no_progress(void **state)
{
    struct migration_view view;
    struct state_row row = row_that_is("running", 1);

    row.progress = "";
    migration_view_read(&view, &row, "7", *state);
    assert_int_equal(view.progress.rows_done, 0);
    assert_true(view.progress.fraction < 0);
}

static void json_holds_every_field(void **state)
{
    struct migration_view view;
    struct state_row row = row_that_is("running", 1);

    row.error = "caf\xe9"; /* not UTF-8 */
    migration_view_read(&view, &row, "7", *state);
    json_t *object = migration_view_json(&view);
    assert_string_equal(json_string_value(json_object_get(object, "state")), "running");
    assert_string_equal(json_string_value(json_object_get(object, "error")), "caf?");
    assert_int_equal(json_integer_value(json_object_get(object, "id")), 7);
    json_t *progress = json_object_get(object, "progress");
    assert_int_equal(json_integer_value(json_object_get(progress, "rows")), 500);
    json_decref(object);
}

static void columns_line_up_and_leave_no_blanks_behind(void **state)
{
    struct columns columns;
    AUTO(text) out = TEXT_INIT;

    columns_start(&columns, *state, 3, (const char *[]){"ID", "TABLE", "X"});
    columns_row(&columns, (const char *[]){"12345", "é", ""}, "first\nsecond\n");
    columns_row(&columns, (const char *[]){"1", "", "z"}, "");
    columns_print(&columns, &out);
    assert_string_equal(out.bytes, "ID     TABLE  X\n"
                                   "12345  é\n"
                                   "    first\n"
                                   "    second\n"
                                   "1             z\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_run_with_a_heartbeat_runs),
        TEST(a_run_without_a_heartbeat_is_dead),
        TEST(a_stop_after_the_swap_has_no_way_back),
        TEST(a_swap_that_waits_says_until_when),
        TEST(signals_are_read_up_to_one_that_is_broken),
        TEST(a_retired_table_waits_for_finish),
        TEST(progress_that_cannot_be_read_is_no_progress),
        TEST(json_holds_every_field),
        TEST(columns_line_up_and_leave_no_blanks_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
