/*
 * Chaos: writers and osc on a server of the test's own, and at random moments osc
 * is killed, stopped and woken up, its connections are ended, the server crashes,
 * others look after the table or alter it.  osc is resumed or aborted until it is through; the
 * witness judges, again and again.
 *
 * OSC_CHAOS_SECONDS (25) is how long, OSC_CHAOS_SEED repeats the choices of a run.  It prints a
 * diary: each deed, when, and what osc had said last.
 */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "osc/base/clock.h"
#include "tests/support/own_server.h"
#include "tests/support/writers.h"

enum { ROWS = 4000, RATE = 80, SECONDS = 25, MOST_GOES = 25, PATIENCE_MS = 120000 };

static struct {
    struct scene *scene;
    uint64_t began_ms;
    struct traffic *traffic;
    uint64_t random;
    bool has_phone; /* the column comes and goes */
    pid_t osc, sleeper;
    bool is_relieved; /* another run has done the sleeper's work */
    bool only_abort;  /* others have altered the table, or an abort has begun */
    unsigned done, aborted, kills, sleeps, backends, crashes, others, alterations;
    uint64_t deadlocks; /* of the application with an alteration of others */
} chaos;

static uint64_t draw(uint64_t below)
{
    chaos.random ^= chaos.random << 13;
    chaos.random ^= chaos.random >> 7;
    chaos.random ^= chaos.random << 17;
    return (chaos.random >> 11) % below;
}

