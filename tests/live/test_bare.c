/*
 * Bare shadows: rows that move while no index tells that they were copied
 * already, chunks whose answer is lost, and the way back to a shadow with a key.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/scene.h"

enum { ROWS = 1000, ROWS_AFTER_WRITES = ROWS + 1 };

static int open_scene(void **state)
{
    *state = scene_open("bare");
    (void)setenv("OSC_TUNE_CHUNK", "1", 1); /* a page */
    return 0;
}

static int close_scene(void **state)
{
    (void)unsetenv("OSC_TUNE_CHUNK");
    (void)unsetenv("OSC_TUNE_MOST_ENTRIES");
    scene_close(*state);
    return 0;
}

/* Some forty pages, the last of them with room for rows that move. */
static void make_t(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, u int NOT NULL UNIQUE, v int NOT NULL, "
                 "filler text NOT NULL)");
    scene_sql(s,
              "INSERT INTO t SELECT i, i, i, repeat('x', 280) FROM generate_series(1, %d) AS s(i)",
              ROWS);
    scene_sql(s, "DELETE FROM t WHERE id > %d", ROWS - 12);
    scene_sql(s, "VACUUM (TRUNCATE off) t");
    scene_sql(s, "INSERT INTO t SELECT i, i, i, 'short' FROM generate_series(%d, %d) AS s(i)",
              ROWS - 11, ROWS);
}

/* Of copied pages and of others: rows move, change their keys, exchange values, go and come. */
static void write_meanwhile(struct scene *s)
{
    scene_script(s, "UPDATE t SET v = v + 1 WHERE id <= 20;"
                    "UPDATE t SET v = v + 1 WHERE id BETWEEN 500 AND 520;"
                    "DELETE FROM t WHERE id = 21; DELETE FROM t WHERE id = 530;"
                    "UPDATE t SET id = 2022 WHERE id = 22; UPDATE t SET id = 22 WHERE id = 531;"
                    "BEGIN; UPDATE t SET u = -1 WHERE id = 23; UPDATE t SET u = 23 WHERE id = 532; "
                    "UPDATE t SET u = 532 WHERE id = 23; COMMIT;"
                    "INSERT INTO t VALUES (3001, 3001, 1, ''), (3002, 3002, 1, ''), "
                    "(3003, 3003, 1, '')");
}

static const char *sum_of(struct scene *s)
{
    return scene_value(s, "SELECT count(*) || '/' || sum(hashtextextended(id || ':' || u || ':' || "
                          "v || filler, 0)) FROM t");
}

static pid_t begin(struct scene *s)
{
    return scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", "--threads=1", NULL);
}

/* The first page is copied: its rows go to one that is not. */
static struct outcome move_rows_behind_the_first_chunk(struct scene *s)
{
    make_t(s);
    scene_hold(s, "chunk-before-commit");
    const pid_t osc = begin(s);
    scene_await(s, "chunk-before-commit");
    write_meanwhile(s);
    scene_release(s, "chunk-before-commit");
    return scene_wait(s, osc);
}

static void rows_that_move_are_there_once(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return; /* no shadow is bare there */
    make_t(s);
    write_meanwhile(s);
    const char *expected = sum_of(s);
    scene_sql(s, "DROP TABLE t");
    assert_exit(move_rows_behind_the_first_chunk(s), 0);
    assert_string_equal(sum_of(s), expected);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS_AFTER_WRITES);
    assert_nothing_left(s, false);
}

static void the_mutant_that_purges_nothing_is_noticed(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    s->mutant = "no-purge";
    assert_says(move_rows_behind_the_first_chunk(s), 1, "t_osc_new");
    s->mutant = NULL;
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS_AFTER_WRITES);
}

/* Committed, but no watermark is saved: only the record says so. */
static struct outcome die_behind_a_chunk(struct scene *s)
{
    make_t(s);
    scene_kill_at(s, "chunk-committed");
    struct outcome killed = scene_wait(s, begin(s));
    assert_int_not_equal(killed.status, 0);
    outcome_free(&killed);
    scene_release(s, "chunk-committed");
    s->mutant = NULL;
    return scene_osc(s, "resume", "--threads=1", NULL);
}

static void no_chunk_is_copied_twice_by_a_resume(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    assert_exit(die_behind_a_chunk(s), 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS);
}

static void the_mutant_without_records_is_noticed(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    s->mutant = "no-record";
    assert_says(die_behind_a_chunk(s), 1, "duplicate");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS);
}

/* The look at the journal comes while the second chunk is held. */
static pid_t begin_with_a_long_journal(struct scene *s)
{
    (void)setenv("OSC_TUNE_MOST_ENTRIES", "5", 1);
    make_t(s);
    scene_hold(s, "chunk-before-commit");
    scene_hold(s, "journal-long");
    const pid_t osc = begin(s);
    scene_await(s, "chunk-before-commit");
    write_meanwhile(s);
    scene_await(s, "journal-long");
    scene_release(s, "journal-long");
    return osc;
}

static void a_long_journal_ends_it(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    make_t(s);
    write_meanwhile(s);
    const char *expected = sum_of(s);
    scene_sql(s, "DROP TABLE t");
    const pid_t osc = begin_with_a_long_journal(s);
    scene_hold(s, "before-purge");
    scene_release(s, "chunk-before-commit");
    scene_await(s, "before-purge");
    scene_hold(s, "batch-read");
    scene_release(s, "before-purge");
    scene_await(s, "batch-read"); /* replay, in the step of the copy */
    assert_string_equal(scene_value(s, "SELECT step FROM osc_state"), "copy");
    scene_release(s, "batch-read");
    assert_exit(scene_wait(s, osc), 0);
    assert_string_equal(sum_of(s), expected);
    assert_nothing_left(s, false);
}

