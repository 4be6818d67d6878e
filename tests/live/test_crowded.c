/*
 * Others have taken every connection that the server grants: osc does not begin, or
 * waits for one and goes on, and nothing is lost.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "tests/support/fleet.h"
#include "tests/support/own_server.h"
#include "tests/support/traffic_link.h"

enum { MOST = 200 };

static int open_scene(void **state)
{
    own_server_start();
    *state = scene_open("crowded");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    own_server_stop();
    return 0;
}

struct crowd {
    struct link links[MOST];
    size_t n;
};

/* Until not even an administrator gets in. */
static void everybody_comes(struct crowd *crowd, const struct scene *s)
{
    const struct link_settings settings = {.dsn = s->dsn, .statement_timeout_ms = 60000};

    for (crowd->n = 0; link_open(&crowd->links[crowd->n], &settings); crowd->n++)
        assert_true(crowd->n < MOST - 1);
}

static void everybody_leaves(struct crowd *crowd)
{
    while (crowd->n)
        link_close(&crowd->links[--crowd->n]);
}

static void it_does_not_begin(void **state)
{
    static struct crowd crowd;
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY)");
    everybody_comes(&crowd, s);
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN c int", NULL), 1, "fewer clients");
    everybody_leaves(&crowd);
    assert_nothing_left(s, false);
    assert_false(scene_try_sql(s, "SELECT 1 FROM osc_state"));
}

/* From each of them on it wants another connection. */
static const char *const moments[] = {"copy", "indexes", "catch-up", "verify", "cutover", NULL};

static void it_waits_for_a_connection(void **state)
{
    static struct crowd crowd;
    struct scene *s = *state;

    struct fleet *fleet = fleet_start(s, &(struct fleet_wish){.steps = moments});
    everybody_comes(&crowd, s);
    fleet_release(fleet);
    fleet_await_words(fleet, scene_pick(s, "too many clients", "Too many connections"));
    everybody_leaves(&crowd);
    fleet_wait(fleet, 0, "");
    fleet_all_done(fleet);
    fleet_settle(fleet);
}

/* The server says it in other words than for all of its connections. */
static void a_limit_of_the_role_is_understood(void **state)
{
    struct scene *s = *state;
    struct link link;

    if (!s->is_postgres)
        skip();
    scene_sql(s, "CREATE ROLE few LOGIN CONNECTION LIMIT 1");
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY)");
    const char *dsn = s->dsn;
    struct scene theirs = *s;
    const char *at = strchr(dsn, '@');
    (void)snprintf(theirs.dsn, sizeof theirs.dsn, "postgres://few%s", at);
    const struct link_settings settings = {.dsn = theirs.dsn, .statement_timeout_ms = 60000};
    assert_true(link_open(&link, &settings));
    assert_says(scene_osc(&theirs, "alter", "t", "ADD COLUMN c int", NULL), 1, "fewer clients");
    link_close(&link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_does_not_begin, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(it_waits_for_a_connection, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_limit_of_the_role_is_understood, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