static void nap(uint64_t ms)
{
    const struct timespec pause = {.tv_sec = (time_t)(ms / 1000),
                                   .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

/* ---- the diary ---- */

/* The last line that osc has said so far. */
static void last_words(pid_t osc, char line[300])
{
    char path[300], text[2000];

    line[0] = '\0';
    (void)snprintf(path, sizeof path, "%s/%d.err", chaos.scene->directory, (int)osc);
    FILE *file = osc ? fopen(path, "r") : NULL;
    if (!file)
        return;
    (void)fseek(file, 0, SEEK_END);
    (void)fseek(file, ftell(file) > 1999 ? -1999 : -ftell(file), SEEK_END);
    size_t n = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    while (n && text[n - 1] == '\n')
        n--;
    text[n] = '\0';
    const char *last = strrchr(text, '\n');
    (void)snprintf(line, 300, "%.299s", last ? last + 1 : text);
}

static void note(const char *deed)
{
    char line[300];

    last_words(chaos.osc, line);
    print_message("%7.2f s  %s; osc: %s\n", (double)(clock_ms() - chaos.began_ms) / 1000, deed,
                  line);
}

/* What a crash has left of the triggers, in the catalog and in files. */
static void note_triggers(void)
{
    struct scene *s = chaos.scene;

    if (s->is_postgres)
        return;
    print_message("    triggers: %s\n",
                  scene_value(s,
                              "SELECT GROUP_CONCAT(CONCAT_WS(' ', TRIGGER_NAME, "
                              "EVENT_OBJECT_TABLE, LENGTH(ACTION_STATEMENT)) SEPARATOR ', ') FROM "
                              "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '%s'",
                              s->schema));
    own_server_show_files(s, ".TR[GN]*");
}

/* ---- what is done to it ---- */

static void kill_osc(void)
{
    (void)kill(chaos.osc, SIGKILL);
    chaos.kills++;
}

/* It sleeps until the next run has taken its place and is through. */
static void put_osc_to_sleep(void)
{
    if (chaos.sleeper)
        return;
    (void)kill(chaos.osc, SIGSTOP);
    chaos.sleeper = chaos.osc;
    chaos.osc = 0;
    chaos.sleeps++;
}

static void end_a_connection(void)
{
    chaos.backends += own_server_kill_backend(chaos.scene, (unsigned)draw(1000));
}

static void crash_the_server(void)
{
    own_server_crash();
    nap(draw(500));
    own_server_restart(chaos.scene);
    chaos.crashes++;
    note_triggers();
}

static void look_after_the_table(void)
{
    static const char *const postgres[] = {"ANALYZE users", "VACUUM users",
                                           "VACUUM users_osc_journal", "CHECKPOINT"};
    static const char *const mysql[] = {"ANALYZE TABLE users", "FLUSH TABLES", "CHECK TABLE users",
                                        "ANALYZE TABLE users"};
    const uint64_t which = draw(ARRAY_SIZE(postgres));

    /* What it meets may not be there, or be locked. */
    chaos.others +=
        scene_try_sql(chaos.scene, scene_pick(chaos.scene, postgres[which], mysql[which]));
}

static uint64_t application_errors(void)
{
    struct traffic_counters counters;

    traffic_counters(chaos.traffic, &counters);
    return counters.errors;
}

/*
 * Whatever migration is under way can only be aborted now; unless it was through already.
 * On the MySQL family who has read the table and then writes to it is a deadlock's victim behind
 * any ALTER that waits: what happens meanwhile is not osc's.
 */
static void alter_the_table(void)
{
    static const char *const postgres[] = {
        "CREATE INDEX others ON users (status)", "DROP INDEX others",
        "ALTER TABLE users ALTER COLUMN status SET STATISTICS 50", "VACUUM FULL users"};
    static const char *const mysql[] = {
        "CREATE INDEX others ON users (status)", "DROP INDEX others ON users",
        "ALTER TABLE users COMMENT = 'ours'", "ALTER TABLE users STATS_PERSISTENT = 1"};
    const uint64_t which = draw(ARRAY_SIZE(postgres));

    /* Also where it fails: a connection that broke may have left it done. */
    chaos.only_abort = true;
    const uint64_t before = application_errors();
    chaos.alterations +=
        scene_try_sql(chaos.scene, scene_pick(chaos.scene, postgres[which], mysql[which]));
    if (!chaos.scene->is_postgres)
        chaos.deadlocks += application_errors() - before;
}

static const struct {
    unsigned weight;
    void (*act)(void);
    const char *name;
} mischief[] = {
    {4, kill_osc,             "kills osc"            },
    {2, put_osc_to_sleep,     "puts osc to sleep"    },
    {8, end_a_connection,     "ends a connection"    },
    {1, crash_the_server,     "crashes the server"   },
    {5, look_after_the_table, "looks after the table"},
    {1, alter_the_table,      "alters the table"     },
};

static void do_mischief(void)
{
    unsigned all = 0;

    for (size_t i = 0; i < ARRAY_SIZE(mischief); i++)
        all += mischief[i].weight;
    uint64_t at = draw(all);
    size_t i = 0;
    while (at >= mischief[i].weight)
        at -= mischief[i++].weight;
    note(mischief[i].name);
    mischief[i].act();
}

/* ---- osc ---- */

static const char *clauses(void)
{
    return chaos.has_phone ? "DROP COLUMN phone"
                           : "ADD COLUMN phone varchar(20) NOT NULL DEFAULT ''";
}

static bool phone_is_there(void)
{
    return scene_number(chaos.scene,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = "
                        "'%s' AND table_name = 'users' AND column_name = 'phone'",
                        chaos.scene->schema);
}

/* Runs to its end unless it is put to sleep; the mischief follows at random moments. */
static struct outcome let_run(pid_t osc, bool with_mischief)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    struct deadline next = deadline_in_ms(draw(1500));
    siginfo_t info = {.si_pid = 0};

    chaos.osc = osc;
    while (chaos.osc) {
        (void)waitid(P_PID, (id_t)osc, &info, WEXITED | WNOHANG | WNOWAIT);
        if (info.si_pid == osc)
            break;
        if (deadline_passed(&until))
            fail_msg("osc (process %d) does not come to an end", (int)osc);
        if (with_mischief && deadline_passed(&next)) {
            do_mischief();
            next = deadline_in_ms(draw(1500));
        }
        nap(5);
    }
    if (!chaos.osc)
        return (struct outcome){.status = 128 + SIGSTOP, .out = strdup(""), .err = strdup("")};
    chaos.osc = 0;
    return scene_wait(chaos.scene, osc);
}

static void wake_the_sleeper(void)
{
    const pid_t sleeper = chaos.sleeper;

    chaos.sleeper = 0;
    if (!sleeper)
        return;
    (void)kill(sleeper, SIGCONT);
    struct outcome outcome = scene_wait(chaos.scene, sleeper);
    if (outcome.status == 0 && chaos.is_relieved)
        fail_msg("a run that had been relieved believes that it did the work");
    outcome_free(&outcome);
}

/*
 * Only these are right: through, failed and resumable, unknown, killed, asleep;
 * refused where others have altered the table or an abort has begun; never diverged.
 */
static bool is_fair(const struct outcome *outcome)
{
    if (outcome->status == 3 && chaos.only_abort)
        return true;
    return outcome->status == 0 || outcome->status == 1 || outcome->status == 5 ||
           outcome->status == 128 + SIGKILL || outcome->status == 128 + SIGSTOP ||
           strstr(outcome->err, "no migration is under way") ||
           strstr(outcome->err, "has swapped already");
}

static bool over(const struct outcome *outcome)
{
    return outcome->status == 0 || strstr(outcome->err, "no migration is under way");
}

/* One ALTER, resumed or aborted until nothing of it is left. */
static void migrate_once(void)
{
    chaos.only_abort = false;
    struct outcome outcome =
        let_run(scene_start(chaos.scene, "alter", "users", clauses(), "--after=drop", NULL), true);

    chaos.is_relieved = false;
    for (unsigned go = 0;; go++) {
        if (!is_fair(&outcome))
            fail_msg("osc ended with %d: %s\n%s", outcome.status, outcome.err, outcome.out);
        const bool through = over(&outcome) && (go || outcome.status == 0);
        if (!through && go == MOST_GOES)
            fail_msg("osc was resumed %u times and is not through: %s", go, outcome.err);
        chaos.is_relieved |= go && outcome.status == 0;
        const bool swapped_already = strstr(outcome.err, "has swapped already");
        outcome_free(&outcome);
        if (through)
            break;
        const bool aborts = !swapped_already && draw(chaos.only_abort ? 2 : 4) == 0,
                   calm = go > MOST_GOES / 2;
        chaos.only_abort |= aborts;
        note(aborts ? "then osc abort" : "then osc resume");
        outcome = let_run(scene_start(chaos.scene, aborts ? "abort" : "resume", NULL), !calm);
    }
    wake_the_sleeper();
    const bool has_phone = phone_is_there();
    chaos.done += has_phone != chaos.has_phone;
    chaos.aborted += has_phone == chaos.has_phone;
    chaos.has_phone = has_phone;
    assert_nothing_left(chaos.scene, false);
    writers_check(chaos.traffic, "chaos");
}

/* ---- the run ---- */

static uint64_t number_from(const char *variable, uint64_t standard)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : standard;
}

