/*
 * The race matrix: writes placed exactly between two statements of osc, by
 * failpoints.  After each the shadow must have become what the source was.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "osc/db/server.h"
#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("races");
    return 0;
}

static int close_scene(void **state)
{
    (void)unsetenv("OSC_TUNE_BARE");
    (void)unsetenv("OSC_TUNE_BATCH");
    (void)unsetenv("OSC_TUNE_CHUNK");
    scene_close(*state);
    return 0;
}

/* Writes of the application, each against rows of its own of t (id, u unique, v). */
static const char *const writes[] = {
    "DELETE FROM t WHERE id = 7",
    "UPDATE t SET v = v + 1000 WHERE id = 17",
    "UPDATE t SET id = 1027 WHERE id = 27",
    "UPDATE t SET id = -37 WHERE id = 37",
    "INSERT INTO t VALUES (777, 7777, 7)",
    "UPDATE t SET v = v WHERE id BETWEEN 41 AND 60",
    "BEGIN; UPDATE t SET u = -1 WHERE id = 67; UPDATE t SET u = 67 WHERE id = 68; UPDATE t SET u = "
    "68 WHERE id = 67; COMMIT",
    "BEGIN; DELETE FROM t WHERE id = 77; INSERT INTO t VALUES (77, 70707, 70); COMMIT",
    "BEGIN; DELETE FROM t WHERE id BETWEEN 81 AND 99; ROLLBACK",
    "BEGIN; DELETE FROM t WHERE id = 109; UPDATE t SET id = 109, u = 9009 WHERE id = 107; COMMIT",
    "UPDATE t SET v = v + 1 WHERE id > 120",
};
enum { ROWS = 200 };

/* The moments of osc between which a write is placed. */
static const char *const moments[] = {
    "copy",         "chunk-registered", "chunk-before-commit",
    "before-purge", "before-indexes",   "catch-up",
    "verify",       "cutover",          "before-lock",
};

static const char *contents(struct scene *s, const char *table)
{
    return scene_value(
        s,
        s->is_postgres ? "SELECT string_agg(id || ':' || u || ':' || v, ' ' ORDER BY id) FROM %s"
                       : "SELECT GROUP_CONCAT(id, ':', u, ':', v ORDER BY id SEPARATOR ' ') "
                         "FROM %s",
        table);
}

static void make_rows(struct scene *s, int rows_wanted)
{
    AUTO(text) rows = TEXT_INIT;

    scene_sql(s, "CREATE TABLE t (id bigint PRIMARY KEY, u bigint NOT NULL, v int NOT NULL, "
                 "CONSTRAINT t_u UNIQUE (u))");
    for (int i = 1; i <= rows_wanted; i++)
        text_printf(&rows, "%s(%d, %d, %d)", i > 1 ? ", " : "", i, i, i * 2);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
}

static void make_t(struct scene *s)
{
    make_rows(s, ROWS);
}

static void write_all(struct scene *s)
{
    for (size_t w = 0; w < ARRAY_SIZE(writes); w++)
        scene_script(s, writes[w]);
}

/* The shadow is never bare, as on servers where it has a key from the start. */
static void keep_the_key(void)
{
    (void)setenv("OSC_TUNE_BARE", "0", 1);
}

static void at_any_moment_it_is_kept(struct scene *s, bool is_bare)
{
    if (!s->is_postgres)
        scene_sql(s, "SET SESSION group_concat_max_len = 100000");
    make_t(s);
    write_all(s);
    const char *expected = contents(s, "t"); /* what the writes alone make of it */
    scene_sql(s, "DROP TABLE t");
    for (size_t m = 0; m < ARRAY_SIZE(moments); m++) {
        if (!is_bare && strcmp(moments[m], "before-purge") == 0)
            continue;
        make_t(s);
        scene_hold(s, moments[m]);
        const pid_t osc =
            scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", "--threads=1", NULL);
        scene_await(s, moments[m]);
        write_all(s);
        scene_release(s, moments[m]);
        assert_exit(scene_wait(s, osc), 0);
        if (strcmp(contents(s, "t"), expected) != 0)
            fail_msg("at %s: got %s instead of %s", moments[m], contents(s, "t"), expected);
        scene_sql(s, "DROP TABLE t");
    }
}

