/*
 * The server's disk is full under running migrations: for the shadow, the journal,
 * the server's log, or almost for everything.  osc stops and says so; after room was made it
 * goes on, or it is aborted while there is none.  No acknowledged write is lost.
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "tests/support/others.h"
#include "tests/support/own_server.h"
#include "tests/support/writers.h"

enum { ROWS = 3000, RATE = 40, MARGIN = 100 << 20 };

static char list[300]; /* what is full; not there: nothing is */

static int open_scene(void **state)
{
    const char *server = getenv("OSC_TEST_SERVER");

    /* The kernel's asynchronous writes would go past what is loaded. */
    if (!server || strncmp(server, "postgres", 8) != 0)
        (void)setenv("LAB_OPTIONS", "--innodb-use-native-aio=0", 1);
    (void)snprintf(list, sizeof list, "/tmp/osc-full-disk-%d", (int)getpid());
    (void)setenv("OSC_FULL_DISK", list, 1);
    (void)setenv("LD_PRELOAD", FULL_DISK, 1);
    own_server_start();
    (void)unsetenv("LD_PRELOAD");
    *state = scene_open("full");
    return 0;
}

static int close_scene(void **state)
{
    (void)unlink(list);
    scene_close(*state);
    own_server_stop();
    return 0;
}

/* Only the file's name may be written by the test; the server's user reads it. */
static void is_full_for(const char *path)
{
    FILE *file = fopen(list, "w");

    assert_non_null(file);
    (void)fputs(path, file);
    (void)fclose(file);
}

static void room_is_made(void)
{
    (void)unlink(list);
}

static const char *file_of(struct scene *s, const char *table)
{
    return s->is_postgres ? scene_value(s, "SELECT pg_relation_filepath('%s')", table)
                          : arena_printf(s->arena, "/%s.ibd\n/%s#P", table, table);
}

static struct traffic *begin(struct scene *s)
{
    return writers_start(
        s, &(struct writers_wish){.rate = RATE, .rows = ROWS, .may_lose_connections = true});
}

static const char clauses[] = "ADD COLUMN phone varchar(200) NOT NULL DEFAULT "
                              "'0123456789012345678901234567890123456789012345678901234567890'";

static void writing_ends(struct traffic *traffic, const char *when)
{
    writers_check(traffic, when);
    traffic_report_free(traffic_stop(traffic));
}

/* The application's writes are refused, too, where the journal cannot grow: that is checked. */
static void is_full(struct scene *s, const char *table, const char *moment)
{
    struct traffic *traffic = begin(s);

    for (int aborts = 0; aborts < 2; aborts++) {
        scene_hold(s, moment);
        const pid_t osc = scene_start(s, "alter", "users", clauses, "--after=drop", NULL);
        scene_await(s, moment);
        is_full_for(file_of(s, table));
        scene_release(s, moment);
        assert_says(scene_wait(s, osc), 1, "osc resume");
        if (aborts)
            assert_exit(scene_osc(s, "abort", NULL), 0);
        room_is_made();
        if (!aborts)
            assert_exit(scene_osc(s, "resume", NULL), 0);
        writers_check(traffic, table);
        assert_nothing_left(s, false);
        scene_sql(s, "%s", aborts ? "SELECT 1" : "ALTER TABLE users DROP COLUMN phone");
    }
    writing_ends(traffic, table);
}

static void the_shadow_finds_no_room(void **state)
{
    is_full(*state, "users_osc_new", "copy");
}

static pid_t comes_to_the_indexes(struct scene *s)
{
    scene_hold(s, "before-indexes");
    const pid_t osc = scene_start(s, "alter", "users", clauses, "--after=drop", NULL);
    scene_await(s, "before-indexes");
    return osc;
}

/* Whether or not it was hindered, it can be brought to its end once there is room. */
static void gets_to_its_end(struct scene *s, pid_t osc)
{
    struct outcome outcome = scene_wait(s, osc);
    const bool has_stopped = outcome.status != 0;

    if (has_stopped)
        print_message("it stopped: %s\n", outcome.err);
    assert_exit(outcome, has_stopped ? 1 : 0);
    if (has_stopped)
        assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_nothing_left(s, false);
}

/* Rolled back: what the table holds is the writers' business. */
static bool a_bulk_update_fits(struct scene *s)
{
    const bool fits =
        scene_try_sql(s, "BEGIN") && scene_try_sql(s, "UPDATE users SET email = UPPER(email)");

    (void)scene_try_sql(s, "ROLLBACK");
    return fits;
}

/* Writes are refused then, as without osc where the table itself finds no room: none is lost. */
static void the_journal_finds_no_room(void **state)
{
    struct scene *s = *state;
    struct traffic *traffic = begin(s);
    const pid_t osc = comes_to_the_indexes(s);
    bool fits = true;

    is_full_for(file_of(s, "users_osc_journal"));
    for (int i = 0; fits && i < 200; i++)
        fits = a_bulk_update_fits(s);
    assert_false(fits);
    scene_release(s, "before-indexes");
    (void)cancel_sleep_ms(NULL, 1000);
    room_is_made();
    if (db_is_lost(s->db)) { /* MariaDB sometimes falls over its own rollback then */
        own_server_crash();
        own_server_restart(s);
    }
    gets_to_its_end(s, osc);
    writing_ends(traffic, "journal");
}

