/*
 * The race matrix: writes placed exactly between two statements of osc, by
 * failpoints.  After each the shadow must have become what the source was.
 */
#include "tests/unit/unit.h"

#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("races");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

/* Writes of the application, each against rows 1…40 of t (id, u unique, v). */
static const char *const writes[] = {
    "DELETE FROM t WHERE id = 7",
    "UPDATE t SET v = v + 1000 WHERE id = 7",
    "UPDATE t SET id = 1007 WHERE id = 7",
    "UPDATE t SET id = -7 WHERE id = 7",
    "INSERT INTO t VALUES (77, 777, 7)",
    "UPDATE t SET v = v WHERE id < 20",
    "BEGIN; UPDATE t SET u = -1 WHERE id = 7; UPDATE t SET u = 7 WHERE id = 8; UPDATE t SET u = 8 "
    "WHERE id = 7; COMMIT",
    "BEGIN; DELETE FROM t WHERE id = 7; INSERT INTO t VALUES (7, 70707, 70); COMMIT",
    "BEGIN; DELETE FROM t WHERE id < 30; ROLLBACK",
    "BEGIN; DELETE FROM t WHERE id = 9; UPDATE t SET id = 9, u = 9009 WHERE id = 7; COMMIT",
    "UPDATE t SET v = v + 1",
};

/* The moments of osc between which a write is placed. */
static const char *const moments[] = {
    "copy",   "chunk-registered", "chunk-before-commit", "before-indexes", "catch-up",
    "verify", "cutover",          "before-lock",
};

static void run_statements(struct scene *s, const char *list)
{
    char copy[400];
    char *rest = copy;

    (void)snprintf(copy, sizeof copy, "%s", list);
    for (char *one; (one = strsep(&rest, ";"));)
        scene_sql(s, "%s", one);
}

static const char *contents(struct scene *s, const char *table)
{
    return scene_value(
        s,
        s->is_postgres ? "SELECT string_agg(id || ':' || u || ':' || v, ' ' ORDER BY id) FROM %s"
                       : "SELECT GROUP_CONCAT(id, ':', u, ':', v ORDER BY id SEPARATOR ' ') "
                         "FROM %s",
        table);
}

static void make_t(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (id bigint PRIMARY KEY, u bigint NOT NULL, v int NOT NULL, "
                 "CONSTRAINT t_u UNIQUE (u))");
    for (int i = 1; i <= 40; i++)
        scene_sql(s, "INSERT INTO t VALUES (%d, %d, %d)", i, i, i * 2);
    scene_sql(s, "CREATE TABLE mirror (id bigint PRIMARY KEY, u bigint NOT NULL, v int NOT NULL)");
}

/* What the write alone would have made of the table. */
static const char *expected(struct scene *s, const char *write)
{
    make_t(s);
    run_statements(s, write);
    const char *rows = contents(s, "t");
    scene_sql(s, "DROP TABLE t");
    scene_sql(s, "DROP TABLE mirror");
    return rows;
}

static void a_write_at_any_moment_is_kept(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        scene_sql(s, "SET SESSION group_concat_max_len = 100000");
    for (size_t w = 0; w < ARRAY_SIZE(writes); w++) {
        const char *rows = expected(s, writes[w]);
        for (size_t m = 0; m < ARRAY_SIZE(moments); m++) {
            make_t(s);
            scene_hold(s, moments[m]);
            const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop",
                                          "--threads=1", NULL);
            scene_await(s, moments[m]);
            run_statements(s, writes[w]);
            scene_release(s, moments[m]);
            assert_exit(scene_wait(s, osc), 0);
            if (strcmp(contents(s, "t"), rows) != 0)
                fail_msg("\"%s\" at %s: got %s instead of %s", writes[w], moments[m],
                         contents(s, "t"), rows);
            scene_sql(s, "DROP TABLE t");
            scene_sql(s, "DROP TABLE mirror");
        }
    }
}

/*
 * The chunk has read its rows but not committed; a row is deleted; replay reads
 * the entry.  Without the grace period it would delete nothing, and the chunk
 * would bring the row back.
 */
static struct outcome delete_during_a_chunk(struct scene *s)
{
    make_t(s);
    scene_hold(s, "chunk-before-commit");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop",
                                  "--threads=1", "--verify=none", NULL);
    scene_await(s, "chunk-before-commit");
    scene_hold(s, "batch-read");
    scene_hold(s, "batch-replayed");
    scene_sql(s, "DELETE FROM t WHERE id = 7");
    scene_await(s, "batch-read");
    scene_release(s, "batch-read");
    if (s->mutant)
        scene_await(s, "batch-replayed"); /* the mutant does not wait for the chunk */
    scene_release(s, "batch-replayed");
    scene_release(s, "chunk-before-commit");
    return scene_wait(s, osc);
}