static void a_write_at_any_moment_is_kept(void **state)
{
    struct scene *s = *state;

    at_any_moment_it_is_kept(s, s->is_postgres);
}

static void beside_replay_it_is_kept_as_well(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return; /* always so there */
    keep_the_key();
    at_any_moment_it_is_kept(s, false);
}

/* Until a statement of osc waits for a lock of ours. */
static void await_lock_wait(struct scene *s)
{
    static const char postgres[] =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND "
        "wait_event_type = 'Lock' AND application_name LIKE 'osc copy%'";
    /* MySQL's list of transactions fails while any session's statement has an emoji. */
    static const char mysql[] =
        "SELECT COUNT(*) FROM performance_schema.data_locks WHERE lock_status = 'WAITING' AND "
        "object_schema = DATABASE()";
    static const char mariadb[] =
        "SELECT COUNT(*) FROM information_schema.innodb_trx x JOIN information_schema.PROCESSLIST "
        "p "
        "ON p.ID = x.trx_mysql_thread_id WHERE x.trx_state = 'LOCK WAIT' AND p.DB = DATABASE()";

    scene_await_some(
        s, scene_pick(s, postgres, db_facts(s->db)->lists_processes_well ? mysql : mariadb));
}

/*
 * The chunk has its snapshot and waits in the middle of its statement, for a
 * row of the shadow that we hold; a row it is yet to insert is deleted; replay
 * reads the entry.  Without the grace period replay would find nothing to
 * delete, and the chunk would bring the row back.
 */
static struct outcome delete_during_a_chunk(struct scene *s)
{
    struct error err = ERROR_INIT;

    keep_the_key(); /* a bare chunk waits for no row */
    struct db *blocker = db_open(&s->parsed, "blocker", &err);

    assert_non_null(blocker);
    make_t(s);
    scene_hold(s, "chunk-registered");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop",
                                  "--threads=1", "--verify=none", NULL);
    scene_await(s, "chunk-registered");
    const char *insert =
        arena_printf(s->arena, "INSERT INTO %s.t_osc_new (id, u, v) VALUES (3, 0, 0)", s->schema);
    if (!db_begin(blocker, &err) || !db_exec(blocker, insert, NULL, &err))
        fail_msg("%s", err.text);
    scene_release(s, "chunk-registered");
    await_lock_wait(s);
    scene_hold(s, "batch-read");
    scene_hold(s, "batch-replayed");
    scene_sql(s, "DELETE FROM t WHERE id = 7");
    scene_await(s, "batch-read");
    scene_release(s, "batch-read");
    if (s->mutant)
        scene_await(s, "batch-replayed"); /* the mutant does not wait for the chunk */
    scene_release(s, "batch-replayed");
    db_rollback(blocker);
    db_close(blocker);
    return scene_wait(s, osc);
}

