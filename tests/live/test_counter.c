/*
 * Where copy workers would take turns at the lock of the shadow's counter, the shadow has none
 * during the backfill: killed at any moment of giving it back, the run is resumed or aborted, and
 * the counter goes on where the source's was.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "osc/db/server.h"
#include "tests/support/scene.h"

static int open_scene(void **state)
{
    struct scene *s = scene_open("counter");

    if (!s->is_postgres) {
        scene_sql(s, "CREATE TABLE t (v int NOT NULL COMMENT 'no AUTO_INCREMENT',"
                     " id bigint unsigned NOT NULL AUTO_INCREMENT COMMENT 'it''s \\\\ one',"
                     " `a'' AUTO_INCREMENT` int, PRIMARY KEY (id), UNIQUE KEY by_v (v))");
        scene_sql(s, "INSERT INTO t (v) VALUES (1), (2), (3), (4)");
        scene_sql(s, "DELETE FROM t WHERE v = 4");
    }
    *state = s;
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static bool takes_turns(struct scene *s)
{
    return !s->is_postgres && db_facts(s->db)->counter_takes_turns;
}

static const char definition[] =
    "SELECT CONCAT(c.EXTRA, ',', t.CREATE_OPTIONS) FROM information_schema.COLUMNS c"
    " JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '%s' AND COLUMN_NAME = 'id'";

static pid_t begin(struct scene *s, const char *alter, const char *moment)
{
    scene_hold(s, moment);
    const pid_t run = scene_start(s, "alter", "t", alter, "--strategy=copy", NULL);
    scene_await(s, moment);
    return run;
}

static void goes_on(struct scene *s)
{
    assert_string_equal(scene_value(s, definition, "t"), "auto_increment,");
    scene_sql(s, "INSERT INTO t (v) VALUES (5)");
    assert_int_equal(scene_number(s, "SELECT id FROM t WHERE v = 5"), 5);
    assert_int_equal(scene_number(s, "SELECT SUM(id * v) FROM t"), 1 + 4 + 9 + 25);
    assert_nothing_left(s, true);
}

static void the_backfill_does_without(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        return;
    const pid_t run = begin(s, "ADD COLUMN c int", "before-indexes");
    assert_string_equal(scene_value(s, definition, "t_osc_new"),
                        takes_turns(s) ? ",partitioned" : "auto_increment,");
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
    goes_on(s);
}

static void die(struct scene *s, const char *moment)
{
    const pid_t run = begin(s, "ADD COLUMN c int", moment);

    kill(run, SIGKILL);
    struct outcome outcome = scene_wait(s, run);
    assert_int_equal(outcome.status, 128 + SIGKILL);
    outcome_free(&outcome);
    scene_release(s, moment);
}

static void a_death_on_the_way_back_is_survived(void **state)
{
    static const char *const moments[] = {"capture", "before-indexes", "rows-taken",
                                          "plain-renamed"};
    struct scene *s = *state;

    if (!takes_turns(s))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        die(s, moments[i]);
        assert_exit(scene_osc(s, "abort", "t", NULL), 0);
        assert_nothing_left(s, false);
        die(s, moments[i]);
        assert_exit(scene_osc(s, "resume", "t", NULL), 0);
        goes_on(s);
        assert_exit(scene_osc(s, "finish", "t", NULL), 0);
        scene_sql(s, "DELETE FROM t WHERE v > 3");
        scene_sql(s, "ALTER TABLE t DROP COLUMN c, AUTO_INCREMENT = 5");
    }
}

/* Half made and not written down yet; then there are no rows to give back. */
static void an_empty_table_too(void **state)
{
    struct scene *s = *state;

    if (!takes_turns(s))
        return;
    scene_sql(s, "DELETE FROM t");
    die(s, "plain-made");
    assert_exit(scene_osc(s, "resume", "t", NULL), 0);
    assert_exit(scene_osc(s, "finish", "t", NULL), 0);
    scene_sql(s, "ALTER TABLE t DROP COLUMN c");
    die(s, "rows-taken");
    scene_sql(s, "INSERT INTO t (v) VALUES (9)");
    assert_exit(scene_osc(s, "resume", "t", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT id FROM t WHERE v = 9"), 5);
    assert_nothing_left(s, true);
}

/* No partition may be told by a text. */
static void a_shadow_that_cannot_be_without_keeps_it(void **state)
{
    struct scene *s = *state;

    if (!takes_turns(s))
        return;
    scene_sql(s, "ALTER TABLE t ADD COLUMN words tinytext NOT NULL DEFAULT '', DROP PRIMARY KEY,"
                 " ADD PRIMARY KEY (words(9), v), ADD UNIQUE KEY (id)");
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN c int", "--strategy=copy", NULL), 0,
                "keeps its counter");
    goes_on(s);
}

static void words_that_are_indexed_do_not_move(void **state)
{
    struct scene *s = *state;

    if (!takes_turns(s))
        return;
    scene_sql(s, "ALTER TABLE t ADD COLUMN words text, ADD FULLTEXT KEY (words)");
    scene_sql(s, "UPDATE t SET words = 'hidden treasure' WHERE v = 2");
    const pid_t run = begin(s, "ADD COLUMN c int", "before-indexes");
    assert_string_equal(scene_value(s, definition, "t_osc_new"), "auto_increment,");
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE MATCH (words) AGAINST ('treasure')"),
                     2);
    goes_on(s);
}

/* The counter gives the rows their numbers: it cannot be taken off. */
static void numbers_that_it_gives_are_given(void **state)
{
    struct scene *s = *state;

    if (!takes_turns(s))
        return;
    scene_sql(s, "ALTER TABLE t MODIFY id bigint unsigned NOT NULL");
    const pid_t run = begin(s, "ADD COLUMN n int NOT NULL AUTO_INCREMENT UNIQUE", "before-indexes");
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, run), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(DISTINCT n) FROM t WHERE n > 0"), 3);
}

static void what_somebody_writes_into_it_is_told(void **state)
{
    struct scene *s = *state;

    if (!takes_turns(s))
        return;
    const pid_t run = begin(s, "ADD COLUMN c int", "before-indexes");
    scene_sql(s, "INSERT INTO t_osc_plain (v) VALUES (77)");
    scene_release(s, "before-indexes");
    assert_says(scene_wait(s, run), 1, "somebody has written into t_osc_plain");
    assert_exit(scene_osc(s, "abort", "t", NULL), 0);
    assert_nothing_left(s, false);
    goes_on(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_backfill_does_without),
        TEST(a_death_on_the_way_back_is_survived),
        TEST(an_empty_table_too),
        TEST(a_shadow_that_cannot_be_without_keeps_it),
        TEST(words_that_are_indexed_do_not_move),
        TEST(numbers_that_it_gives_are_given),
        TEST(what_somebody_writes_into_it_is_told),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
