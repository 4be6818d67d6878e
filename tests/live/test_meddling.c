/*
 * The world changes while a migration runs: somebody alters, truncates, replaces
 * or renames the table, or lays hands on what osc has made.  It is noticed before
 * the swap; the application can go on writing; osc abort leaves nothing.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"

enum { ROWS = 400 };

static int open_scene(void **state)
{
    *state = scene_open("meddling");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make_t(struct scene *s)
{
    AUTO(text) rows = TEXT_INIT;

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    for (int i = 1; i <= ROWS; i++)
        text_printf(&rows, "%s(%d, %d)", i > 1 ? ", " : "", i, i);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
}

/* What somebody does; NULL: the server has no such thing. */
static const struct deed {
    const char *postgres, *mysql;
    const char *words;   /* of osc's error */
    bool breaks_writing; /* the deed itself keeps the application from writing to t */
    bool mends;          /* the migration may also end well: nothing was lost by it */
} deeds[] = {
    {"ALTER TABLE t ADD COLUMN w int DEFAULT 5",                          "ALTER TABLE t ADD COLUMN w int DEFAULT 5",
     "altered by somebody",                                                                                                                  false, false},
    {"CREATE INDEX other ON t (v)",                                       "CREATE INDEX other ON t (v)",              "altered by somebody", false,
     false                                                                                                                                               },
    {"TRUNCATE t",                                                        "TRUNCATE t",                               "truncated",           false, false},
    {"DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)",
     "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)",                                             "replaced",            false, false},
    {"ALTER TABLE t RENAME TO away",                                      "RENAME TABLE t TO away",                   "t",                   true,  false},
    {"DROP TABLE t",                                                      "DROP TABLE t",                             "t",                   true,  false},
    {"VACUUM FULL t",                                                     "OPTIMIZE TABLE t",                         "rewritten",           false, true },
    {"CLUSTER t USING t_pkey",                                            NULL,                                       "rewritten",           false, false},
    {"ALTER TABLE t DISABLE TRIGGER USER",                                NULL,                                       "trigger",             false, false},
    {"DROP FUNCTION t_osc_capture CASCADE",                               "DROP TRIGGER {trigger}",                   "trigger",             false, false},
    {"DROP TABLE t_osc_new",                                              "DROP TABLE t_osc_new",                     "t_osc_new",           false, false},
    {"DROP TABLE t_osc_journal CASCADE",                                  "DROP TABLE t_osc_journal",                 "osc abort",           false, false},
    {"REINDEX TABLE CONCURRENTLY t",                                      NULL,                                       "",                    false, true },
    {"VACUUM t; ANALYZE t",                                               "ANALYZE TABLE t",                          "",                    false, true },
};

/* The moments at which it is done. */
static const char *const moments[] = {"chunk-registered", "before-indexes", "before-lock"};

static void an_own_deed(struct scene *s, const struct deed *deed)
{
    if (strstr(s->is_postgres ? deed->postgres : deed->mysql, "{trigger}"))
        scene_sql(s, "DROP TRIGGER %s",
                  scene_value(s, "SELECT MIN(TRIGGER_NAME) FROM information_schema.TRIGGERS "
                                 "WHERE TRIGGER_SCHEMA = DATABASE()"));
    else
        scene_script(s, s->is_postgres ? deed->postgres : deed->mysql);
}

static void clean_up(struct scene *s)
{
    static const char *const names[] = {"t", "away", "t_osc_new", "t_osc_old", "t_osc_journal"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        scene_sql(s, "DROP TABLE IF EXISTS %s CASCADE", names[i]);
}

/* What went wrong, NULL: nothing. */
static const char *judge(struct scene *s, const struct deed *deed, const struct outcome *outcome)
{
    if (deed->mends && outcome->status == 0)
        return scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL") == ROWS + 1
                   ? NULL
                   : "rows were lost";
    if (!deed->breaks_writing && !scene_try_sql(s, "INSERT INTO t (id, v) VALUES (9998, 1)"))
        return "the application cannot write afterwards";
    if (scene_number(s, "SELECT COUNT(*) FROM osc_state WHERE status = 'failed'")) {
        struct outcome aborted = scene_osc(s, "abort", NULL);
        const bool good = aborted.status == 0;
        if (!good)
            printf("%s", aborted.err);
        outcome_free(&aborted);
        if (!good)
            return "osc abort fails";
    }
    if (outcome->status == 0 || outcome->status > 127)
        return "osc should have failed";
    return strstr(outcome->err, deed->words) ? NULL : "osc does not say what happened";
}

static bool run_deed(struct scene *s, const struct deed *deed, const char *moment)
{
    const char *wrong = NULL;

    make_t(s);
    scene_hold(s, moment);
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--threads=1",
                                  "--cutover-timeout=5s", NULL);
    scene_await(s, moment);
    an_own_deed(s, deed);
    const bool writes =
        deed->breaks_writing || scene_try_sql(s, "INSERT INTO t (id, v) VALUES (9999, 1)");
    scene_release(s, moment);
    struct outcome outcome = scene_wait(s, osc);
    wrong = writes ? judge(s, deed, &outcome) : "the application cannot write";
    if (wrong)
        printf("%s at %s: %s; osc ended with %d:\n%s\n",
               s->is_postgres ? deed->postgres : deed->mysql, moment, wrong, outcome.status,
               outcome.err),
            fflush(stdout);
    outcome_free(&outcome);
    return !wrong;
}

