/*
 * Who looks at a migration for real: Prometheus, with the rules and the
 * dashboard that are shipped, and a browser.
 */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "tests/support/http.h"
#include "tests/support/listener.h"

enum { PATIENCE_MS = 30000 };

static int open_scene(void **state)
{
    *state = listener_scene("scrape");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

/* ---- Prometheus itself ---- */

/* The answer to a query of it; "" while it does not answer. */
static bool prometheus_says(unsigned port, const char *query, const char *words)
{
    char command[600];
    AUTO(text) said = TEXT_INIT;

    (void)snprintf(command, sizeof command,
                   "promtool query instant http://127.0.0.1:%u '%s' 2>/dev/null", port, query);
    return run_program(command, &said) == 0 && strstr(said.bytes, words);
}

static void await_prometheus(unsigned port, const char *query, const char *words)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);

    while (!prometheus_says(port, query, words)) {
        if (deadline_passed(&until))
            fail_msg("Prometheus (package prometheus) does not say %s to %s", words, query);
        (void)cancel_sleep_ms(NULL, 100);
    }
}

static pid_t start_prometheus(struct scene *s, unsigned port, unsigned target)
{
    char config[300], data[300], listen[60];

    (void)snprintf(config, sizeof config, "--config.file=%s/prometheus.yml", s->directory);
    (void)snprintf(data, sizeof data, "--storage.tsdb.path=%s/tsdb", s->directory);
    (void)snprintf(listen, sizeof listen, "--web.listen-address=127.0.0.1:%u", port);
    FILE *file = fopen(strchr(config, '=') + 1, "w");
    assert_non_null(file);
    (void)fprintf(file,
                  "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n"
                  "rule_files: [%s/alerts.yml]\n"
                  "scrape_configs: [{job_name: osc, static_configs: [{targets: "
                  "[\"127.0.0.1:%u\"]}]}]\n",
                  SERVE_DIR, target);
    assert_int_equal(fclose(file), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        (void)execlp("prometheus", "prometheus", config, data, listen, NULL);
        _exit(127);
    }
    return pid;
}

/* ---- the dashboard ---- */

/* As Grafana asks it where everything is chosen. */
static void add_query(struct text *request, const char *expression)
{
    static const struct {
        const char *variable, *value;
    } chosen[] = {
        {"$server",          ".*"},
        {"$table",           ".*"},
        {"$__rate_interval", "1m"}
    };

    while (*expression) {
        const char *value = NULL;
        for (size_t i = 0; !value && i < ARRAY_SIZE(chosen); i++)
            if (strncmp(expression, chosen[i].variable, strlen(chosen[i].variable)) == 0) {
                value = chosen[i].value;
                expression += strlen(chosen[i].variable);
            }
        if (value)
            text_add(request, value);
        else
            text_printf(request, "%%%02x", (unsigned char)*expression++);
    }
}

/* Nothing happened that they would tell of. */
static bool may_be_empty(const char *expression)
{
    static const char *const names[] = {"osc_replica_lag_seconds", "osc_throttled_seconds_total",
                                        "osc_sql_errors_total"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strstr(expression, names[i]))
            return true;
    return false;
}

static void assert_panel_has_data(unsigned port, const char *expression)
{
    AUTO(text) request = TEXT_INIT;
    AUTO(text) answer = TEXT_INIT;

    text_add(&request, "GET /api/v1/query?query=");
    add_query(&request, expression);
    text_add(&request, " HTTP/1.0\r\n\r\n");
    http_ask(port, request.bytes, &answer);
    assert_has(answer.bytes, "\"status\":\"success\"");
    if (strstr(answer.bytes, "\"result\":[]") && !may_be_empty(expression))
        fail_msg("a panel stays empty: %s", expression);
}

static void assert_dashboard_has_data(unsigned port)
{
    json_t *dashboard = json_load_file(SERVE_DIR "/dashboard.json", 0, NULL);
    unsigned asked = 0;
    size_t i, k;
    json_t *panel, *target;

    json_array_foreach(json_object_get(dashboard, "panels"), i, panel)
    {
        json_array_foreach(json_object_get(panel, "targets"), k, target)
        {
            assert_panel_has_data(port, json_string_value(json_object_get(target, "expr")));
            asked++;
        }
    }
    assert_true(asked > 15);
    json_decref(dashboard);
}

static void prometheus_scrapes_it_to_the_end(void **state)
{
    struct scene *s = *state;
    const unsigned port = http_free_port();
    const struct listener run = listener_hold(s, NULL);
    const pid_t prometheus = start_prometheus(s, port, run.port);

    await_prometheus(port, "osc_rows_copied_total{table=\"items\"}", "=> 50 ");
    await_prometheus(port, "count_over_time(osc_heartbeats_total[1m]) > 2", "items");
    assert_true(prometheus_says(port, "osc_migration_step == 1", "indexes"));
    assert_dashboard_has_data(port);
    /* The run is short of one reading when it is over; it waits for it. */
    listener_end(s, run);
    await_prometheus(port, "last_over_time(osc_migration_state{state=\"done\"}[1m])", "=> 1 ");
    /* Some may be pending, where the machine is slow; that calls nobody. */
    assert_true(prometheus_says(port, "absent(ALERTS{alertstate=\"firing\"})", "=> 1 "));
    (void)kill(prometheus, SIGKILL);
    (void)waitpid(prometheus, NULL, 0);
}

/* ---- a browser ---- */

static void the_page_draws_itself_without_a_word_of_complaint(void **state)
{
    static const char *const drawn[] = {"items</h1>",
                                        "data-state=\"running\"",
                                        "aria-current=\"step\">indexes",
                                        "<svg",
                                        "Rows per second",
                                        "step table=items step=indexes",
                                        "id=\"lost\" role=\"alert\" hidden"};
    struct scene *s = *state;
    const struct listener run = listener_hold(s, NULL);
    char command[1200];
    AUTO(text) page = TEXT_INIT;

    (void)snprintf(command, sizeof command,
                   "HOME=%s timeout 60 chromium --headless=new --no-sandbox --disable-gpu "
                   "--disable-dev-shm-usage --user-data-dir=%s/browser --window-size=390,844 "
                   "--virtual-time-budget=5000 --enable-logging=stderr --dump-dom "
                   "http://127.0.0.1:%u/ 2>%s/console",
                   s->directory, s->directory, run.port, s->directory);
    if (run_program(command, &page) != 0)
        fail_msg("chromium (package chromium) failed: %s", page.bytes);
    for (size_t i = 0; i < ARRAY_SIZE(drawn); i++)
        assert_has(page.bytes, drawn[i]);
    (void)snprintf(command, sizeof command, "grep CONSOLE %s/console", s->directory);
    AUTO(text) complaints = TEXT_INIT;
    if (run_program(command, &complaints) == 0)
        fail_msg("the page complains: %s", complaints.bytes);
    listener_end(s, run);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        TEST(prometheus_scrapes_it_to_the_end),
        TEST(the_page_draws_itself_without_a_word_of_complaint),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
