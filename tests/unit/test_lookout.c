/* Who stands in the way: named without a value, counted, ended once. */
#include "tests/unit/unit.h"

#include "osc/db/dialect.h"
#include "osc/plan/blockers.h"
#include "tests/support/db_fake.h"

static const char *one_question(const struct facts *facts)
{
    (void)facts;
    return "SELECT holders";
}

static const char *another_question(const struct facts *facts)
{
    (void)facts;
    return "SELECT suspects";
}

static bool may_not(struct db *db, const struct blocker *blocker, uint64_t older_ms,
                    struct error *err)
{
    (void)db, (void)blocker, (void)older_ms;
    return error_set(err, ERROR_DENIED, "no right");
}

static const struct blocker_dialect shy = {
    .holders = one_question, .suspects = another_question, .kill = may_not};
static const struct dialect crowded = {.driver = &fake_driver, .blockers = &shy};

/* Who looks out, and a server that answers. */
struct stage {
    struct plan plan;
    struct patience patience;
    struct lookout lookout;
    struct db db;
};

static void set_up(struct stage *stage, const struct dialect *dialect,
                   const struct fake_answer *answers)
{
    static const struct facts facts = {.kill_right = "GRANT KILLING"};
    static const struct table source = {.schema = "s", .name = "t", .quoted = "s.t"};

    stage->plan = (struct plan){.dialect = dialect, .facts = &facts, .source = &source};
    stage->patience = (struct patience){.lock_ms = 100, .kill_after_ms = 1000};
    stage->lookout = (struct lookout){.plan = &stage->plan, .patience = &stage->patience};
    fake_open(&stage->db, dialect, answers);
}

static void many_blockers_are_counted_and_a_missing_right_is_named(void **state)
{
    static const struct fake_answer answers[] = {
        {.words = "holders",
         .rows = "1|a|h|9000|idle|SELECT 'x\\|\n2|b|h|9000|idle|SELECT $a$x$a$|\n"
                 "3|c|h|9000|idle|SELECT 'open|\n4|d|h|9000|idle||\n5|e|h|9000|idle||\n"
                 "6|f|h|9000|idle||\n7|g|h|9000|idle||"},
        {.words = NULL                 }
    };
    struct error err = ERROR_INIT;
    struct stage stage;

    (void)state;
    set_up(&stage, &crowded, answers);
    assert_false(lookout_is_clear(&stage.lookout, &stage.db, &err));
    assert_int_equal(err.kind, ERROR_TRANSIENT);
    assert_non_null(strstr(err.text, "and 2 more"));
    assert_null(strstr(err.text, "open")); /* no value is told */
    assert_null(strstr(err.text, "x"));
    (void)lookout_advise(&stage.lookout, "", "osc resume", &err);
    assert_string_equal(err.hint, "GRANT KILLING, then osc resume");
    fake_close(&stage.db);
}

static unsigned kills;

static bool kills_slowly(struct db *db, const struct blocker *blocker, uint64_t older_ms,
                         struct error *err)
{
    (void)db, (void)blocker, (void)older_ms, (void)err;
    kills++;
    return true;
}

static void a_blocker_that_takes_its_time_to_end_is_ended_once(void **state)
{
    static const struct fake_answer answers[] = {
        {.words = "holders", .rows = "1|a|h|9000|idle|SELECT 1|"},
        {.words = NULL                 }
    };
    static const struct blocker_dialect able = {
        .holders = one_question, .suspects = another_question, .kill = kills_slowly};
    static const struct dialect dialect = {.driver = &fake_driver, .blockers = &able};
    struct error err = ERROR_INIT;
    struct stage stage;

    (void)state;
    set_up(&stage, &dialect, answers);
    for (unsigned i = 0; i < 2; i++) {
        error_clear(&err);
        assert_false(lookout_is_clear(&stage.lookout, &stage.db, &err));
    }
    assert_int_equal(kills, 1);
    fake_close(&stage.db);
}

static void no_value_of_a_statement_is_shown(void **state)
{
    static const char *const shapes[][2] = {
        {"SELECT 'it''s' + 1.5, \"x\"", "SELECT ? + ?, ?"      },
        {"SELECT 'a\\'b'",              "SELECT …"           },
        {"UPDATE t1\n SET a = $x$b$x$", "UPDATE t1 SET a = …"},
    };
    struct arena *arena = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        assert_string_equal(blocker_shape(shapes[i][0], arena), shapes[i][1]);
    arena_free(arena);
}

static void blockers_that_cannot_be_asked_for_change_no_error(void **state)
{
    static const struct fake_answer answers[] = {
        {.words = "holders", .error = ERROR_SERVER},
        {.words = NULL                 }
    };
    struct error err = ERROR_INIT;
    struct stage stage;

    (void)state;
    set_up(&stage, &crowded, answers);
    error_set(&err, ERROR_TRANSIENT, "not in time");
    lookout_explain(&stage.lookout, &stage.db, &err);
    assert_string_equal(err.text, "not in time");
    fake_close(&stage.db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_blockers_are_counted_and_a_missing_right_is_named),
        cmocka_unit_test(a_blocker_that_takes_its_time_to_end_is_ended_once),
        cmocka_unit_test(no_value_of_a_statement_is_shown),
        cmocka_unit_test(blockers_that_cannot_be_asked_for_change_no_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
