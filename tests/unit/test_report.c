/* What osc plan prints, from a plan made by hand. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include <jansson.h>

#include "osc/report.h"

#define COLUMN(n, t)                                                                               \
    {                                                                                              \
        .name = (n), .type = (t)                                                                   \
    }
#define GENERATED(n, t)                                                                            \
    {                                                                                              \
        .name = (n), .type = (t), .is_generated = true                                             \
    }

static struct column old_columns[] = {
    COLUMN("id", "int"),
    COLUMN("name", "varchar(20)"),
    COLUMN("fax", "text"),
    GENERATED("age", "int"),
};
static struct column new_columns[] = {
    COLUMN("id", "bigint"),
    COLUMN("full_name", "varchar(20)"),
    COLUMN("phone", "text"),
    GENERATED("age", "int"),
};
static const struct column *key_columns[] = {&old_columns[0]};
static struct key key = {.name = "users_pkey", .n_columns = 1, .columns = key_columns};
static const struct table source = {.schema = "shop",
                                    .name = "users",
                                    .columns = old_columns,
                                    .n_columns = 4,
                                    .rows_estimate = 5120000,
                                    .data_bytes = UINT64_C(3) << 30,
                                    .index_bytes = 300 << 20};
static const struct table shadow = {.columns = new_columns, .n_columns = 4};
static struct mapping map[] = {
    {.from = &old_columns[0], .to = &new_columns[0], .is_converted = true },
    {.from = &old_columns[1], .to = &new_columns[1], .is_converted = false},
};
static const struct facts facts = {.vendor = "PostgreSQL", .version = "15.4"};
static struct step_script steps[] = {
    {"shadow",  "",            "CREATE TABLE a;\n"},
    {"cutover", "writes wait", "RENAME x"         },
};
static struct finding finding = {.level = FINDING_WARNING,
                                 .check = "long-transactions",
                                 .text = "one is 3 h old",
                                 .hint = "end it first"};

static struct plan plan_made_by_hand(struct arena *arena)
{
    return (struct plan){
        .arena = arena,
        .facts = &facts,
        .source = &source,
        .shadow = &shadow,
        .names = {.shadow = "users_osc_new", .retired = "users_osc_old"},
        .key = &key,
        .findings = &finding,
        .map = map,
        .n_map = ARRAY_SIZE(map),
    };
}

static void text_says_it_all(void **state)
{
    struct arena *arena = arena_new();
    const struct plan plan = plan_made_by_hand(arena);
    const struct plan_report report = {
        &plan,
        "copy",
        UINT64_C(4) << 30,
        steps,
        ARRAY_SIZE(steps),
        {.likely_s = 90, .low_s = 63, .high_s = 117, .probe_s = 0.05}
    };
    AUTO(text) out = TEXT_INIT;

    (void)state;
    plan_report_text(&report, &out);
    assert_string_equal(
        out.bytes,
        "Table      shop.users, about 5.12M rows, 3.00 GiB of data and 300 MiB of indexes\n"
        "Server     PostgreSQL 15.4\n"
        "Strategy   copy: users_osc_new is built beside it and swapped in; users_osc_old is what "
        "it "
        "was\n"
        "Key        users_pkey (id)\n"
        "Disk       about 4.00 GiB more while it runs\n"
        "Time       about 1 m 30 s (1 m 5 s to 1 m 55 s) on an idle server with the table in "
        "memory, longer under load\n"
        "\n"
        "Findings\n"
        "  warning  long-transactions: one is 3 h old\n"
        "           end it first\n"
        "\n"
        "Columns\n"
        "  COLUMN  TYPE         NEW COLUMN  NEW TYPE\n"
        "  id      int          id          bigint       converted\n"
        "  name    varchar(20)  full_name   varchar(20)  renamed\n"
        "                       phone       text         new\n"
        "                       age         int          computed by the server\n"
        "  fax     text                                  dropped\n"
        "\n"
        "Statements\n"
        "\n"
        "-- shadow\n"
        "CREATE TABLE a;\n"
        "\n"
        "-- cutover\n"
        "-- locks: writes wait\n"
        "RENAME x\n");
    arena_free(arena);
}

static void a_refused_plan_shows_its_findings(void **state)
{
    struct arena *arena = arena_new();
    struct plan plan = plan_made_by_hand(arena);
    const struct plan_report report = {
        &plan, "copy", 0, NULL, 0, {.likely_s = 0, .low_s = 0, .high_s = 0, .probe_s = 0}
    };
    AUTO(text) out = TEXT_INIT;

    (void)state;
    plan.shadow = NULL;
    plan.key = NULL;
    plan_report_text(&report, &out);
    assert_non_null(strstr(out.bytes, "Key        none\n"));
    assert_non_null(strstr(out.bytes, "long-transactions"));
    assert_null(strstr(out.bytes, "Columns"));
    assert_null(strstr(out.bytes, "Statements"));
    text_clear(&out);
    plan_report_json(&report, &out);
    json_t *object = json_loads(out.bytes, 0, NULL);
    assert_true(json_is_null(json_object_get(object, "key")));
    json_decref(object);
    arena_free(arena);
}

static void json_says_it_all(void **state)
{
    struct arena *arena = arena_new();
    const struct plan plan = plan_made_by_hand(arena);
    const struct plan_report report = {
        &plan,
        "copy",
        17,
        steps,
        ARRAY_SIZE(steps),
        {.likely_s = 90, .low_s = 63, .high_s = 117, .probe_s = 0.05}
    };
    AUTO(text) out = TEXT_INIT;

    (void)state;
    plan_report_json(&report, &out);
    json_t *object = json_loads(out.bytes, 0, NULL);
    assert_non_null(object);
    assert_int_equal(json_integer_value(json_object_get(object, "rows_estimate")), 5120000);
    const json_t *duration = json_object_get(object, "seconds_estimate");
    assert_int_equal(json_real_value(json_object_get(duration, "likely")), 90);
    assert_int_equal(json_array_size(json_object_get(object, "steps")), 2);
    assert_int_equal(json_array_size(json_object_get(object, "columns")), 2);
    assert_int_equal(json_array_size(json_object_get(object, "findings")), 1);
    json_decref(object);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_says_it_all),
        cmocka_unit_test(a_refused_plan_shows_its_findings),
        cmocka_unit_test(json_says_it_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
