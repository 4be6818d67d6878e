/* What osc status --watch draws. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/base/human.h"
#include "osc/watch_view.h"

static const char *const steps[] = {"plan", "copy", "verify"};
static const struct watch_page page = {
    .steps = steps, .n_steps = ARRAY_SIZE(steps), .columns = 100, .is_unicode = true};

static struct state_row row_of(const char *options, const char *progress)
{
    return (struct state_row){
        .id = 7,
        .schema = "shop",
        .table = "users",
        .alter = "",
        .step = "copy",
        .status = "running",
        .wish = "",
        .paused = "",
        .let_go = "",
        .options = options,
        .progress = progress,
        .error = "",
        .retired = "",
        .host = "db1",
        .version = "",
        .started = "",
        .updated = "",
        .finished = "",
        .pid = 4711,
        .age_s = 60,
    };
}

static const char at_work[] =
    "{\"step\":\"copy\",\"step_number\":2,\"steps\":3,\"rows_copied\":500,\"rows_expected\":1000,"
    "\"units_copied\":50,\"units_expected\":100,\"backlog\":12,\"replicas\":1,"
    "\"replica_lag_ms\":1500,\"pace\":{\"rows_per_s\":10.0,\"eta_s\":50.0,\"eta_other_s\":100.0},"
    "\"throttle\":{\"duty_percent\":40,\"reason\":\"a \\\"replica\\\" lags\"}}";

static void assert_has(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" is not in\n%s", words, text);
}

static void each_step_has_its_bar(void **state)
{
    struct arena *arena = arena_new();
    const struct state_row row = row_of("{}", at_work);
    struct watch_history history = {.n = 0};
    struct migration_view view;
    AUTO(text) out = TEXT_INIT;

    (void)state;
    migration_view_read(&view, &row, "7", arena);
    for (unsigned i = 0; i < 8; i++) {
        struct progress_view progress = view.progress;
        progress.backlog = i;
        watch_remember(&history, &progress);
    }
    watch_draw(&out, &view, &history, &page, arena);
    assert_has(out.bytes, "migration 7  shop.users  running, began 1 m ago\n");
    assert_has(out.bytes, "  ✓ plan     ▕██████████▏\n");
    assert_has(out.bytes,
               "  ▶ copy     ▕█████     ▏ 50.0%  500/~1.00k rows  10/s  ETA 50 s to 1 m 40 s\n");
    assert_has(out.bytes, "  · verify   \n");
    assert_has(out.bytes, "  backlog 12      ▁▂▃▄▅▆▇█\n");
    assert_has(out.bytes, "  lag 1.5 s  ████████\n");
    assert_has(out.bytes, "  throttle at 40%: a \"replica\" lags\n");
    assert_has(out.bytes, "  next: osc abort 7");
    arena_free(arena);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    for (unsigned columns = 1; columns < 90; columns += 7) {
        struct arena *arena = arena_new();
        const struct state_row row = row_of("{}", at_work);
        struct watch_history history = {.n = 0};
        struct watch_page narrow = page;
        struct migration_view view;
        AUTO(text) out = TEXT_INIT;
        narrow.columns = columns;
        migration_view_read(&view, &row, "7", arena);
        for (unsigned i = 0; i < 2 * WATCH_SAMPLES; i++)
            watch_remember(&history, &view.progress);
        watch_draw(&out, &view, &history, &narrow, arena);
        watch_draw_progress(&out, &view.progress, &history, &narrow, arena);
        char *rest = out.bytes;
        for (char *line; (line = strsep(&rest, "\n"));)
            assert_true(human_width(line) <= columns);
        arena_free(arena);
    }
}

static void it_says_whether_the_window_will_do(void **state)
{
    struct arena *arena = arena_new();
    const struct state_row some = row_of("{\"window\":\"Mon-Sun\",\"time-zone\":\"UTC\"}", at_work);
    const struct state_row none = row_of("{\"window\":\"Wed 04:00-04:01\"}",
                                         "{\"step\":\"copy\",\"step_number\":2,\"steps\":3,"
                                         "\"pace\":{\"eta_s\":900000,\"eta_other_s\":900000}}");
    struct migration_view view;

    (void)state;
    migration_view_read(&view, &some, "7", arena);
    assert_has(view.situation,
               "at this rate 1 m 40 s of work are left in this step, which the window "
               "allows by 2");
    migration_view_read(&view, &none, "7", arena);
    assert_has(view.situation, "the window will not do");
    arena_free(arena);
}

static void one_that_failed_says_why(void **state)
{
    struct arena *arena = arena_new();
    struct state_row row = row_of("{}", at_work);
    const struct watch_history history = {.n = 0};
    struct migration_view view;
    AUTO(text) out = TEXT_INIT;

    (void)state;
    row.status = "failed";
    row.error = "the disk is full";
    migration_view_read(&view, &row, "7", arena);
    watch_draw(&out, &view, &history, &page, arena);
    assert_has(out.bytes, "  error: the disk is full\n");
    assert_has(out.bytes, "  next: osc resume 7 | osc abort 7\n");
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_has_its_bar),
        cmocka_unit_test(no_line_is_wider_than_the_terminal),
        cmocka_unit_test(it_says_whether_the_window_will_do),
        cmocka_unit_test(one_that_failed_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