static void what_others_do_is_noticed(void **state)
{
    struct scene *s = *state;
    const char *only = getenv("OSC_TEST_DEED");
    unsigned failed = 0;

    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
        const char *what = s->is_postgres ? deeds[i].postgres : deeds[i].mysql;
        if (!what || (only && !strstr(what, only)))
            continue;
        for (size_t m = 0; m < ARRAY_SIZE(moments); m++) {
            if (run_deed(s, &deeds[i], moments[m]))
                assert_nothing_left(s, true);
            else
                failed++;
            clean_up(s);
        }
    }
    assert_int_equal(failed, 0);
}

static void die_at(struct scene *s, const char *step)
{
    make_t(s);
    scene_kill_at(s, step);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 128 + 9);
    scene_release(s, step);
}

static void an_abort_needs_no_state_table(void **state)
{
    static const char *const steps[] = {"copy", "before-indexes", "cutover", "locked"};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        die_at(s, steps[i]);
        scene_sql(s, "DROP TABLE osc_state");
        assert_exit(scene_osc(s, "abort", NULL), 2);
        assert_says(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 3, "osc abort");
        scene_sql(s, "UPDATE t SET v = 0 WHERE id = 7");
        assert_exit(scene_osc(s, "abort", "t", NULL), 0);
        assert_nothing_left(s, true);
        assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE v = 0"), 1);
        clean_up(s);
    }
}

static void an_abort_without_a_record_is_named_by_its_table(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT;
    struct db *writer = db_open(&s->parsed, "writer", &err);
    const char *update = arena_printf(s->arena, "UPDATE %s.t SET v = 1 WHERE id = 1", s->schema);

    die_at(s, "copy");
    scene_sql(s, "DROP TABLE osc_state");
    if (!writer || !db_begin(writer, &err) || !db_exec(writer, update, NULL, &err))
        fail_msg("%s", err.text);
    assert_says(scene_osc(s, "abort", "t", "--cutover-timeout=1s", NULL), 1,
                "osc abort t tries again");
    db_rollback(writer);
    db_close(writer);
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_nothing_left(s, true);
}

/* Also where the run had come to the cutover, and who owns the name is asked. */
static void an_abort_needs_no_source(void **state)
{
    static const char *const steps[] = {"before-indexes", "cutover", "locked"};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        die_at(s, steps[i]);
        scene_sql(s, "DROP TABLE t");
        assert_says(scene_osc(s, "resume", NULL), 3, "osc abort");
        assert_exit(scene_osc(s, "abort", "t", NULL), 0);
        assert_nothing_left(s, true);
        clean_up(s);
    }
}

static void what_is_not_ours_is_not_dropped(void **state)
{
    struct scene *s = *state;

    make_t(s);
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_exit(scene_osc(s, "abort", "no_such_table", NULL), 3);
    scene_sql(s, "CREATE TABLE t_osc_new (id int PRIMARY KEY)");
    assert_says(scene_osc(s, "abort", "t", NULL), 3, "t_osc_new");
    scene_sql(s, "CREATE TABLE t_osc_journal (id int PRIMARY KEY)");
    assert_says(scene_osc(s, "abort", "t", NULL), 3, "t_osc_journal");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t_osc_new"), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t_osc_journal"), 0);
}

static void put_another_in_its_place(struct scene *s)
{
    scene_sql(s, "DROP TABLE IF EXISTS t_osc_new");
    scene_sql(s, "CREATE TABLE t_osc_new (id int PRIMARY KEY, v int NOT NULL, precious int)");
    scene_sql(s, "INSERT INTO t_osc_new VALUES (1, 1, 1)");
}

static void another_table_of_the_shadows_name_is_left_alone(void **state)
{
    static const char *const steps[] = {"shadow", "before-indexes", "cutover"};
    struct scene *s = *state;

    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        die_at(s, steps[i]);
        put_another_in_its_place(s);
        if (i > 0) /* before that it would make its shadow anew */
            assert_says(scene_osc(s, "resume", NULL), 3, "is not the table");
        assert_says(scene_osc(s, "abort", NULL), 3, "is not the table");
        assert_int_equal(scene_number(s, "SELECT precious FROM t_osc_new"), 1);
        scene_sql(s, "UPDATE t SET v = 0 WHERE id = 7");
        scene_sql(s, "DROP TABLE t_osc_new");
        assert_exit(scene_osc(s, "abort", NULL), 0);
        assert_nothing_left(s, true);
        clean_up(s);
    }
}