static void a_row_deleted_during_its_chunk_stays_deleted(void **state)
{
    struct scene *s = *state;

    assert_exit(delete_during_a_chunk(s), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE id = 7"), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), ROWS - 1);
}

static void the_mutant_without_grace_period_is_noticed(void **state)
{
    struct scene *s = *state;

    s->mutant = "no-grace";
    assert_exit(delete_during_a_chunk(s), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE id = 7"), 1); /* resurrected */
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
    struct outcome outcome = change_a_key_during_the_copy(s, "--verify=full");
    assert_true(outcome.status == 4 ||
                outcome.status == 1); /* diverged, or the ghost holds a unique value */
    outcome_free(&outcome);
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

/* A row that comes late and has another's value under the new unique key: that one is not its own.
 */
static struct outcome write_a_late_duplicate(struct scene *s)
{
    scene_sql(s, "CREATE TABLE d (id bigint PRIMARY KEY, u bigint NOT NULL)");
    scene_sql(s, "INSERT INTO d VALUES (1, 1), (2, 2), (3, 3)");
    scene_hold(s, "catch-up");
    const pid_t osc = scene_start(
        s, "alter", "d", scene_pick(s, "ADD CONSTRAINT d_u UNIQUE (u)", "ADD UNIQUE d_u (u)"),
        "--verify=none", "--after=drop", "--strategy=copy", NULL);
    scene_await(s, "catch-up");
    scene_sql(s, "INSERT INTO d VALUES (4, 2)");
    scene_release(s, "catch-up");
    return scene_wait(s, osc);
}

static void a_late_duplicate_under_a_new_key_stops_the_run(void **state)
{
    struct scene *s = *state;

    assert_says(write_a_late_duplicate(s), 1, "the new schema does not allow");
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM d"), 4);
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
}

static void the_mutant_that_overwrites_any_row_is_noticed(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        return; /* rows are deleted and inserted there */
    s->mutant = "overwrite-any";
    assert_exit(write_a_late_duplicate(s), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM d"), 3);
}

/*
 * Neighbours exchange their unique values, and two lanes replay them: one meets a row that the
 * other is yet to move, or they wait for each other.  To one lane it is no conflict.
 */
static void values_exchanged_between_lanes_are_kept(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        scene_sql(s, "SET SESSION group_concat_max_len = 100000");
    (void)setenv("OSC_TUNE_BATCH", "500", 1);
    make_rows(s, 2000);
    scene_hold(s, "catch-up");
    scene_kill_at(s, "batch-settled");
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", "--threads=2", NULL);
    scene_await(s, "catch-up");
    scene_script(s, "BEGIN; UPDATE t SET u = -u; "
                    "UPDATE t SET u = CASE WHEN id % 2 = 1 THEN id + 1 ELSE id - 1 END; COMMIT");
    const char *expected = contents(s, "t");
    scene_release(s, "catch-up");
    assert_exit(scene_wait(s, osc), 0);
    assert_string_equal(contents(s, "t"), expected);
}

/*
 * Of 2000 rows the first half takes the values of the second, whose entries come later in the
 * journal: batch after batch meets rows in its way, and nothing has to be settled for it.
 */
static void values_that_others_give_up_later_are_taken_over(void **state)
{
    struct scene *s = *state;

    (void)setenv("OSC_TUNE_BATCH", "100", 1);
    make_rows(s, 2000);
    scene_hold(s, "catch-up");
    scene_kill_at(s, "batch-settled");
    scene_kill_at(s, "all-settled");
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", "--threads=1", NULL);
    scene_await(s, "catch-up");
    scene_sql(s, "UPDATE t SET v = v + 1 WHERE id <= 1000");
    scene_sql(s, "UPDATE t SET u = -u WHERE id > 1000");
    scene_sql(s, "UPDATE t SET u = id + 1000 WHERE id <= 1000");
    scene_release(s, "catch-up");
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), 2000);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE u = id + 1000"), 1000);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t WHERE u = -id"), 1000);
}

/*
 * Row 2 takes the value of row 1, and its entry is read first: each connection has its part of the
 * journal.  (On PostgreSQL an entry of the taker always follows that of the giver.)
 */
static void take_the_value_of_row_1(struct scene *s, const char *table, const char *column)
{
    struct error err = ERROR_INIT;
    struct db *taker = db_open(&s->parsed, "taker", &err),
              *giver = db_open(&s->parsed, "giver", &err);

    assert_true(taker && giver);
    const char *give =
        arena_printf(s->arena, "UPDATE %s SET %s = 1000 WHERE id = 1", table, column);
    const char *take = arena_printf(s->arena, "UPDATE %s SET %s = 1 WHERE id = 2", table, column);
    if (!db_exec(giver, give, NULL, &err) || !db_exec(taker, take, NULL, &err))
        fail_msg("%s", err.text);
    db_close(taker);
    db_close(giver);
}

