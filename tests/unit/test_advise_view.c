/* What osc advise says, also of servers that are not often met. */
#include "tests/unit/unit.h"

#include "osc/advise.h"
#include "osc/control/zone.h"
#include "osc/db/dsn.h"
#include "osc/options.h"

static const struct options options;
static const struct dsn dsn = {.shown = "mysql://db1/shop"};
static const struct activity_dialect counts = {.work = "statements", .log = "redo log"};
static const struct table table = {.schema = "shop", .name = "users", .rows_estimate = 1000000};

static struct advice advice_of(struct request *request)
{
    struct error err = ERROR_INIT;

    *request = (struct request){.options = &options, .dsn = &dsn, .arena = arena_new()};
    const struct zone *zone = zone_open("UTC", request->arena, &err);
    assert_non_null(zone);
    return (struct advice){
        .request = request,
        .vendor = "MySQL",
        .version = "9",
        .counts = &counts,
        .zone = zone,
        .now = {.seconds = 60, .work = {100, 50, 200}},
        .usual_work = 100,
        .usual_rows = -1,
        .counted_s = 3600,
        .file = "activity",
    };
}

/* Paragraphs are broken where a line is full. */
static void assert_says(const struct advice *advice, const char *words)
{
    AUTO(text) out = TEXT_INIT;
    AUTO(text) line = TEXT_INIT;

    advice_text(advice, &out);
    for (const char *at = out.bytes; *at; at++)
        if (*at != '\n' && *at != ' ')
            text_printf(&line, "%c", *at);
        else if (!line.length || line.bytes[line.length - 1] != ' ')
            text_add(&line, " ");
    if (!strstr(line.bytes, words))
        fail_msg("\"%s\" is not in\n%s", words, out.bytes);
}

static void the_lag_of_replicas_is_told_or_said_to_be_unknown(void **state UNUSED)
{
    struct request request;
    struct advice advice = advice_of(&request);

    assert_says(&advice, "which transactions are open is not shown to us; no replica seen");
    advice.now.sees_transactions = true;
    advice.now.longest_ms = 65000;
    advice.now.replicas = 2;
    advice.now.lag_ms = 1500;
    assert_says(&advice, "the oldest transaction lasted 1 m 5 s; the slowest replica (of 2) was "
                         "1.5 s behind at most");
    advice.now.replicas_unknown = 1;
    assert_says(&advice, "the lag of 1 of 2 replicas cannot be told");
    arena_free(request.arena);
}

static void what_is_usual_may_not_be_known(void **state UNUSED)
{
    struct request request;
    struct advice advice = advice_of(&request);

    assert_says(&advice, "1.00 times the mean");
    advice.usual_work = -1;
    assert_says(&advice, "unknown: what is usual is not known");
    arena_free(request.arena);
}

static void hours_are_suggested_only_where_some_are_quiet(void **state UNUSED)
{
    struct request request;
    struct advice advice = advice_of(&request);

    advice.choice.verdict = QUIET_ANY;
    assert_says(&advice, "any: in no hour that was seen anybody would be disturbed");
    advice.choice.verdict = QUIET_NONE;
    assert_says(&advice, "none: no hour has half of the load of the mean one.");
    advice.choice = (struct quiet_choice){
        .verdict = QUIET_SOME, .hours = 8, .least_days = 1, .most_days = 2, .least_samples = 3};
    advice.window = "Mon 01:00-02:00";
    assert_says(&advice, "--window \"Mon 01:00-02:00\"");
    assert_says(&advice, "That is little: what one or two days were like says little of the next.");
    arena_free(request.arena);
}

static void the_file_of_samples_is_told(void **state UNUSED)
{
    struct request request;
    struct advice advice = advice_of(&request);

    advice.senseless = 3;
    advice.is_recorded = true;
    assert_says(&advice, "3 lines of activity make no sense and were passed over");
    assert_says(&advice, "Recorded activity");
    arena_free(request.arena);
}

static void a_window_may_be_too_short_for_the_table(void **state UNUSED)
{
    struct request request;
    struct advice advice = advice_of(&request);

    advice.table = &table;
    advice.window = "Sun 01:00-01:05";
    advice.duration = (struct estimate){.likely_s = 1e7, .low_s = 7e6, .high_s = 1.3e7};
    assert_says(&advice, "Nights more than fit into a year of the quiet hours");
    arena_free(request.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lag_of_replicas_is_told_or_said_to_be_unknown),
        cmocka_unit_test(what_is_usual_may_not_be_known),
        cmocka_unit_test(hours_are_suggested_only_where_some_are_quiet),
        cmocka_unit_test(the_file_of_samples_is_told),
        cmocka_unit_test(a_window_may_be_too_short_for_the_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