static void a_row_deleted_during_its_chunk_stays_deleted(void **state)
{
    struct scene *s = *state;

    assert_exit(delete_during_a_chunk(s), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE id = 7"), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), 39);
}

static void the_mutant_without_grace_period_is_noticed(void **state)
{
    struct scene *s = *state;

    s->mutant = "no-grace";
    struct outcome outcome = delete_during_a_chunk(s);
    outcome_free(&outcome);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE id = 7"), 1);
}

static struct outcome change_a_key_during_the_copy(struct scene *s, const char *verify)
{
    make_t(s);
    scene_hold(s, "before-indexes");
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", verify, NULL);
    scene_await(s, "before-indexes");
    scene_sql(s, "UPDATE t SET id = 1007 WHERE id = 7");
    scene_release(s, "before-indexes");
    return scene_wait(s, osc);
}

static void the_mutant_that_journals_only_new_keys_is_noticed(void **state)
{
    struct scene *s = *state;

    s->mutant = "journal-only-new-keys";
    assert_exit(change_a_key_during_the_copy(s, "--verify=full"), 4);
    s->mutant = NULL;
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
}

/* Two rows that the new primary key calls equal: never skipped in silence. */
static struct outcome add_a_key_with_duplicates(struct scene *s)
{
    scene_sql(s,
              "CREATE TABLE d (id bigint NOT NULL, k int NOT NULL, CONSTRAINT d_id UNIQUE (id))");
    for (int i = 1; i <= 10; i++)
        scene_sql(s, "INSERT INTO d VALUES (%d, %d)", i, i == 10 ? 3 : i);
    return scene_osc(s, "alter", "d", "ADD PRIMARY KEY (k)", "--verify=none", "--after=drop", NULL);
}

static void a_duplicate_under_the_new_key_stops_the_run(void **state)
{
    struct scene *s = *state;

    assert_exit(add_a_key_with_duplicates(s), 1);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM d"), 10);
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
}

static void the_mutant_that_skips_silently_is_noticed(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        return; /* the target of ON CONFLICT is the migration key alone: nothing else can be skipped
                 */
    s->mutant = "skip-silently";
    assert_exit(add_a_key_with_duplicates(s), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM d"), 9);
}

/*
 * An entry with a lower place becomes visible after a batch was read that holds
 * a higher one: exactly what was read may be forgotten.
 */
static struct outcome commit_late(struct scene *s)
{
    struct error err = ERROR_INIT;
    struct db *late = db_open(&s->parsed, "late", &err);

    make_t(s);
    assert_non_null(late);
    scene_hold(s, "before-indexes");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop",
                                  "--verify=none", "--threads=1", NULL);
    scene_await(s, "before-indexes");
    assert_true(db_begin(late, &err));
    const char *update = arena_printf(s->arena, "UPDATE %s.t SET v = 4711 WHERE id = 7", s->schema);
    assert_true(db_exec(late, update, NULL, &err));
    scene_hold(s, "before-forget");
    scene_sql(s, "UPDATE t SET v = 4712 WHERE id = 8");
    scene_release(s, "before-indexes");
    scene_await(s, "before-forget");
    assert_true(db_commit(late, &err));
    db_close(late);
    scene_release(s, "before-forget");
    return scene_wait(s, osc);
}

static void a_late_commit_is_not_forgotten(void **state)
{
    struct scene *s = *state;

    assert_exit(commit_late(s), 0);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 7"), 4711);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 8"), 4712);
}

static void the_mutant_that_forgets_up_to_now_is_noticed(void **state)
{
    struct scene *s = *state;

    s->mutant = "forget-up-to-now";
    assert_exit(commit_late(s), 0);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 7"), 14); /* the write is lost */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_at_any_moment_is_kept, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_row_deleted_during_its_chunk_stays_deleted, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_mutant_without_grace_period_is_noticed, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_mutant_that_journals_only_new_keys_is_noticed,
                                        open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_late_commit_is_not_forgotten, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_mutant_that_forgets_up_to_now_is_noticed, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(a_duplicate_under_the_new_key_stops_the_run, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_mutant_that_skips_silently_is_noticed, open_scene,
                                        close_scene),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
