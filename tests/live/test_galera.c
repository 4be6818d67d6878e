/*
 * A node of a Galera cluster, of which the server here is the only one: it is
 * refused and left as it was, and the signal of its flow control is understood.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/cancel.h"
#include "osc/base/clock.h"
#include "osc/db/dialect.h"
#include "osc/db/throttle_signals.h"
#include "tests/support/own_server.h"

static const char reason[] =
    "the server is a node of a Galera cluster: table locks hold on one node only";

enum { PATIENCE_MS = 20000 };

static struct scene *scene;

/* Without the library of the package galera-4 the lab starts no such server, and this fails. */
static int open_cluster(void **state UNUSED)
{
    const char *server = getenv("OSC_TEST_SERVER");

    if (!server || strncmp(server, "mariadb", 7) != 0)
        return 0;
    (void)setenv("LAB_GALERA", "1", 1);
    own_server_start();
    (void)unsetenv("LAB_GALERA");
    scene = scene_open("galera");
    scene_sql(scene, "CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL)");
    scene_sql(scene, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    return 0;
}

static int close_cluster(void **state UNUSED)
{
    if (!scene)
        return 0;
    scene_close(scene);
    own_server_stop();
    return 0;
}

static struct scene *node_or_skip(void)
{
    if (!scene) {
        print_message("only MariaDB has Galera here\n");
        skip();
    }
    return scene;
}

/* So that the others are about a real one. */
static void the_server_is_a_node_that_works(void **state UNUSED)
{
    struct scene *s = node_or_skip();

    assert_string_equal(scene_value(s, "SELECT VARIABLE_VALUE FROM "
                                       "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = "
                                       "'WSREP_LOCAL_STATE_COMMENT'"),
                        "Synced");
    assert_int_equal(scene_number(s, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
                                     "WHERE VARIABLE_NAME = 'WSREP_CLUSTER_SIZE'"),
                     1);
}

static void assert_untouched(struct scene *s)
{
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM information_schema.TABLES WHERE "
                                     "TABLE_SCHEMA = DATABASE()"),
                     1);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE "
                                     "TRIGGER_SCHEMA = DATABASE()"),
                     0);
    assert_int_equal(scene_number(s, "SELECT SUM(v) FROM t"), 6);
}

static void a_node_is_refused_and_left_as_it_was(void **state UNUSED)
{
    struct scene *s = node_or_skip();
    struct outcome plan = scene_osc(s, "plan", "t", "ADD COLUMN c int", NULL);

    if (!strstr(plan.out, reason))
        fail_msg("osc plan does not say so:\n%s%s", plan.out, plan.err);
    assert_exit(plan, 3);
    assert_untouched(s);
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 3, reason);
    assert_untouched(s);
}

/* ---- the signal ---- */

static const struct signal *flow_control(void)
{
    const struct signal *row = mysql_signals;

    while (row->name && strcmp(row->name, "flow control") != 0)
        row++;
    assert_non_null(row->name);
    return row;
}

static void its_question_is_answered_by_a_number(void **state UNUSED)
{
    struct scene *s = node_or_skip();
    const char *answer = scene_value(s, "%s", flow_control()->questions[0]);

    if (!*answer || strspn(answer, "0123456789") != strlen(answer))
        fail_msg("it says \"%s\"", answer);
}

static void has_looked(void *owner, bool some_are_late)
{
    (void)owner, (void)some_are_late;
}

static const struct progress_signal *shown_of(const struct progress *progress)
{
    for (size_t i = 0; i < MOST_SIGNALS; i++) {
        const char *name = atomic_load(&progress->signals[i].name);
        if (name && strcmp(name, "flow control") == 0)
            return &progress->signals[i];
    }
    return NULL;
}

struct watch {
    struct signals *signals;
    struct cancel *cancel;
};

static void *watch(void *argument)
{
    const struct watch *watched = argument;
    const struct signals_listener listener = {.first_look = has_looked};

    signals_watch(watched->signals, watched->cancel, &listener);
    return NULL;
}

/* A rate is known when it was read twice; here nobody waits for another node. */
static void it_is_read_and_holds_nothing_back(void **state UNUSED)
{
    struct scene *s = node_or_skip();
    const struct deadline until = deadline_in_ms(PATIENCE_MS);
    const struct limits limits = {.flow_control = 10};
    struct progress progress = {.replicas_sought = true};
    const struct signals_job job = {&s->parsed, &limits, &progress, NULL};
    const struct watch watched = {signals_new(&job), cancel_new(NULL)};
    const char *why = "";
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, watch, (void *)&watched), 0);
    while (!shown_of(&progress) && !deadline_passed(&until))
        (void)cancel_sleep_ms(NULL, 20);
    cancel_set(watched.cancel);
    (void)pthread_join(thread, NULL);
    const struct progress_signal *shown = shown_of(&progress);
    assert_non_null(shown);
    assert_false(atomic_load(&shown->is_unknown));
    assert_int_equal(signals_strain(watched.signals, false, &why), 0);
    signals_free(watched.signals);
    cancel_free(watched.cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_server_is_a_node_that_works),
        cmocka_unit_test(a_node_is_refused_and_left_as_it_was),
        cmocka_unit_test(its_question_is_answered_by_a_number),
        cmocka_unit_test(it_is_read_and_holds_nothing_back),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, open_cluster, close_cluster);
}