/*
 * PostgreSQL goes down then, and is started again; the MySQL family waits for room.  MariaDB looks
 * again after a minute: by hand, with OSC_TEST_SLOW=1.
 */
static void the_servers_log_finds_no_room(void **state)
{
    struct scene *s = *state;

    if (strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) == 0 && !getenv("OSC_TEST_SLOW"))
        skip();
    struct traffic *traffic = begin(s);
    const pid_t osc = comes_to_the_indexes(s);

    is_full_for(scene_pick(s, "/pg_wal/", "/binlog."));
    if (s->is_postgres)
        (void)scene_try_sql(s, "SELECT pg_switch_wal()");
    scene_release(s, "before-indexes");
    (void)cancel_sleep_ms(NULL, 3000);
    room_is_made();
    if (s->is_postgres) {
        own_server_crash();
        own_server_restart(s);
    }
    gets_to_its_end(s, osc);
    writing_ends(traffic, "log");
}

/* A chunk is more than what a transaction keeps of its log in memory. */
static void temporary_files_find_no_room(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        skip();
    struct traffic *traffic = begin(s);
    scene_hold(s, "chunk-registered");
    const pid_t osc = scene_start(s, "alter", "users", clauses, "--after=drop", NULL);
    scene_await(s, "chunk-registered");
    is_full_for(" (deleted)");
    scene_release(s, "chunk-registered");
    assert_says(scene_wait(s, osc), 1, "osc resume");
    room_is_made();
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_nothing_left(s, false);
    writing_ends(traffic, "temporary files");
}

/* ---- PostgreSQL's temporary files ---- */

static void make_table_to_sort(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL UNIQUE)");
    scene_sql(s, "INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 30000) AS n(i)");
}

/* Without room for temporary files it stops at `moment`, and goes on once there is some. */
static void sorts_without_room(struct scene *s, const char *alter, const char *moment)
{
    make_table_to_sort(s);
    scene_hold(s, moment);
    const pid_t osc = scene_start(s, "alter", "t", alter, "--after=drop", NULL);
    scene_await(s, moment);
    is_full_for("pgsql_tmp");
    scene_release(s, moment);
    struct outcome outcome = scene_wait(s, osc);
    room_is_made();
    if (!strstr(outcome.err, "make room, then osc resume"))
        fail_msg("no advice: %s", outcome.err);
    assert_says(outcome, 1, "No space left on device");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), 30000);
    assert_nothing_left(s, false);
}

/* Builders that share the work hand it over in files. */
static void an_index_finds_no_room_to_be_sorted(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    scene_sql(s, "ALTER DATABASE %s SET min_parallel_table_scan_size = 0", s->parsed.database);
    sorts_without_room(s, "ADD COLUMN c int", "before-indexes");
}

/* The key's order changes: all rows are compared in one statement, too many for its memory. */
static void verification_finds_no_room(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    scene_sql(s, "ALTER SYSTEM SET work_mem = '64kB'");
    scene_sql(s, "SELECT pg_reload_conf()");
    sorts_without_room(s, "ALTER COLUMN id TYPE text USING id::text", "verify");
}

/* The last of the room is left to the application. */
static void the_run_stops_before_the_disk_is_full(void **state)
{
    struct scene *s = *state;
    struct traffic *traffic = begin(s);
    struct statvfs room;
    char filler[300], reserve[40];
    const char *place = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";

    assert_int_equal(statvfs(place, &room), 0);
    (void)snprintf(reserve, sizeof reserve, "%llu",
                   (unsigned long long)room.f_bavail * room.f_frsize - MARGIN);
    (void)setenv("OSC_TUNE_DISK_RESERVE", reserve, 1);
    scene_hold(s, "chunk-registered");
    const pid_t osc = scene_start(s, "alter", "users", clauses, "--after=drop", NULL);
    scene_await(s, "chunk-registered");
    (void)snprintf(filler, sizeof filler, "%s/osc-filler-%d", place, (int)getpid());
    const int file = open(filler, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(posix_fallocate(file, 0, 2 * MARGIN), 0);
    awaits(s, osc, "stay free for the application");
    scene_release(s, "chunk-registered");
    struct outcome outcome = scene_wait(s, osc);
    (void)close(file);
    (void)unlink(filler);
    (void)unsetenv("OSC_TUNE_DISK_RESERVE");
    assert_says(outcome, 1, "stay free for the application");
    assert_exit(scene_osc(s, "resume", NULL), 0);
    writers_stop(traffic, "reserve");
    assert_nothing_left(s, false);
}

static void too_large_a_table_is_refused(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY)");
    (void)setenv("OSC_TUNE_DISK_RESERVE", "1000000000000000000", 1);
    struct outcome outcome = scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL);
    (void)unsetenv("OSC_TUNE_DISK_RESERVE");
    assert_says(outcome, 3, "are free in");
    assert_nothing_left(s, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(too_large_a_table_is_refused, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_run_stops_before_the_disk_is_full, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(the_shadow_finds_no_room, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_journal_finds_no_room, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_servers_log_finds_no_room, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(temporary_files_find_no_room, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(an_index_finds_no_room_to_be_sorted, open_scene,
                                        close_scene),
        cmocka_unit_test_setup_teardown(verification_finds_no_room, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