static void the_mutant_that_forgets_what_was_left_out_is_noticed(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        return;
    s->mutant = "forget-left-out";
    (void)setenv("OSC_TUNE_BATCH", "1", 1);
    make_t(s);
    scene_hold(s, "catch-up");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--threads=1", NULL);
    scene_await(s, "catch-up");
    take_the_value_of_row_1(s, "t", "u");
    scene_release(s, "catch-up");
    assert_exit(scene_wait(s, osc), 4);
    s->mutant = NULL;
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_nothing_left(s, false);
}

/*
 * Beside the copy, where the shadow has another unique key from the start because it is the primary
 * one: a row in the way is not taken for one that a chunk has brought.
 */
static void a_row_in_the_way_beside_the_copy_is_another(void **state)
{
    struct scene *s = *state;
    const char *file = arena_printf(s->arena, "%s/flag", s->directory);

    if (s->is_postgres)
        return;
    (void)setenv("OSC_TUNE_BATCH", "1", 1);
    (void)setenv("OSC_TUNE_CHUNK", "2", 1);
    scene_sql(s, "CREATE TABLE d (id bigint PRIMARY KEY, k int NOT NULL, UNIQUE d_k (k))");
    for (int i = 1; i <= 10; i++)
        scene_sql(s, "INSERT INTO d VALUES (%d, %d)", i, i);
    scene_hold(s, "chunk-committed");
    const pid_t osc =
        scene_start(s, "alter", "d", "DROP PRIMARY KEY, ADD PRIMARY KEY (k), ADD UNIQUE d_id (id)",
                    "--verify=none", "--after=drop", "--threads=1",
                    arena_printf(s->arena, "--throttle-flag-file=%s", file), NULL);
    scene_await(s, "chunk-committed");
    FILE *flag = fopen(file, "w");
    assert_non_null(flag);
    (void)fclose(flag);
    scene_await_some(
        s, "SELECT COUNT(*) FROM osc_state WHERE progress LIKE '%the flag file is there%'");
    scene_release(s, "chunk-committed");
    scene_hold(s, "batch-read");
    scene_sql(s, "UPDATE d SET k = 100 WHERE id = 10");
    scene_await(s, "batch-read");
    take_the_value_of_row_1(s, "d", "k");
    scene_release(s, "batch-read");
    scene_await_some(s, "SELECT COUNT(*) = 0 FROM d_osc_journal WHERE k1 IS NOT NULL");
    (void)unlink(file);
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT k FROM d WHERE id = 2"), 1);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM d"), 10);
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

/* The server would round it without a word, in the copy and in replay alike. */
static void a_value_that_would_be_rounded_stops_the_run(void **state)
{
    struct scene *s = *state;
    const char *alter =
        scene_pick(s, "ALTER COLUMN d TYPE numeric(10,2)", "MODIFY d decimal(10,2)");

    for (int late = 0; late < 2; late++) {
        scene_sql(s, "CREATE TABLE n (id int PRIMARY KEY, d decimal(10,3))");
        scene_sql(s, "INSERT INTO n VALUES (1, 1.250), (2, %s)", late ? "2.5" : "2.255");
        scene_hold(s, "before-indexes");
        const pid_t osc = scene_start(s, "alter", "n", alter, NULL);
        if (late) {
            scene_await(s, "before-indexes");
            scene_sql(s, "UPDATE n SET d = 2.255 WHERE id = 2");
        }
        scene_release(s, "before-indexes");
        assert_says(scene_wait(s, osc), 1, "row id=2");
        assert_exit(scene_osc(s, "abort", NULL), 0);
        assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM n WHERE d = 2.255"), 1);
        scene_sql(s, "DROP TABLE n");
    }
}