/* Of the MySQL family: the whole definition is compared there. */
static void a_shadow_that_somebody_alters_is_not_swapped_in(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        return;
    make_t(s);
    scene_hold(s, "before-indexes");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "before-indexes");
    scene_sql(s, "ALTER TABLE t_osc_new COMMENT 'ours'");
    scene_release(s, "before-indexes");
    assert_says(scene_wait(s, osc), 1, "t_osc_new is not what the ALTER had made of it");
    assert_says(scene_osc(s, "abort", NULL), 3, "is not the table");
    scene_sql(s, "DROP TABLE t_osc_new");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, true);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), ROWS);
}

static void another_table_of_the_shadows_name_is_not_swapped_in(void **state)
{
    struct scene *s = *state;

    make_t(s);
    scene_hold(s, "cutover");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", NULL);
    scene_await(s, "cutover");
    put_another_in_its_place(s);
    scene_release(s, "cutover");
    assert_says(scene_wait(s, osc), 3, "is not the table");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), ROWS);
    scene_sql(s, "DROP TABLE t_osc_new");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, true);
}

/* ---- the record ---- */

static void an_abort_that_was_interrupted_is_to_be_ended(void **state)
{
    struct scene *s = *state;

    die_at(s, "verify");
    scene_kill_at(s, "half-aborted");
    assert_exit(scene_osc(s, "abort", NULL), 128 + 9);
    scene_release(s, "half-aborted");
    assert_says(scene_osc(s, "resume", NULL), 3, "was begun and has not ended");
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 3, "osc abort");
    struct outcome status = scene_osc(s, "status", NULL);
    assert_non_null(strstr(status.out, "aborting"));
    outcome_free(&status);
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, true);
}

/* Written by a version that has more steps, or by nobody knows whom. */
static void a_step_that_nobody_knows_is_not_guessed_at(void **state)
{
    struct scene *s = *state;

    die_at(s, "verify");
    scene_sql(s, "UPDATE osc_state SET step = 'teleport'");
    assert_says(scene_osc(s, "resume", NULL), 3, "teleport, which this version");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, true);
    clean_up(s);

    die_at(s, "finish");
    scene_sql(s, "UPDATE osc_state SET step = 'teleport'");
    assert_says(scene_osc(s, "abort", NULL), 2, "has swapped already");
    scene_sql(s, "UPDATE osc_state SET step = 'finish'");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE c IS NULL"), ROWS);
}

/* Killed between making the state table and its row, for instance. */
static void an_empty_state_table_goes_with_abort(void **state)
{
    struct scene *s = *state;

    make_t(s);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN w int", "--after=drop", NULL), 0);
    scene_sql(s, "DELETE FROM osc_state");
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_false(scene_try_sql(s, "SELECT 1 FROM osc_state"));
}

/* Abort drops the state table with its last row, but not while another row is being added. */
static void a_migration_that_begins_keeps_its_row(void **state)
{
    struct scene *s = *state;

    make_t(s);
    scene_kill_at(s, "verify");
    struct outcome outcome = scene_osc(s, "alter", "t", "ADD COLUMN w int", NULL);
    assert_int_equal(outcome.status, 128 + 9);
    outcome_free(&outcome);
    scene_sql(s, "BEGIN");
    scene_sql(s, "INSERT INTO osc_state (source_schema, source_table, alter_text, options, step, "
                 "status, identity, fingerprint, stamp, deferred, watermark, wish, progress, "
                 "error, retired, host, pid, run, version, started_at, updated_at) VALUES ('s', "
                 "'other', '', '{}', 'plan', 'running', '', '', '', '', '', '', '', '', '', '', "
                 "1, '', '', CURRENT_TIMESTAMP, CURRENT_TIMESTAMP)");
    const pid_t abort = scene_start(s, "abort", "t", NULL);
    scene_await_some(s, scene_pick(s,
                                   "SELECT COUNT(*) FROM pg_locks WHERE NOT granted AND relation = "
                                   "'osc_state'::regclass",
                                   scene_waits(s)));
    scene_sql(s, "COMMIT");
    assert_exit(scene_wait(s, abort), 0);
    assert_nothing_left(s, false);
    assert_string_equal(scene_value(s, "SELECT source_table FROM osc_state"), "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_abort_needs_no_state_table, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(an_abort_needs_no_source, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(an_abort_without_a_record_is_named_by_its_table, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(an_empty_state_table_goes_with_abort, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_migration_that_begins_keeps_its_row, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(what_is_not_ours_is_not_dropped, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(another_table_of_the_shadows_name_is_left_alone, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(another_table_of_the_shadows_name_is_not_swapped_in,
                                        open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_shadow_that_somebody_alters_is_not_swapped_in, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(an_abort_that_was_interrupted_is_to_be_ended, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_step_that_nobody_knows_is_not_guessed_at, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(what_others_do_is_noticed, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