/* Dies between the last bare chunk, the purge and the key; another run goes on. */
static void its_end_may_be_cut_short(void **state)
{
    struct scene *s = *state;
    static const char *const moments[] = {"before-purge", "purged", "key-built"};

    if (!s->is_postgres)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
        const pid_t osc = begin_with_a_long_journal(s);
        scene_kill_at(s, moments[i]);
        scene_release(s, "chunk-before-commit");
        struct outcome killed = scene_wait(s, osc);
        assert_int_not_equal(killed.status, 0);
        outcome_free(&killed);
        scene_release(s, moments[i]);
        scene_sql(s, "UPDATE t SET v = v + 1 WHERE id BETWEEN 600 AND 620");
        const char *expected = sum_of(s);
        assert_exit(scene_osc(s, "resume", "--threads=1", NULL), 0);
        assert_string_equal(sum_of(s), expected);
        assert_nothing_left(s, false);
        scene_sql(s, "DROP TABLE t");
    }
}

/* Until replay has taken everything out of the journal. */
static void await_empty_journal(struct scene *s)
{
    scene_await_some(s, "SELECT CASE WHEN EXISTS (SELECT FROM t_osc_journal) THEN 0 ELSE 1 END");
}

static pid_t begin_paused(struct scene *s)
{
    make_t(s);
    scene_hold(s, "copy");
    scene_hold(s, "at-rest");
    const pid_t osc = begin(s);
    scene_await(s, "copy");
    scene_sql(s, "UPDATE osc_state SET paused = 'me', orders = orders + 1");
    scene_release(s, "copy");
    scene_await(s, "at-rest");
    return osc;
}

/* A journal that nobody empties would grow as long as the pause lasts. */
static void a_long_journal_ends_it_in_a_pause_too(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    (void)setenv("OSC_TUNE_MOST_ENTRIES", "5", 1);
    const pid_t osc = begin_paused(s);
    write_meanwhile(s);
    const char *expected = sum_of(s);
    scene_release(s, "at-rest");
    await_empty_journal(s);
    assert_string_equal(scene_value(s, "SELECT paused FROM osc_state"), "me");
    assert_exit(scene_osc(s, "unpause", NULL), 0);
    assert_exit(scene_wait(s, osc), 0);
    assert_string_equal(sum_of(s), expected);
    assert_nothing_left(s, false);
}

static void a_pause_notices_that_the_journal_is_gone(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    const pid_t osc = begin_paused(s);
    scene_sql(s, "DROP TABLE t_osc_journal CASCADE");
    scene_release(s, "at-rest");
    assert_says(scene_wait(s, osc), 1, "counting what waits to be replayed");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS);
}

static void a_bare_shadow_is_not_compared_yet(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    make_t(s);
    scene_kill_at(s, "indexes");
    struct outcome killed = scene_wait(s, begin(s));
    assert_int_not_equal(killed.status, 0);
    outcome_free(&killed);
    scene_release(s, "indexes");
    assert_says(scene_osc(s, "verify", "t", NULL), 3, "has not copied every row yet");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT count(*) FROM t"), ROWS);
}

/* Which of them the server's parallel workers help, and what each of them took up. */
static void watch_builds(struct scene *s)
{
    scene_sql(s, "CREATE TABLE built (definition text, workers text)");
    scene_sql(s, "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql SET search_path "
                 "FROM CURRENT AS $$ BEGIN "
                 "INSERT INTO built SELECT pg_get_indexdef(objid), "
                 "current_setting('max_parallel_maintenance_workers') "
                 "FROM pg_event_trigger_ddl_commands(); END $$");
    scene_sql(s, "CREATE EVENT TRIGGER note ON ddl_command_end WHEN TAG IN ('CREATE INDEX') "
                 "EXECUTE FUNCTION note()");
}

static const char *built(struct scene *s, const char *workers)
{
    return scene_value(s,
                       "SELECT string_agg(substring(definition FROM '\\(.*'), ' ' ORDER BY "
                       "substring(definition FROM '\\(.*')) FROM built WHERE workers = '%s'",
                       workers);
}

static void the_longest_index_has_the_workers(void **state)
{
    static const char *const threads[] = {"--threads=2", "--threads=1"};
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE, words text UNIQUE)");
        scene_sql(s, "INSERT INTO t SELECT i, i, i FROM generate_series(1, 100) AS s(i)");
        scene_hold(s, "before-indexes");
        const pid_t osc =
            scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", threads[i], NULL);
        scene_await(s, "before-indexes");
        watch_builds(s);
        scene_release(s, "before-indexes");
        assert_exit(scene_wait(s, osc), 0);
        assert_string_equal(built(s, "2"), i ? "(id) (n) (words)" : "(words)");
        assert_string_equal(built(s, "0"), i ? "" : "(id) (n)");
        scene_script(s, "DROP EVENT TRIGGER note; DROP FUNCTION note; DROP TABLE built, t");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_that_move_are_there_once, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_mutant_that_purges_nothing_is_noticed, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(no_chunk_is_copied_twice_by_a_resume, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_mutant_without_records_is_noticed, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_long_journal_ends_it, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(its_end_may_be_cut_short, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_long_journal_ends_it_in_a_pause_too, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_pause_notices_that_the_journal_is_gone, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_bare_shadow_is_not_compared_yet, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_longest_index_has_the_workers, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