/*
 * A statement that fails inside a transaction takes its journal entry back.  On
 * InnoDB that leaves a lock on the gap behind the entry; at the end of the
 * journal it would keep every other writer out, and two such would deadlock.
 */
static void a_failed_statement_blocks_no_other_writer(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT;

    if (s->is_postgres)
        return; /* an aborted insert holds no lock there */
    make_t(s);
    scene_hold(s, "before-indexes");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL);
    scene_await(s, "before-indexes");
    struct db *failing = db_open(&s->parsed, "failing", &err);
    assert_non_null(failing);
    const char *fails =
        arena_printf(s->arena, "INSERT INTO %s.t VALUES (5001, 5001, 0), (5002, 1, 0)", s->schema);
    assert_true(db_exec(failing, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", NULL, &err) &&
                db_begin(failing, &err));
    assert_false(db_exec(failing, fails, NULL, &err));    /* the second row's u is taken */
    scene_sql(s, "UPDATE t SET v = v + 1 WHERE id = 20"); /* would wait for the lock, and fail */
    db_rollback(failing);
    db_close(failing);
    scene_release(s, "before-indexes");
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 20"), 41);
}

/*
 * A transaction has its snapshot, from another table, and has not come to ours yet.
 * Swapped now, row 7 would be one that a later transaction has deleted.
 */
static void a_snapshot_from_before_the_drain_is_let_through(void **state)
{
    struct scene *s = *state;
    struct error err = ERROR_INIT;
    const struct timespec moment = {.tv_nsec = 300000000};

    if (!s->is_postgres)
        return; /* an UPDATE reads the latest rows there, whatever the snapshot */
    make_t(s);
    scene_hold(s, "before-lock");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL);
    scene_await(s, "before-lock");
    scene_sql(s, "UPDATE t SET v = 70 WHERE id = 7");
    struct db *early = db_open(&s->parsed, "early", &err);
    const char *update =
        arena_printf(s->arena, "UPDATE %s.t SET v = v + 1 WHERE id = 7", s->schema);
    assert_non_null(early);
    assert_true(db_exec(early, "BEGIN ISOLATION LEVEL REPEATABLE READ", NULL, &err) &&
                db_exec(early, "SELECT 1", NULL, &err));
    scene_release(s, "before-lock");
    (void)nanosleep(&moment, NULL);
    if (!db_exec(early, update, NULL, &err) || !db_commit(early, &err))
        fail_msg("the application was refused: %s", err.text);
    db_close(early);
    assert_exit(scene_wait(s, osc), 0);
    assert_int_equal(scene_number(s, "SELECT v FROM t WHERE id = 7"), 71);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_at_any_moment_is_kept),
        TEST(beside_replay_it_is_kept_as_well),
        TEST(a_row_deleted_during_its_chunk_stays_deleted),
        TEST(the_mutant_without_grace_period_is_noticed),
        TEST(the_mutant_that_journals_only_new_keys_is_noticed),
        TEST(a_late_commit_is_not_forgotten),
        TEST(the_mutant_that_forgets_up_to_now_is_noticed),
        TEST(a_value_that_would_be_rounded_stops_the_run),
        TEST(a_snapshot_from_before_the_drain_is_let_through),
        TEST(a_failed_statement_blocks_no_other_writer),
        TEST(a_duplicate_under_the_new_key_stops_the_run),
        TEST(the_mutant_that_skips_silently_is_noticed),
        TEST(a_late_duplicate_under_a_new_key_stops_the_run),
        TEST(values_exchanged_between_lanes_are_kept),
        TEST(values_that_others_give_up_later_are_taken_over),
        TEST(the_mutant_that_forgets_what_was_left_out_is_noticed),
        TEST(a_row_in_the_way_beside_the_copy_is_another),
        TEST(the_mutant_that_overwrites_any_row_is_noticed),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
