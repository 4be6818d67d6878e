/*
 * The password of the DSN is told to nobody, whatever the DSN is made of.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/db/server.h"
#include "tests/support/scene.h"

#define SECRET "Gehe1m-%40%2Fx"
#define SECRET_DECODED "Gehe1m-@/x"
#define TELLTALE "Gehe1m"

static char secretive[32];

static int open_with_password(void **state)
{
    struct scene *s = scene_open("secrets");
    char dsn[600];

    *state = s;
    (void)snprintf(secretive, sizeof secretive, "osc_s%d", (int)getpid());
    if (s->is_postgres) {
        scene_sql(s, "CREATE ROLE %s LOGIN SUPERUSER PASSWORD '" SECRET_DECODED "'", secretive);
    } else {
        scene_sql(s, "CREATE USER %s IDENTIFIED BY '" SECRET_DECODED "'", secretive);
        scene_sql(s, "GRANT ALL ON *.* TO %s", secretive);
    }
    (void)snprintf(dsn, sizeof dsn, "%s://%s:%s@%s:%u/%s", s->is_postgres ? "postgres" : "mysql",
                   secretive, SECRET, s->parsed.host, s->parsed.port, s->parsed.database);
    memcpy(s->dsn, dsn, sizeof s->dsn);
    scene_sql(s, "CREATE TABLE t (id int PRIMARY KEY, v int)");
    scene_sql(s, "INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)");
    return 0;
}

static int close_with_password(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        scene_sql(s, "DROP OWNED BY %s CASCADE", secretive);
    scene_sql(s, "DROP %s %s", scene_pick(s, "ROLE", "USER"), secretive);
    scene_close(s);
    return 0;
}

static void assert_hides(const char *where, const char *text)
{
    if (strstr(text, TELLTALE))
        fail_msg("%s tells the password: %s", where, text);
}

static void assert_tells_nothing(struct outcome outcome)
{
    assert_hides("the output", outcome.out);
    assert_hides("the error output", outcome.err);
    outcome_free(&outcome);
}

/* Of a running process: "cmdline", "environ". */
static void assert_hidden_in(struct scene *s, const char *what, pid_t pid)
{
    const char *path = arena_printf(s->arena, "/proc/%d/%s", (int)pid, what);
    char line[65536];

    FILE *file = fopen(path, "r");
    assert_non_null(file);
    const size_t n = fread(line, 1, sizeof line - 1, file);
    (void)fclose(file);
    for (size_t i = 0; i < n; i++)
        if (!line[i])
            line[i] = ' ';
    line[n] = '\0';
    assert_true(n > 10);
    assert_hides(what, line);
}

static void assert_none_in(const char *bytes, size_t n)
{
    if (memmem(bytes, n, TELLTALE, strlen(TELLTALE)))
        fail_msg("the password is in the stack, where a core dump shows it beside the arguments");
}

/*
 * What a core dump shows first: the initial stack, with the command line and the environment
 * at its end.  What the client library keeps for itself is elsewhere.
 */
static void assert_hidden_in_stack(struct scene *s, pid_t pid)
{
    FILE *maps = fopen(arena_printf(s->arena, "/proc/%d/maps", (int)pid), "r");
    unsigned long from = 0, to = 0;
    char line[1000];

    assert_non_null(maps);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "[stack]"))
            assert_int_equal(sscanf(line, "%lx-%lx", &from, &to), 2);
    (void)fclose(maps);
    assert_true(to > from);
    FILE *memory = fopen(arena_printf(s->arena, "/proc/%d/mem", (int)pid), "r");
    assert_non_null(memory);
    char *stack = must_alloc(to - from);
    assert_int_equal(fseeko(memory, (off_t)from, SEEK_SET), 0);
    assert_int_equal(fread(stack, 1, to - from, memory), to - from);
    (void)fclose(memory);
    assert_non_null(memmem(stack, to - from, "--verbose", 9)); /* it is the right place */
    assert_none_in(stack, to - from);
    free(stack);
}

static void assert_hidden_on_server(struct scene *s)
{
    /* What others run may be in characters that one of the two lists cannot show. */
    const char *processes = db_facts(s->db)->lists_processes_well
                                ? "SELECT GROUP_CONCAT(COALESCE(info, '')) FROM "
                                  "performance_schema.processlist WHERE id <> CONNECTION_ID()"
                                : "SELECT GROUP_CONCAT(COALESCE(info, '')) FROM "
                                  "information_schema.processlist WHERE id <> CONNECTION_ID()";

    assert_hides("the state table", scene_value(s, "%s",
                                                scene_pick(s,
                                                           "SELECT string_agg(s::text, ' ') FROM "
                                                           "osc_state s",
                                                           "SELECT GROUP_CONCAT(options, progress, "
                                                           "error, deferred) FROM osc_state")));
    assert_hides("the process list",
                 scene_value(s, "%s",
                             scene_pick(s,
                                        "SELECT string_agg(concat(application_name, query), ' ') "
                                        "FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
                                        processes)));
}

