/* What is counted, and how Prometheus reads it. */
#include "tests/unit/unit.h"

#include <math.h>

#include "osc/base/metrics.h"
#include "osc/serve/exposition.h"

static int forget(void **state)
{
    (void)state;
    metrics_reset();
    return 0;
}

static void assert_line(const char *text, const char *line)
{
    const char *found = strstr(text, line);

    if (!found || found[strlen(line)] != '\n' || (found > text && found[-1] != '\n'))
        fail_msg("no line \"%s\" in:\n%s", line, text);
}

static void print(struct text *out)
{
    metrics_print(out, "table=\"t\"");
}

static void labels_are_escaped(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    metrics_label(&out, "table", "a\"b\\c\nd é");
    assert_string_equal(out.bytes, "table=\"a\\\"b\\\\c\\nd é\"");
}

static void help_keeps_its_quotes_and_loses_its_line_ends(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    metrics_family(&out, "osc_x", "gauge", "a \"b\"\nc\\");
    assert_string_equal(out.bytes, "# HELP osc_x a \"b\"\\nc\\\\\n# TYPE osc_x gauge\n");
}

static void numbers_are_exact(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    metrics_sample(&out, "osc_x", "", "", 123456789012345.0);
    metrics_sample(&out, "osc_x", "a=\"1\"", "", 0.25);
    metrics_sample(&out, "osc_x", "a=\"1\"", "b=\"2\"", 0);
    assert_string_equal(out.bytes,
                        "osc_x 123456789012345\nosc_x{a=\"1\"} 0.25\nosc_x{a=\"1\",b=\"2\"} 0\n");
}

static void a_counter_counts(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    metrics_add(COUNT_LOCKS_QUEUED, 1);
    metrics_add(COUNT_LOCKS_QUEUED, 2);
    print(&out);
    assert_line(out.bytes, "osc_lock_attempts_total{table=\"t\",manner=\"queued\"} 3");
    assert_line(out.bytes, "osc_lock_attempts_total{table=\"t\",manner=\"gentle\"} 0");
    assert_line(out.bytes, "osc_verify_rows_differing_total{table=\"t\"} 0");
}

static void buckets_are_cumulative_and_their_bounds_belong_to_them(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    metrics_time(TIME_STALL, 500);
    metrics_time(TIME_STALL, 501);
    metrics_time(TIME_STALL, 5000000);
    metrics_time(TIME_STALL, 5000001);
    print(&out);
    assert_line(out.bytes, "osc_cutover_stall_seconds_bucket{table=\"t\",le=\"0.0005\"} 1");
    assert_line(out.bytes, "osc_cutover_stall_seconds_bucket{table=\"t\",le=\"0.001\"} 2");
    assert_line(out.bytes, "osc_cutover_stall_seconds_bucket{table=\"t\",le=\"2.5\"} 2");
    assert_line(out.bytes, "osc_cutover_stall_seconds_bucket{table=\"t\",le=\"5\"} 3");
    assert_line(out.bytes, "osc_cutover_stall_seconds_bucket{table=\"t\",le=\"+Inf\"} 4");
    assert_line(out.bytes, "osc_cutover_stall_seconds_sum{table=\"t\"} 10.001002");
    assert_line(out.bytes, "osc_cutover_stall_seconds_count{table=\"t\"} 4");
}

static void errors_are_counted_by_operation_and_kind(void **state)
{
    AUTO(text) out = TEXT_INIT;

    (void)state;
    metrics_error("copy", "transient");
    metrics_error("copy", "transient");
    metrics_error("copy", "lost");
    assert_int_equal(metrics_errors(), 3);
    print(&out);
    assert_line(out.bytes,
                "osc_sql_errors_total{table=\"t\",operation=\"copy\",kind=\"transient\"} 2");
    assert_line(out.bytes, "osc_sql_errors_total{table=\"t\",operation=\"copy\",kind=\"lost\"} 1");
}

static void words_without_end_do_not_make_labels_without_end(void **state)
{
    AUTO(text) out = TEXT_INIT;
    size_t lines = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        char reason[200];
        (void)snprintf(reason, sizeof reason, "%u %0150u", i, i);
        metrics_throttled(reason, 1000000);
    }
    print(&out);
    for (const char *at = out.bytes; (at = strstr(at, "\nosc_throttled_seconds_total{")); at++)
        lines++;
    assert_int_equal(lines, 64);
    assert_line(out.bytes, "osc_throttled_seconds_total{table=\"t\",reason=\"other\"} 937");
}

