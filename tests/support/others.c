#include "tests/support/others.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "osc/base/clock.h"
#include "tests/unit/unit.h"

enum {
    LOCK_MS = 500,   /* --lock-timeout as it is when nothing is said */
    MARGIN_MS = 500, /* for a machine that does other things, too */
    PATIENCE_MS = 20000,
};

struct link arrives(const struct scene *s)
{
    const struct link_settings settings = {.dsn = s->dsn, .statement_timeout_ms = 60000};
    struct link link;

    if (!link_open(&link, &settings))
        fail_msg("%s", link.text);
    return link;
}

void does(struct link *link, const char *sql)
{
    if (link_run(link, sql) != REPLY_OK)
        fail_msg("%s: %s", sql, link->text);
}

/* Somebody who writes a row and then thinks about it. */
struct link begins_to_write(const struct scene *s)
{
    struct link link = arrives(s);

    does(&link, "BEGIN");
    does(&link, "UPDATE t SET v = v + 1000 WHERE id = 1");
    return link;
}

static void *is_busy(void *argument)
{
    struct busy *busy = argument;

    busy->reply = link_run(&busy->link, busy->sql);
    return NULL;
}

void starts(struct busy *busy, struct link link, const char *sql)
{
    *busy = (struct busy){.link = link, .sql = sql};
    assert_int_equal(pthread_create(&busy->thread, NULL, is_busy, busy), 0);
}

enum reply ends(struct busy *busy)
{
    (void)pthread_join(busy->thread, NULL);
    return busy->reply;
}

/* ---- the application: single writes, the longest of which counts ---- */

static void *write_on_and_on(void *argument)
{
    struct application *app = argument;
    const struct timespec pause = {.tv_nsec = 3000000};
    char sql[80];

    while (!atomic_load(&app->ends) && !app->failed) {
        (void)snprintf(sql, sizeof sql, "UPDATE t SET v = v + 1 WHERE id = %d",
                       (int)(2 + app->writes % (OTHERS_ROWS - 2)));
        const uint64_t began = clock_ms();
        app->failed = link_run(&app->link, sql) != REPLY_OK;
        const uint64_t took = clock_ms() - began;
        if (took > app->longest_ms)
            app->longest_ms = took;
        app->writes++;
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

void writes_go_on(struct application *app, const struct scene *s)
{
    *app = (struct application){.link = arrives(s)};
    assert_int_equal(pthread_create(&app->thread, NULL, write_on_and_on, app), 0);
}

void nobody_waited_long(struct application *app)
{
    atomic_store(&app->ends, true);
    (void)pthread_join(app->thread, NULL);
    print_message("%lu writes, the longest took %lu ms\n", (unsigned long)app->writes,
                  (unsigned long)app->longest_ms);
    if (app->failed)
        fail_msg("a write failed: %s", app->link.text);
    assert_true(app->longest_ms < LOCK_MS + MARGIN_MS);
    link_close(&app->link);
}

/* ---- osc ---- */

/* Until osc has said so. */
void awaits(const struct scene *s, pid_t osc, const char *words)
{
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    const struct timespec pause = {.tv_nsec = 10000000};
    char path[300], said[20000];

    (void)snprintf(path, sizeof path, "%s/%d.err", s->directory, (int)osc);
    do {
        FILE *file = fopen(path, "r");
        const size_t n = file ? fread(said, 1, sizeof said - 1, file) : 0;
        said[n] = 0;
        if (file)
            (void)fclose(file);
        if (strstr(said, words))
            return;
        (void)nanosleep(&pause, NULL);
    } while (!deadline_passed(&until));
    fail_msg("osc does not say \"%s\" but: %s", words, said);
}

/* osc that has come to `step` and stands still there. */
pid_t comes_to(struct scene *s, const char *step, const char *timeout, const char *kill)
{
    scene_hold(s, step);
    const pid_t osc =
        scene_start(s, "alter", "t", "ADD COLUMN c int", "--threads=1", timeout, kill, NULL);
    scene_await(s, step);
    return osc;
}

bool has_column(struct scene *s)
{
    return scene_number(s,
                        "SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 't' "
                        "AND column_name = 'c' AND table_schema = '%s'",
                        s->schema) == 1;
}

void every_write_is_there(struct scene *s, const struct application *app)
{
    /* v was the id; the first row is the blocker's */
    assert_int_equal(scene_number(s, "SELECT SUM(v) - SUM(id) FROM t WHERE id > 1"),
                     (int)app->writes);
}

int others_open(void **state)
{
    struct scene *s = scene_open("blockers");
    AUTO(text) rows = TEXT_INIT;

    *state = s;
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    for (int i = 1; i <= OTHERS_ROWS; i++)
        text_printf(&rows, "%s(%d, %d)", i > 1 ? ", " : "", i, i);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
    return 0;
}

int others_close(void **state)
{
    scene_close(*state);
    return 0;
}
