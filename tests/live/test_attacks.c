/*
 * Somebody means harm: objects planted where osc looks for its own, and names
 * that are made to be SQL.  No code of theirs runs with osc's rights.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/scene.h"

static int open_scene(void **state)
{
    *state = scene_open("attacks");
    return 0;
}

static int close_scene(void **state)
{
    scene_close(*state);
    return 0;
}

static void make_t(struct scene *s)
{
    scene_sql(s, "CREATE TABLE t (id %s PRIMARY KEY, v varchar(20), n numeric(8, 2))",
              scene_pick(s, "varchar(20)", "varchar(20)"));
    scene_sql(s, "INSERT INTO t VALUES ('1', 'a', 1), ('2', 'b', 2), ('3', 'c', 3)");
}

/* ---- PostgreSQL: planted objects ---- */

static char attacker[32];

static int open_with_attacker(void **state)
{
    struct scene *s = scene_open("attacks");

    *state = s;
    if (!s->is_postgres)
        return 0;
    (void)snprintf(attacker, sizeof attacker, "osc_a%d", (int)getpid());
    scene_sql(s, "CREATE ROLE %s LOGIN", attacker);
    scene_sql(s, "GRANT USAGE, CREATE ON SCHEMA public TO %s", attacker);
    scene_sql(s, "CREATE TABLE loot (who text, how text)");
    scene_sql(s, "GRANT ALL ON loot TO PUBLIC");
    make_t(s);
    return 0;
}

static int close_with_attacker(void **state)
{
    struct scene *s = *state;

    if (s->is_postgres) {
        scene_sql(s, "RESET SESSION AUTHORIZATION");
        scene_sql(s, "DROP OWNED BY %s CASCADE", attacker);
        scene_sql(s, "DROP ROLE %s", attacker);
    }
    scene_close(s);
    return 0;
}

static void as_attacker(struct scene *s, const char *script)
{
    char *rest = arena_string(s->arena, script);

    scene_sql(s, "SET SESSION AUTHORIZATION %s", attacker);
    for (char *one; (one = strsep(&rest, "~"));)
        scene_sql(s, "%s", one);
    scene_sql(s, "RESET SESSION AUTHORIZATION");
}

static void assert_no_loot(struct scene *s)
{
    assert_string_equal(
        scene_value(s, "SELECT string_agg(DISTINCT how, ', ') FROM public.loot WHERE who <> '%s'",
                    attacker),
        "");
}

/* Functions that fit better than the server's own, and operators on them. */
static const char better_functions[] =
    "CREATE FUNCTION seen(how text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO public.loot VALUES (current_user, how); END $$ ~"
    "CREATE FUNCTION differs(a text, b text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('text <>'); RETURN a OPERATOR(pg_catalog.<>) b; END $$ ~"
    "CREATE FUNCTION same(a text, b text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('text ='); RETURN a OPERATOR(pg_catalog.=) b; END $$ ~"
    "CREATE FUNCTION same(a varchar, b varchar) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('varchar ='); RETURN a::text OPERATOR(pg_catalog.=) b::text; END $$ ~"
    "CREATE FUNCTION same_row(a record, b record) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('record *<>'); RETURN true; END $$ ~"
    "CREATE FUNCTION same_tid(a tid, b tid) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('tid ='); RETURN true; END $$ ~"
    "CREATE FUNCTION joined(a text, b text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('||'); RETURN pg_catalog.concat(a, b); END $$ ~"
    "CREATE FUNCTION lower(a text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('lower'); RETURN a; END $$ ~"
    "CREATE FUNCTION count(a text) RETURNS int8 LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('count'); RETURN 0; END $$ ~"
    "CREATE FUNCTION pg_backend_pid() RETURNS int LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('pid'); RETURN 1; END $$ ~"
    "CREATE FUNCTION format(a text, VARIADIC b text[]) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM public.seen('format'); RETURN ''; END $$ ~"
    "CREATE OPERATOR <> (LEFTARG = text, RIGHTARG = text, FUNCTION = differs) ~"
    "CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = same) ~"
    "CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = same) ~"
    "CREATE OPERATOR *<> (LEFTARG = record, RIGHTARG = record, FUNCTION = same_row) ~"
    "CREATE OPERATOR = (LEFTARG = tid, RIGHTARG = tid, FUNCTION = same_tid) ~"
    "CREATE OPERATOR || (LEFTARG = text, RIGHTARG = text, FUNCTION = joined)";

/* An application whose search path and temporary tables are the attacker's. */
static void write_as_attacker(struct scene *s)
{
    scene_sql(s, "GRANT ALL ON t TO %s", attacker);
    as_attacker(s, "SET search_path = public, pg_temp, pg_catalog ~"
                   "CREATE TEMPORARY TABLE t_osc_journal (k1 text) ~"
                   "CREATE TEMPORARY TABLE osc_state (k1 text) ~"
                   "INSERT INTO t VALUES ('4', 'd', 4) ~"
                   "UPDATE public.t SET id = 5 WHERE id = '1' ~"
                   "UPDATE public.t SET v = 'x' WHERE id = '2' ~"
                   "DELETE FROM public.t WHERE id = '3' ~"
                   "SET search_path = public");
    assert_int_equal(scene_number(s, "SELECT count(*)::int FROM pg_temp.t_osc_journal"), 0);
    scene_sql(s, "DROP TABLE pg_temp.t_osc_journal, pg_temp.osc_state");
}