static void the_exposition_says_where_the_migration_is(void **state)
{
    struct progress progress = {.steps = 9};
    struct watched watched = {
        .progress = &progress, .server = "mysql://osc@h/\"x\"", .outcome = "running"};
    AUTO(text) out = TEXT_INIT;

    (void)state;
    atomic_store(&progress.schema, "shop");
    atomic_store(&progress.table, "users");
    atomic_store(&progress.step, "copy");
    atomic_store(&progress.id, 7);
    atomic_store(&progress.rows_copied, 500);
    atomic_store(&progress.rows_expected, 1000);
    atomic_store(&progress.bytes_expected, 100000);
    atomic_store(&progress.replica_lag_ms, 1500);
    atomic_store(&progress.duty_percent, 25);
    /* the first does not exist on this server */
    atomic_store(&progress.signals[1].name, "replica lag");
    atomic_store(&progress.signals[1].unit, "ms");
    atomic_store(&progress.signals[1].value, 1500);
    atomic_store(&progress.signals[1].limit, 1000);
    exposition_print(&watched, &out);
#define OF "server=\"mysql://osc@h/\\\"x\\\"\",schema=\"shop\",table=\"users\""
    assert_line(out.bytes, "osc_migration_info{" OF ",id=\"7\",version=\"" OSC_VERSION "\"} 1");
    assert_line(out.bytes, "osc_migration_state{" OF ",state=\"running\"} 1");
    assert_line(out.bytes, "osc_migration_state{" OF ",state=\"done\"} 0");
    assert_line(out.bytes, "osc_migration_step{" OF ",step=\"copy\"} 1");
    assert_line(out.bytes, "osc_migration_step{" OF ",step=\"verify\"} 0");
    assert_line(out.bytes, "osc_copied_bytes_total{" OF "} 50000");
    assert_line(out.bytes, "osc_replica_lag_seconds{" OF "} 1.5");
    assert_line(out.bytes, "osc_throttle_duty_ratio{" OF "} 0.25");
    assert_line(out.bytes,
                "osc_throttle_signal_limit{" OF ",signal=\"replica lag\",unit=\"ms\"} 1000");
#undef OF
}

/* Each name that a dashboard or an alert asks for. */
static void assert_exported(const char *exposition, const char *path)
{
    static char bytes[200000];
    FILE *file = fopen(path, "r");
    unsigned names = 0;

    assert_non_null(file);
    const size_t n = fread(bytes, 1, sizeof bytes - 1, file);
    (void)fclose(file);
    bytes[n] = '\0';
    for (const char *at = bytes; (at = strstr(at, "osc_")); at++, names++) {
        const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        const bool is_bucket = length > 7 && memcmp(at + length - 7, "_bucket", 7) == 0;
        char line[200];
        (void)snprintf(line, sizeof line, "# TYPE %.*s ", (int)(is_bucket ? length - 7 : length),
                       at);
        if (!strstr(exposition, line))
            fail_msg("%s asks for %.*s, which osc does not tell", path, (int)length, at);
    }
    assert_true(names > 5);
}

static void dashboard_and_alerts_ask_for_what_there_is(void **state)
{
    struct progress progress = {.steps = 9, .replicas = 1, .replicas_sought = true};
    struct watched watched = {.progress = &progress, .server = "s", .outcome = "running"};
    AUTO(text) out = TEXT_INIT;

    (void)state;
    atomic_store(&progress.schema, "shop");
    atomic_store(&progress.table, "users");
    atomic_store(&progress.step, "copy");
    exposition_print(&watched, &out);
    assert_exported(out.bytes, SERVE_DIR "/dashboard.json");
    assert_exported(out.bytes, SERVE_DIR "/alerts.yml");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, forget)
    const struct CMUnitTest tests[] = {
        TEST(labels_are_escaped),
        TEST(help_keeps_its_quotes_and_loses_its_line_ends),
        TEST(numbers_are_exact),
        TEST(a_counter_counts),
        TEST(buckets_are_cumulative_and_their_bounds_belong_to_them),
        TEST(errors_are_counted_by_operation_and_kind),
        TEST(words_without_end_do_not_make_labels_without_end),
        TEST(the_exposition_says_where_the_migration_is),
        TEST(dashboard_and_alerts_ask_for_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
