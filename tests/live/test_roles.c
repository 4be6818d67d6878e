/*
 * The user of the README: the grants are read from there, every command works
 * with them, and each one that is left out is named before anything changes.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/scene.h"

static char superuser[600]; /* the scene's own DSN */
static char user[32], owner[32], reader[32];

/* ---- the README ---- */

static const char *server_name(const struct scene *s)
{
    return s->is_postgres                                          ? "PostgreSQL"
           : strncmp(getenv("OSC_TEST_SERVER"), "mariadb", 7) == 0 ? "MariaDB"
                                                                   : "MySQL";
}

static char *read_readme(struct scene *s)
{
    AUTO(text) text = TEXT_INIT;
    char buffer[4096];
    size_t n;
    FILE *file = fopen(README, "r");

    assert_non_null(file);
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(&text, buffer, n);
    (void)fclose(file);
    return arena_string(s->arena, text.bytes);
}

/* Every `word` that stands for itself becomes `other`. */
static const char *put(struct scene *s, const char *text, const char *word, const char *other)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    AUTO(text) out = TEXT_INIT;
    const size_t length = strlen(word);

    for (const char *at = text; *at; at++) {
        if (strncmp(at, word, length) == 0 && !strchr(letters, at[length]) &&
            (at == text || !strchr(letters, at[-1]))) {
            text_add(&out, other);
            at += length - 1;
        } else {
            text_add_bytes(&out, at, 1);
        }
    }
    return arena_string(s->arena, out.bytes);
}

struct grant {
    const char *what;    /* "SELECT"; of PostgreSQL's roles the role */
    const char *where;   /* "ON shop.* " or "" */
    const char *to;      /* who has it */
    bool can_be_without; /* the README says so */
};

struct readme {
    const char *others[4]; /* statements that grant nothing */
    struct grant grants[20];
    size_t n_others, n_grants;
};

static void read_grants(struct scene *s, struct readme *readme, char *statement,
                        bool can_be_without)
{
    char *to = strstr(statement, " TO ");
    char *list = statement + strlen("GRANT ");
    char *on = strstr(statement, " ON ");

    assert_non_null(to);
    to[0] = '\0';
    if (on)
        on[0] = '\0';
    const char *where = on ? arena_printf(s->arena, "ON %s ", on + strlen(" ON ")) : "";
    for (char *one; (one = strsep(&list, ","));) {
        assert_true(readme->n_grants < ARRAY_SIZE(readme->grants));
        readme->grants[readme->n_grants++] = (struct grant){.what = one + strspn(one, " "),
                                                            .where = where,
                                                            .to = to + strlen(" TO "),
                                                            .can_be_without = can_be_without};
    }
}

static struct readme read_rights(struct scene *s)
{
    struct readme readme = {.n_grants = 0};
    char *text = read_readme(s);
    char *block = strstr(text, arena_printf(s->arena, "-- %s\n", server_name(s)));

    assert_non_null(block);
    char *end = strstr(block, "```");
    assert_non_null(end);
    *end = '\0';
    const char *mine =
        put(s, put(s, put(s, block, "osc", user), "shop_owner", owner), "shop", s->parsed.database);
    char *rest = arena_string(s->arena, mine);
    strsep(&rest, "\n");
    for (char *line; (line = strsep(&rest, "\n"));) {
        const bool can_be_without = strstr(line, "can be done without");
        line[strcspn(line, ";")] = '\0';
        if (strncmp(line, "GRANT ", 6) == 0)
            read_grants(s, &readme, line, can_be_without);
        else if (*line)
            readme.others[readme.n_others++] = line;
    }
    assert_true(readme.n_grants > 3);
    return readme;
}

static void give(struct scene *s, const struct grant *g)
{
    scene_sql(s, "GRANT %s %sTO %s", g->what, g->where, g->to);
}

static void take(struct scene *s, const struct grant *g)
{
    scene_sql(s, "REVOKE %s %sFROM %s", g->what, g->where, g->to);
}

/* ---- the scene ---- */

static int open_scene(void **state)
{
    struct scene *s = scene_open("roles");

    (void)snprintf(user, sizeof user, "osc_u%d", (int)getpid());
    (void)snprintf(owner, sizeof owner, "osc_o%d", (int)getpid());
    (void)snprintf(reader, sizeof reader, "osc_r%d", (int)getpid());
    memcpy(superuser, s->dsn, sizeof superuser);
    *state = s;
    return 0;
}

/* From now on osc connects as the README's user. */
static void become_user(struct scene *s)
{
    (void)snprintf(s->dsn, sizeof s->dsn, "%s://%s:secret@%s:%u/%s",
                   s->is_postgres ? "postgres" : "mysql", user, s->parsed.host, s->parsed.port,
                   s->parsed.database);
}

/* A table of somebody else, and a database that gives nothing to everybody. */
static struct readme make_user(struct scene *s)
{
    const struct readme readme = read_rights(s);

    if (s->is_postgres) {
        scene_sql(s, "CREATE ROLE %s", owner);
        scene_sql(s, "CREATE ROLE %s LOGIN", reader);
        scene_sql(s, "REVOKE ALL ON SCHEMA public FROM PUBLIC");
        scene_sql(s, "REVOKE ALL ON DATABASE %s FROM PUBLIC", s->parsed.database);
    }
    scene_sql(s, "CREATE TABLE t (id %s PRIMARY KEY, v varchar(20), CONSTRAINT c CHECK (v <> ''))",
              scene_pick(s, "serial", "int AUTO_INCREMENT"));
    scene_sql(s, "CREATE INDEX t_v ON t (v)");
    scene_sql(s, "INSERT INTO t (v) VALUES ('a'), ('b')");
    if (s->is_postgres)
        scene_sql(s, "ALTER TABLE t OWNER TO %s", owner);
    for (size_t i = 0; i < readme.n_others; i++)
        scene_sql(s, "%s", readme.others[i]);
    for (size_t i = 0; i < readme.n_grants; i++)
        give(s, &readme.grants[i]);
    become_user(s);
    return readme;
}