static void the_password_is_told_to_nobody(void **state)
{
    struct scene *s = *state;

    (void)setenv("OSC_DSN", s->dsn, 1);
    scene_hold(s, "before-lock");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN w int", "--verbose", NULL);
    scene_await(s, "before-lock");
    assert_hidden_in(s, "cmdline", osc);
    assert_hidden_in(s, "environ", osc);
    assert_hidden_in_stack(s, osc);
    (void)unsetenv("OSC_DSN");
    assert_hidden_on_server(s);
    scene_release(s, "before-lock");
    struct outcome outcome = scene_wait(s, osc);
    assert_int_equal(outcome.status, 0);
    assert_tells_nothing(outcome);
    assert_hidden_on_server(s);
    assert_tells_nothing(scene_osc(s, "plan", "t", "ADD COLUMN z int", "--json", NULL));
    assert_tells_nothing(scene_osc(s, "status", "--json", NULL));
    assert_tells_nothing(scene_osc(s, "history", "--verbose", NULL));
    assert_tells_nothing(scene_osc(s, "alter", "t", "nonsense", "--json", NULL));
    assert_tells_nothing(scene_osc(s, "resume", s->dsn, NULL));
    assert_tells_nothing(scene_osc(s, s->dsn, NULL));
    assert_tells_nothing(scene_osc(s, "alter", s->dsn, "ADD x int", NULL));
    assert_tells_nothing(scene_osc(s, "status", "--theads=3", NULL));
}

/* Each is refused, or does not do what it is made for; none tells the password. */
static void malicious_dsns_do_no_harm(void **state)
{
    static const char *const endings[] = {
        "?options=-c%20search_path%3Dpublic",
        "?dbname=postgres%3A%2F%2Fevil",
        "?host=%00",
        "?password=" SECRET "&passwd=" SECRET,
        "?init-command=DROP%20TABLE%20t",
        "?%ff=1",
        "?local-infile=1",
        "?application_name=x'%3BDROP%20TABLE%20t",
        "?user='%3BDROP%20TABLE%20t",
        "?pwd=" SECRET,
        "?sslpassword=" SECRET "&=",
        "@" SECRET,
        "/" SECRET "@x",
        "?" SECRET "=1",
        "?replication=database",
        "?client_encoding=sql_ascii",
        "?options=-c%20default_transaction_read_only%3Don",
        "?plugin-dir=/tmp",
        "?defaults-file=/etc/shadow",
    };
    struct scene *s = *state;
    char dsn[600];

    memcpy(dsn, s->dsn, sizeof dsn);
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        (void)snprintf(s->dsn, sizeof s->dsn, "%.400s%s", dsn, endings[i]);
        assert_tells_nothing(scene_osc(s, "plan", "t", "ADD COLUMN w int", NULL));
    }
    memcpy(s->dsn, dsn, sizeof dsn);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM t"), 3);
}

/* As if the DSN ended so; `words` are in what osc says. */
static void assert_connects(struct scene *s, const char *ending, int status, const char *words)
{
    char dsn[600];

    memcpy(dsn, s->dsn, sizeof dsn);
    (void)snprintf(s->dsn, sizeof s->dsn, "%.200s%.390s", dsn, ending);
    assert_says(scene_osc(s, "status", NULL), status, words);
    memcpy(s->dsn, dsn, sizeof s->dsn);
}

/* libpq has words of its own for this. */
static void tls_is_as_the_dsn_wants_it_or_there_is_no_connection(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres)
        skip();
    const char *data = scene_value(s, "SELECT @@datadir");
    const char *ca = arena_printf(s->arena, "%sca.pem", data);
    const char *file = arena_printf(s->arena, "/tmp/osc_tls_%d.cnf", (int)getpid());
    assert_connects(s, "?ssl-mode=MAYBE", 2, "ssl-mode is DISABLED, PREFERRED, REQUIRED");
    if (access(ca, R_OK) != 0) { /* MariaDB makes none by itself */
        assert_connects(s, "?ssl-mode=REQUIRED", 3, "the server offers no TLS");
        return;
    }
    assert_connects(s, "?ssl-ca=/nowhere/ca.pem", 3, "TLS");
    assert_connects(s,
                    arena_printf(s->arena,
                                 "?ssl-mode=REQUIRED&ssl-ca=%s&ssl-cert=%sclient-cert.pem"
                                 "&ssl-key=%sclient-key.pem",
                                 ca, data, data),
                    0, "");
    FILE *options = fopen(file, "w");
    assert_non_null(options);
    assert_true(fprintf(options, "[client]\nssl-ca=%s\n", ca) > 0);
    assert_int_equal(fclose(options), 0);
    assert_connects(
        s,
        arena_printf(s->arena, "?ssl-mode=REQUIRED&ssl-ca=/nowhere/ca.pem&defaults-file=%s", file),
        2, "an option file contradicts the TLS options of the DSN");
    assert_int_equal(unlink(file), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_password_is_told_to_nobody, open_with_password,
                                        close_with_password),
        cmocka_unit_test_setup_teardown(malicious_dsns_do_no_harm, open_with_password,
                                        close_with_password),
        cmocka_unit_test_setup_teardown(tls_is_as_the_dsn_wants_it_or_there_is_no_connection,
                                        open_with_password, close_with_password),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
