/* The progress line: from numbers to text. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/base/human.h"
#include "osc/progress_view.h"

static const struct progress_view copying = {
    .table = "users",
    .step = "copy",
    .step_number = 4,
    .steps = 9,
    .counts_rows = true,
    .rows_done = 2314000,
    .rows_expected = 5120000,
    .fraction = 0.4519,
    .rows_per_s = 182300,
    .eta_s = 12.4,
    .backlog = 214,
    .threads = 4,
};

static void assert_line(const struct progress_view *view, unsigned columns, bool is_unicode,
                        const char *expected)
{
    AUTO(text) line = TEXT_INIT;

    progress_line(&line, view, columns, is_unicode);
    assert_string_equal(line.bytes, expected);
}

static void a_wide_terminal_shows_everything(void **state)
{
    (void)state;
    assert_line(&copying, 200, true,
                "users  step 4/9 copy  ▕████▌     ▏  45.2%  2.31M/~5.12M rows  182k/s  "
                "backlog 214  threads 4  ETA 13 s");
    assert_line(&copying, 200, false,
                "users  step 4/9 copy  [####......]  45.2%  2.31M/~5.12M rows  182k/s  "
                "backlog 214  threads 4  ETA 13 s");
}

static void a_narrow_terminal_shows_what_matters(void **state)
{
    (void)state;
    assert_line(&copying, 80, true,
                "users  step 4/9 copy  45.2%  2.31M/~5.12M rows  182k/s  backlog 214  ETA 13 s");
    assert_line(&copying, 40, true, "users  step 4/9 copy  45.2%  ETA 13 s");
    assert_line(&copying, 15, true, "step 4/9 copy");
    assert_line(&copying, 3, true, "");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    for (unsigned columns = 0; columns < 130; columns++) {
        AUTO(text) line = TEXT_INIT;
        progress_line(&line, &copying, columns, true);
        assert_true(human_width(line.bytes) <= columns);
    }
}

static void what_is_unknown_is_left_out(void **state)
{
    struct progress_view view = {.table = "users",
                                 .step = "shadow",
                                 .step_number = 2,
                                 .steps = 9,
                                 .fraction = -1,
                                 .rows_per_s = -1,
                                 .eta_s = -1};

    (void)state;
    assert_line(&view, 200, true, "users  step 2/9 shadow");
    view.elapsed_s = 12.7;
    assert_line(&view, 200, true, "users  step 2/9 shadow  12 s so far");
    view.elapsed_s = 0;
    view.attempts = 3;
    view.backlog = 1200;
    view.step = "cutover";
    assert_line(&view, 200, true, "users  step 2/9 cutover  backlog 1.20k  attempt 3");
    json_t *event = progress_json(&view);
    assert_int_equal(json_integer_value(json_object_get(event, "attempts")), 3);
    assert_null(json_object_get(event, "server_words"));
    json_decref(event);
}

static void what_the_server_says_is_passed_on(void **state)
{
    struct progress_view view = copying;

    (void)state;
    view.server_words = "sorting";
    view.server_permille = 125;
    json_t *event = progress_json(&view);
    assert_string_equal(json_string_value(json_object_get(event, "server_words")), "sorting");
    assert_true(json_real_value(json_object_get(event, "server_percent")) == 12.5);
    json_decref(event);
}

static void an_unknown_lag_is_not_none(void **state)
{
    struct progress_view view = {
        .table = "t", .step = "copy", .fraction = -1, .rows_per_s = -1, .eta_s = -1};

    (void)state;
    view.replicas = 2;
    assert_line(&view, 80, true, "t  copy  lag 0.0 s");
    view.replica_lag_ms = 3210;
    assert_line(&view, 80, true, "t  copy  lag 3.2 s");
    view.replicas_unknown = 1;
    assert_line(&view, 80, true, "t  copy  lag 3.2 s (1 of 2 unknown)");
    view.replicas_unknown = 2;
    assert_line(&view, 80, true, "t  copy  lag ?");
    json_t *event = progress_json(&view);
    assert_true(json_is_null(json_object_get(event, "replica_lag_ms")));
    assert_int_equal(json_integer_value(json_object_get(event, "replicas_unknown")), 2);
    json_decref(event);
}

static void all_but_the_last_row_is_not_all(void **state)
{
    struct progress_view view = copying;

    (void)state;
    view.fraction = 0.99999;
    assert_line(&view, 35, true, "users  step 4/9 copy  99.9%");
    view.fraction = 1;
    view.eta_s = 0;
    assert_line(&view, 30, true, "users  step 4/9 copy  100.0%");
}

static void more_rows_than_estimated_are_no_fraction_of_the_estimate(void **state)
{
    struct progress_view view = copying;

    (void)state;
    view.rows_expected = 100;
    view.rows_done = 150;
    assert_line(&view, 72, false,
                "users  step 4/9 copy  45.2%  150 rows  182k/s  backlog 214  ETA 13 s");
}

static void a_long_name_is_cut_between_characters(void **state)
{
    struct progress_view view = {.step = "copy", .fraction = -1, .rows_per_s = -1, .eta_s = -1};
    AUTO(text) name = TEXT_INIT;
    AUTO(text) expected = TEXT_INIT;

    (void)state;
    for (int i = 0; i < 50; i++)
        text_add(&name, "é");
    for (int i = 0; i < 40; i++)
        text_add(&expected, "é");
    text_add(&expected, "  copy");
    view.table = name.bytes;
    assert_line(&view, 200, true, expected.bytes);
}

static void rates_and_eta_follow_the_counters(void **state)
{
    struct progress progress = {
        .steps = 9, .step_number = 4, .rows_expected = 100000, .units_expected = 1000};
    struct progress_meter meter = {.step = NULL};
    struct progress_view view;

    (void)state;
    atomic_store(&progress.table, "users");
    atomic_store(&progress.step, "copy");
    for (uint64_t ms = 0; ms <= 20000; ms += 200) {
        atomic_store(&progress.rows_copied, ms);        /* 1000 rows/s  */
        atomic_store(&progress.units_copied, ms / 100); /* 1 % in 1 s   */
        progress_read(&meter, &progress, ms, &view);
        if (ms < 2000)
            assert_true(view.rows_per_s < 0 && view.eta_s < 0);
    }
    assert_in_range((uint64_t)view.rows_per_s, 990, 1010);
    assert_in_range((uint64_t)view.eta_s, 79, 81);

    atomic_store(&progress.step, "verify");
    progress_read(&meter, &progress, 20200, &view);
    assert_true(view.rows_per_s < 0);
    assert_int_equal(view.rows_expected, 20000);
    atomic_store(&progress.rows_verified, 10000);
    progress_read(&meter, &progress, 25200, &view);
    assert_in_range((uint64_t)view.rows_per_s, 1990, 2010);
    assert_in_range((uint64_t)view.eta_s, 4, 6);
}