static int close_scene(void **state)
{
    struct scene *s = *state;

    memcpy(s->dsn, superuser, sizeof superuser);
    if (s->is_postgres) {
        scene_sql(s, "DROP OWNED BY %s, %s, %s CASCADE", user, owner, reader);
        scene_sql(s, "DROP ROLE %s, %s, %s", user, owner, reader);
    } else {
        scene_sql(s, "DROP USER %s", user);
        scene_sql(s, "SET GLOBAL log_bin_trust_function_creators = 0");
    }
    scene_close(s);
    return 0;
}

/* ---- the tests ---- */

static void every_command_works(void **state)
{
    struct scene *s = *state;

    (void)make_user(s);
    assert_exit(scene_osc(s, "plan", "t", "ADD COLUMN w int, ADD UNIQUE (v)", NULL), 0);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN w int, ADD UNIQUE (v)", NULL), 0);
    assert_exit(scene_osc(s, "status", NULL), 0);
    assert_exit(scene_osc(s, "verify", "t", "t_osc_old", NULL), 0);
    assert_exit(scene_osc(s, "finish", "1", NULL), 0);

    scene_kill_at(s, "catch-up");
    assert_exit(scene_osc(s, "alter", "t", "DROP COLUMN w", NULL), 128 + 9);
    scene_release(s, "catch-up");
    assert_exit(scene_osc(s, "verify", "t", NULL), 0);
    assert_exit(scene_osc(s, "resume", NULL), 0);
    assert_exit(scene_osc(s, "finish", "2", NULL), 0);

    scene_kill_at(s, "before-lock");
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN x int", NULL), 128 + 9);
    scene_release(s, "before-lock");
    assert_exit(scene_osc(s, "abort", NULL), 0);
    assert_exit(scene_osc(s, "history", NULL), 0);
    assert_nothing_left(s, false);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), 2);
}

static void assert_warned(struct outcome outcome, const char *words)
{
    if (outcome.status != 0 || !strstr(outcome.out, words))
        fail_msg("osc plan ended with %d, or did not warn of \"%s\":\n%s\n%s", outcome.status,
                 words, outcome.out, outcome.err);
    outcome_free(&outcome);
}

static void each_missing_grant_is_named(void **state)
{
    struct scene *s = *state;
    const struct readme readme = make_user(s);
    const char *table = scene_pick(s, "public.t", "t");

    if (s->is_postgres) /* one whose sessions we do not see otherwise */
        scene_sql(s, "GRANT SELECT ON t TO %s", reader);
    for (size_t i = 0; i < readme.n_grants; i++) {
        const struct grant *g = &readme.grants[i];
        const bool is_of_schema = strncmp(g->where, "ON performance_schema", 21) == 0;
        const char *words = is_of_schema ? "performance_schema" : g->what;
        take(s, g);
        if (g->can_be_without)
            assert_warned(scene_osc(s, "plan", table, "ADD COLUMN x int", NULL), words);
        else
            assert_says(scene_osc(s, "alter", table, "ADD COLUMN x int", NULL), 3, words);
        assert_nothing_left(s, false);
        give(s, g);
    }
    assert_exit(scene_osc(s, "plan", table, "ADD COLUMN x int", NULL), 0);
}

static void the_binary_log_needs_trust(void **state)
{
    struct scene *s = *state;

    (void)make_user(s);
    if (s->is_postgres || scene_number(s, "SELECT @@log_bin") == 0)
        skip();
    scene_sql(s, "SET GLOBAL log_bin_trust_function_creators = 0");
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN x int", NULL), 3,
                "log_bin_trust_function_creators");
    assert_nothing_left(s, false);
}

/* Some servers give rights only while a role is active; half of the lock view is none. */
static void rights_of_a_role_count(void **state)
{
    struct scene *s = *state;
    const struct readme readme = make_user(s);

    if (s->is_postgres)
        skip();
    scene_sql(s, "DROP ROLE IF EXISTS %s", owner);
    scene_sql(s, "CREATE ROLE %s", owner);
    for (size_t i = 0; i < readme.n_grants; i++) {
        take(s, &readme.grants[i]);
        scene_sql(s, "GRANT %s %sTO %s", readme.grants[i].what, readme.grants[i].where, owner);
    }
    scene_sql(s, "GRANT %s TO %s", owner, user);
    scene_sql(s, "SET DEFAULT ROLE %s %s %s", owner,
              strcmp(server_name(s), "MySQL") == 0 ? "TO" : "FOR", user);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN x int", "--after=drop", NULL), 0);
    scene_sql(s, "DROP ROLE %s", owner);
}

static void half_of_the_lock_view_is_none(void **state)
{
    struct scene *s = *state;

    (void)make_user(s);
    if (strcmp(server_name(s), "MySQL") != 0)
        skip();
    scene_sql(s, "REVOKE SELECT ON performance_schema.* FROM %s", user);
    scene_sql(s, "GRANT SELECT ON performance_schema.setup_instruments TO %s", user);
    scene_sql(s, "GRANT SELECT ON performance_schema.metadata_locks TO %s", user);
    assert_exit(scene_osc(s, "alter", "t", "ADD COLUMN x int", "--after=drop", NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_command_works, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(each_missing_grant_is_named, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(the_binary_log_needs_trust, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(rights_of_a_role_count, open_scene, close_scene),
        cmocka_unit_test_setup_teardown(half_of_the_lock_view_is_none, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