static void better_functions_are_not_called(void **state)
{
    struct scene *s = *state;
    const char *const database = strrchr(s->dsn, '/') + 1;

    if (!s->is_postgres)
        skip();
    as_attacker(s, better_functions);
    scene_sql(s, "ALTER DATABASE %s SET search_path = public, pg_catalog", database);
    scene_sql(s, "DELETE FROM public.loot");
    scene_hold(s, "before-lock");
    const pid_t osc = scene_start(s, "alter", "public.t", "ADD COLUMN w int, ALTER v TYPE text",
                                  "--after=drop", NULL);
    scene_await(s, "before-lock");
    write_as_attacker(s);
    scene_release(s, "before-lock");
    assert_exit(scene_wait(s, osc), 0);
    assert_no_loot(s);
    assert_string_equal(
        scene_value(s, "SELECT pg_catalog.string_agg(pg_catalog.concat(id, v), ' ' ORDER BY id) "
                       "FROM public.t"),
        "2x 4d 5a");
}

/* What would run if osc, or the writers through osc's function, touched the planted table. */
#define SPY                                                                                        \
    "CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "                          \
    "INSERT INTO public.loot VALUES (current_user, TG_TABLE_NAME); RETURN NEW; END $$ ~"

#define SPIED(table)                                                                               \
    "GRANT ALL ON " table " TO PUBLIC ~ CREATE TRIGGER spy BEFORE INSERT OR UPDATE OR DELETE "     \
    "ON " table " FOR EACH ROW EXECUTE FUNCTION spy()"

static const char planted_state[] =
    SPY "CREATE TABLE osc_state (id bigserial PRIMARY KEY, source_schema text, source_table text, "
        "alter_text text, options text, step text, status text, identity text, fingerprint text, "
        "stamp text, deferred text, watermark text, wish text, progress text, error text, retired "
        "text, paused text DEFAULT '', let_go text DEFAULT '', orders bigint DEFAULT 0, host text, "
        "pid bigint, version text, started_at timestamp(3), updated_at "
        "timestamp(3), finished_at timestamp(3)) ~ GRANT ALL ON SEQUENCE osc_state_id_seq TO "
        "PUBLIC ~" SPIED("osc_state") "~"
                                      "INSERT INTO osc_state (source_schema, source_table, "
                                      "alter_text, options, step, status, "
                                      "identity, fingerprint, stamp, deferred, watermark, wish, "
                                      "progress, error, retired, host, "
                                      "pid, version, started_at, updated_at) VALUES ('public', "
                                      "'t', 'ADD COLUMN evil int', '{}', "
                                      "'shadow', 'failed', '', '', '', '', '', '', '', '', '', '', "
                                      "1, '', now(), now())";

static void a_planted_state_table_is_not_believed(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    as_attacker(s, planted_state);
    assert_says(scene_osc(s, "alter", "t", "ADD COLUMN w int", NULL), 3, attacker);
    assert_says(scene_osc(s, "resume", NULL), 3, attacker);
    assert_says(scene_osc(s, "abort", "1", NULL), 3, attacker);
    assert_no_loot(s);
    assert_int_equal(scene_number(s, "SELECT count(*)::int FROM t"), 3);
}

/* Planted between the checks and the step that makes our own: thrown away, or we stop. */
static void plant_at(struct scene *s, const char *moment, const char *what)
{
    scene_hold(s, moment);
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN w int", NULL);
    scene_await(s, moment);
    as_attacker(s, what);
    scene_release(s, moment);
    struct outcome outcome = scene_wait(s, osc);
    scene_sql(s, "INSERT INTO t VALUES ('9', 'z', 9)");
    scene_sql(s, "DELETE FROM t WHERE id = '9'");
    assert_no_loot(s);
    if (outcome.status != 0)
        assert_string_equal(scene_value(s, "SELECT tgname FROM pg_trigger WHERE tgrelid = "
                                           "'t'::regclass"),
                            "");
    outcome_free(&outcome);
}

static void planted_journals_are_not_written(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    plant_at(s, "before-journal",
             SPY "CREATE TABLE t_osc_journal (id varchar(20)) ~" SPIED("t_osc_journal"));
}

static void planted_shadows_are_not_filled(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    plant_at(s, "shadow",
             SPY "CREATE TABLE t_osc_new (id varchar(20), v varchar(20), n numeric(8, 2), w int) "
                 "~" SPIED("t_osc_new"));
}

static void planted_views_are_not_read(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    plant_at(s, "shadow",
             "CREATE FUNCTION peep() RETURNS bool LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
             "public.loot VALUES (current_user, 'view'); RETURN true; END $$ ~"
             "CREATE VIEW t_osc_new AS SELECT peep() ~ GRANT ALL ON t_osc_new TO PUBLIC");
}

