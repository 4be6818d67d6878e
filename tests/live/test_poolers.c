/*
 * Poolers and proxies that hand a client's statements to whatever connection is
 * free: osc's locks and settings would be other people's.  They are found out at once.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/others.h"
#include "tests/support/pooler.h"
#include "tests/support/proxy.h"

static int open_scene(void **state)
{
    struct scene *s = scene_open("poolers");

    *state = s;
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int)");
    scene_sql(s, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    return 0;
}

static int close_scene(void **state)
{
    pooler_stop(*state);
    scene_close(*state);
    return 0;
}

static void assert_no_trace(struct scene *s)
{
    assert_nothing_left(s, false);
    assert_int_equal(scene_number(s,
                                  "SELECT COUNT(*) FROM information_schema.tables WHERE "
                                  "table_schema = '%s'",
                                  s->schema),
                     1);
}

/* ---- PostgreSQL: a real pgbouncer ---- */

static void refuses_to_share(struct scene *s, const char *mode)
{
    const char *const commands[] = {"plan", "alter"};

    pooler_start(s, mode);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        assert_says(scene_osc(s, commands[i], "public.t", "ADD COLUMN w int", NULL), 3,
                    "shares its connections among clients");
    pooler_stop(s);
    assert_no_trace(s);
}

static void pooled_transactions_are_refused(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        refuses_to_share(s, "transaction");
}

static void pooled_statements_are_refused(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        refuses_to_share(s, "statement");
}

static void pooled_sessions_are_good(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    pooler_start(s, "session");
    assert_exit(scene_osc(s, "alter", "public.t", "ADD COLUMN w int", "--after=drop", NULL), 0);
    pooler_stop(s);
    assert_nothing_left(s, false);
    assert_int_equal(scene_number(s, "SELECT COUNT(w) + COUNT(*) FROM t"), 3);
}

/* What somebody else finds in the connections of a pool that osc has looked at. */
static void a_look_leaves_no_settings_behind(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        return;
    pooler_start(s, "transaction");
    assert_exit(scene_osc(s, "plan", "public.t", "ADD COLUMN w int", NULL), 3);
    struct link somebody = arrives(s);
    does(&somebody, "SELECT 1 / (current_setting('search_path') = '\"$user\", public')::int");
    does(&somebody, "SELECT 1 / (current_setting('row_security') = 'on')::int");
    link_close(&somebody);
    pooler_stop(s);
}

/* ---- the MySQL family: a proxy with connections of its own ---- */

static void another_id_is_refused(void **state)
{
    struct scene *s = *state;
    const char *const commands[] = {"plan", "alter"};
    char direct[sizeof s->dsn];

    if (s->is_postgres)
        return;
    struct proxy *proxy = proxy_start(s->parsed.port);
    assert_non_null(proxy);
    proxy_rename_connections(proxy);
    memcpy(direct, s->dsn, sizeof direct);
    (void)snprintf(s->dsn, sizeof s->dsn, "mysql://%s@127.0.0.1:%u/%s?ssl-mode=DISABLED",
                   s->parsed.user, proxy_port(proxy), s->parsed.database);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        assert_says(scene_osc(s, commands[i], "t", "ADD COLUMN w int", NULL), 3,
                    "a proxy stands between us and the server");
    proxy_stop(proxy);
    memcpy(s->dsn, direct, sizeof direct);
    assert_no_trace(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pooled_transactions_are_refused, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(pooled_statements_are_refused, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(pooled_sessions_are_good, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(a_look_leaves_no_settings_behind, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(another_id_is_refused, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