static void an_event_holds_what_is_known(void **state)
{
    json_t *event = progress_json(&copying);
    char *line = json_dumps(event, JSON_COMPACT | JSON_REAL_PRECISION(10));

    (void)state;
    assert_string_equal(line, "{\"event\":\"progress\",\"table\":\"users\",\"step\":\"copy\","
                              "\"step_number\":4,\"steps\":9,\"backlog\":214,\"threads\":4,"
                              "\"rows\":2314000,\"rows_expected\":5120000,\"percent\":"
                              "45.2,\"rows_per_s\":182300,\"eta_s\":12}");
    free(line);
    json_decref(event);
}

static void what_the_server_says_of_its_work_is_shown(void **state)
{
    struct progress_view view = copying;

    (void)state;
    view.counts_rows = false;
    view.fraction = view.rows_per_s = view.eta_s = -1;
    view.backlog = view.threads = 0;
    view.step = "indexes";
    view.server_words = "building index: scanning table";
    view.server_permille = 125;
    assert_line(&view, 200, true, "users  step 4/9 indexes  building index: scanning table 12.5%");
    view.server_permille = -1;
    assert_line(&view, 200, true, "users  step 4/9 indexes  building index: scanning table");
}

static void an_event_says_why_it_rests_and_until_when(void **state)
{
    struct progress_view view = copying;

    (void)state;
    view.rests = REST_WINDOW;
    view.rests_until = 1900000000;
    json_t *event = progress_json(&view);
    assert_string_equal(json_string_value(json_object_get(event, "rests")), "outside --window");
    assert_int_equal(json_integer_value(json_object_get(event, "rests_until")), 1900000000);
    json_decref(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wide_terminal_shows_everything),
        cmocka_unit_test(a_narrow_terminal_shows_what_matters),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(what_is_unknown_is_left_out),
        cmocka_unit_test(what_the_server_says_is_passed_on),
        cmocka_unit_test(an_unknown_lag_is_not_none),
        cmocka_unit_test(all_but_the_last_row_is_not_all),
        cmocka_unit_test(more_rows_than_estimated_are_no_fraction_of_the_estimate),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(rates_and_eta_follow_the_counters),
        cmocka_unit_test(an_event_holds_what_is_known),
        cmocka_unit_test(what_the_server_says_of_its_work_is_shown),
        cmocka_unit_test(an_event_says_why_it_rests_and_until_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