/* A user of osc's own, so that its connections can be told from the application's. */
static void name_osc(struct scene *s)
{
    const char *root = strstr(s->dsn, "root@");
    char dsn[sizeof s->dsn];

    if (s->is_postgres)
        return;
    scene_sql(s, "CREATE USER osc@'127.0.0.1', osc@localhost");
    scene_sql(s, "GRANT ALL PRIVILEGES ON *.* TO osc@'127.0.0.1', osc@localhost");
    assert_non_null(root);
    (void)snprintf(dsn, sizeof dsn, "%.*sosc@%s", (int)(root - s->dsn), s->dsn, root + 5);
    memcpy(s->dsn, dsn, sizeof dsn);
}

static void report(uint64_t seed)
{
    print_message("seed %lu: %u swapped, %u aborted; osc killed %u times, put to sleep %u times, "
                  "%u connections ended, %u server crashes, %u deeds of others, %u alterations\n",
                  (unsigned long)seed, chaos.done, chaos.aborted, chaos.kills, chaos.sleeps,
                  chaos.backends, chaos.crashes, chaos.others, chaos.alterations);
}

/*
 * README: who has read a table of the MySQL family and then writes to it is a deadlock's victim
 * behind whoever waits for its lock.  osc looks before it asks, but where it was killed its request
 * is still in the queue.  Few of them all the same.
 */
static uint64_t deadlocks_expected(void)
{
    return chaos.scene->is_postgres ? 0 : chaos.deadlocks + 1 + (chaos.done + chaos.aborted) / 20;
}

static void nothing_is_lost_in_chaos(void **state)
{
    const uint64_t seed = number_from("OSC_CHAOS_SEED", (uint64_t)time(NULL));
    const struct deadline until = deadline_in_ms(1000 * number_from("OSC_CHAOS_SECONDS", SECONDS));

    (void)state;
    print_message("OSC_CHAOS_SEED=%lu\n", (unsigned long)seed);
    chaos.began_ms = clock_ms();
    chaos.random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    chaos.traffic = writers_start(
        chaos.scene,
        &(struct writers_wish){.rate = RATE, .rows = ROWS, .may_lose_connections = true});
    name_osc(chaos.scene);
    while (!deadline_passed(&until))
        migrate_once();
    report(seed);
    struct traffic *traffic = chaos.traffic;
    chaos.traffic = NULL;
    writers_stop_but_for(traffic, deadlocks_expected(), "1213", "chaos");
    assert_true(chaos.done + chaos.aborted > 0);
}

static int open_scene(void **state)
{
    (void)setenv("OSC_TUNE_SILENCE_MS", "2000", 1);
    (void)setenv("OSC_TUNE_CHUNK", "150", 1); /* more moments */
    own_server_start();
    chaos.scene = scene_open("chaos");
    *state = chaos.scene;
    return 0;
}

static int close_scene(void **state)
{
    if (chaos.osc)
        (void)kill(chaos.osc, SIGKILL);
    if (chaos.sleeper)
        (void)kill(chaos.sleeper, SIGKILL);
    if (chaos.traffic)
        traffic_report_free(traffic_stop(chaos.traffic));
    scene_close(*state);
    own_server_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_lost_in_chaos, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
