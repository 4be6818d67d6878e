/*
 * Statements that the application has prepared, before, while and after the
 * triggers were made: whenever they are run, what they write is captured.
 */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/support/scene.h"

enum { CLIENTS = 4, KEPT = 300, ROUNDS = 4 };

/* Prepares all the time.  Only the latest statements are kept, each writes a row of its own. */
struct client {
    struct db *db;
    bool is_postgres;
    pthread_t thread;
    atomic_bool is_enough;
    unsigned first_row, prepared;
    struct error err;
};

static struct client clients[CLIENTS];

static void stop_preparing(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (!atomic_exchange(&clients[i].is_enough, true))
            (void)pthread_join(clients[i].thread, NULL);
}

static void close_clients(void)
{
    stop_preparing();
    for (size_t i = 0; i < CLIENTS; i++)
        db_close(clients[i].db);
    memset(clients, 0, sizeof clients);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i].is_enough = true;
}

static int open_scene(void **state)
{
    (void)setenv("OSC_TUNE_CHUNK", "500", 1);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i].is_enough = true;
    *state = scene_open("prepared");
    return 0;
}

static int close_scene(void **state)
{
    close_clients();
    scene_close(*state);
    return 0;
}

static bool forget(struct client *client, unsigned slot)
{
    char statement[60];

    (void)snprintf(statement, sizeof statement, "DEALLOCATE PREPARE s%u", slot);
    return db_exec(client->db, statement, NULL, &client->err);
}

/* A row is deleted, changed or added: each has a trigger of its own. */
static bool prepare(struct client *client, unsigned slot)
{
    const unsigned row = client->first_row + slot;
    const char *open = client->is_postgres ? "AS" : "FROM '", *end = client->is_postgres ? "" : "'";
    char statement[120];

    switch (slot % 3) {
    case 0:
        (void)snprintf(statement, sizeof statement, "PREPARE s%u %s DELETE FROM t WHERE id = %u%s",
                       slot, open, row, end);
        break;
    case 1:
        (void)snprintf(statement, sizeof statement,
                       "PREPARE s%u %s UPDATE t SET v = v + 1 WHERE id = %u%s", slot, open, row,
                       end);
        break;
    default:
        (void)snprintf(statement, sizeof statement,
                       "PREPARE s%u %s INSERT INTO t VALUES (-%u, 1)%s", slot, open, row, end);
    }
    return db_exec(client->db, statement, NULL, &client->err);
}

static void *go_on_preparing(void *argument)
{
    struct client *client = argument;
    bool good = true;

    while (good && !atomic_load(&client->is_enough)) {
        const unsigned slot = client->prepared++ % KEPT;
        good = (client->prepared <= KEPT || forget(client, slot)) && prepare(client, slot);
    }
    return NULL;
}

static void start_clients(struct scene *s)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];
        *client = (struct client){
            .db = db_open(&s->parsed, "application", &client->err),
            .is_postgres = s->is_postgres,
            .first_row = 1 + i * KEPT,
        };
        if (!client->db || (s->is_postgres &&
                            !db_exec(client->db, "SET search_path = public", NULL, &client->err)))
            fail_msg("%s", client->err.text);
        assert_int_equal(pthread_create(&client->thread, NULL, go_on_preparing, client), 0);
    }
}

/* What every client has prepared is run, once. */
static void run_all(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];
        for (unsigned slot = 0; slot < KEPT && slot < client->prepared; slot++) {
            char statement[60];
            (void)snprintf(statement, sizeof statement, "EXECUTE s%u", slot);
            (void)!(client->err.kind == ERROR_NONE &&
                    db_exec(client->db, statement, NULL, &client->err));
        }
        if (client->err.kind != ERROR_NONE)
            fail_msg("the application saw an error: %s", client->err.text);
    }
}

static void make_t(struct scene *s)
{
    AUTO(text) rows = TEXT_INIT;

    scene_sql(s, "CREATE TABLE t (id bigint PRIMARY KEY, v int NOT NULL)");
    for (int i = 1; i <= CLIENTS * KEPT; i++)
        text_printf(&rows, "%s(%d, %d)", i > 1 ? ", " : "", i, i * 2);
    scene_sql(s, "INSERT INTO t VALUES %s", rows.bytes);
}

static const char *picture(struct scene *s)
{
    return scene_value(s, "SELECT CONCAT(COUNT(*), ' ', SUM(id), ' ', SUM(v)) FROM t");
}

static void what_was_prepared_while_the_triggers_were_made_is_captured(void **state)
{
    struct scene *s = *state;

    for (unsigned round = 0; round < ROUNDS; round++) {
        make_t(s);
        scene_hold(s, "copy");
        scene_hold(s, "before-indexes");
        start_clients(s);
        const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN c int", "--after=drop", NULL);
        scene_await(s, "copy");
        stop_preparing();
        scene_release(s, "copy");
        scene_await(s, "before-indexes"); /* every row is copied */
        run_all();
        const char *before = picture(s);
        scene_release(s, "before-indexes");
        assert_exit(scene_wait(s, osc), 0);
        assert_string_equal(picture(s), before);
        close_clients();
        scene_sql(s, "DROP TABLE t");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_prepared_while_the_triggers_were_made_is_captured,
                                        open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