static void planted_functions_are_not_used(void **state)
{
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    plant_at(s, "before-function",
             "CREATE FUNCTION t_osc_capture() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
             "INSERT INTO public.loot VALUES (current_user, 'capture'); RETURN NEW; END $$");
}

/* Default privileges would let others put triggers on our tables, or our trigger on theirs. */
static void nobody_is_given_rights_on_ours(void **state)
{
    static const char others[] =
        "SELECT string_agg(o.what, ' ') FROM (SELECT c.relname::text, c.relacl, c.relowner FROM "
        "pg_class c WHERE c.relname ~ '^(osc_state|t_osc_(new|journal))$' UNION ALL SELECT "
        "p.proname, p.proacl, p.proowner FROM pg_proc p WHERE p.proname ~ '_osc_') "
        "o(what, acl, owner) WHERE EXISTS (SELECT FROM aclexplode(o.acl) x WHERE x.grantee <> "
        "o.owner)";
    struct scene *s = *state;

    if (!s->is_postgres)
        skip();
    scene_sql(s, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO %s", attacker);
    scene_sql(s, "ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO %s", attacker);
    scene_sql(s, "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC");
    scene_hold(s, "before-lock");
    const pid_t osc = scene_start(s, "alter", "t", "ADD COLUMN w int", "--after=drop", NULL);
    scene_await(s, "before-lock");
    assert_string_equal(scene_value(s, "%s", others), "");
    scene_release(s, "before-lock");
    assert_exit(scene_wait(s, osc), 0);
}

/* ---- names ---- */

static const char *const names[] = {
    "a'b\"c;-- /*x",        "`y` {source} %s #", "$$;DROP TABLE loot;$$",
    "back\\slash\\'\"\"''", "new\nline\tx",      "\xc3\xa4\xe2\x82\xac\x01",
};

static const char *quoted(struct scene *s, const char *name)
{
    return db_quote_name(s->db, s->arena, name);
}

/* Everything has the name: schema, table, columns, index, check. */
static void make_named(struct scene *s, const char *name, const char *q, const char *table)
{
    scene_sql(s, "DROP SCHEMA IF EXISTS %s%s", q, scene_pick(s, " CASCADE", ""));
    scene_sql(s, "CREATE SCHEMA %s", q);
    scene_sql(s, "CREATE TABLE %s (%s varchar(40) PRIMARY KEY, v int, CONSTRAINT %s CHECK (v > 0))",
              table, q, quoted(s, arena_printf(s->arena, "%s c", name)));
    scene_sql(s, "CREATE INDEX %s ON %s (v, %s)", quoted(s, arena_printf(s->arena, "i %s", name)),
              table, q);
    scene_sql(s, "INSERT INTO %s VALUES (%s, 1), ('b', 2)", table,
              scene_pick(s, "E'\\'\"\\\\'", "'\\'\"\\\\'"));
}

static void migrate_named(struct scene *s, const char *table, const char *q)
{
    const char *clauses = arena_printf(s->arena, "ADD COLUMN %s int", quoted(s, "a\\\"'`;"));

    scene_hold(s, "before-lock");
    const pid_t osc = scene_start(s, "alter", table, clauses, "--after=drop", NULL);
    scene_await(s, "before-lock");
    scene_sql(s, "UPDATE %s SET %s = 'c' WHERE v = 2", table, q);
    scene_sql(s, "INSERT INTO %s VALUES (%s, 3)", table,
              scene_pick(s, "E';\\\\\\'--'", "';\\\\\\'--'"));
    scene_release(s, "before-lock");
    assert_exit(scene_wait(s, osc), 0);
    assert_exit(scene_osc(s, "status", NULL), 0);
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM %s", table), 3);
    assert_nothing_left(s, false);
}

static void names_are_only_names(void **state)
{
    struct scene *s = *state;

    scene_sql(s, "CREATE TABLE loot (n int)");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *q = quoted(s, names[i]);
        const char *table = arena_printf(s->arena, "%s.%s", q, q);
        make_named(s, names[i], q, table);
        /* Definitions are compared line by line where the server shows them as text. */
        if (s->is_postgres || !strchr(names[i], '\n'))
            migrate_named(s, table, q);
        else
            assert_exit(scene_osc(s, "alter", table, "ADD COLUMN w int", NULL), 3);
        scene_sql(s, "DROP SCHEMA %s%s", q, scene_pick(s, " CASCADE", ""));
    }
    assert_int_equal(scene_number(s, "SELECT COUNT(*) FROM loot"), 0);
}

#define PLANTED(test) cmocka_unit_test_setup_teardown(test, open_with_attacker, close_with_attacker)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLANTED(better_functions_are_not_called),
        PLANTED(a_planted_state_table_is_not_believed),
        PLANTED(planted_journals_are_not_written),
        PLANTED(planted_shadows_are_not_filled),
        PLANTED(planted_views_are_not_read),
        PLANTED(planted_functions_are_not_used),
        PLANTED(nobody_is_given_rights_on_ours),
        cmocka_unit_test_setup_teardown(names_are_only_names, open_scene, close_scene),
    };

    cmocka_set_test_filter(getenv("OSC_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
