/* What osc makes of servers that a test cannot install: answers made of words. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/db/dialect.h"
#include "osc/db/disk.h"
#include "osc/db/replicas.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/plan/catalog_mysql.h"
#include "osc/plan/preflight_mysql.h"
#include "tests/support/db_fake.h"

/* ---- what must not be, on the MySQL family ---- */

static const struct fake_answer odd_settings[] = {
    {.words = "'wsrep_on'",                        .rows = "wsrep_on|ON"},
    {.words = "'wsrep_provider'",                                            .rows = "wsrep_provider|/usr/lib/galera.so"},
    {.words = "'group_replication_group_name'",.rows = "name|aaaa"},
    {.words = "'group_replication_single_primary_mode'",    .rows = "mode|OFF"},
    {.words = "'log_bin'",                                            .rows = "log_bin|ON"},
    {.words = "'binlog_format'",                       .rows = "binlog_format|STATEMENT"},
    {.words = "'sync_binlog'",                         .rows = "sync_binlog|0"},
    {.words = "'innodb_redo_log_capacity'",                                            .rows = ""},
    {.words = "'innodb_log_file_size'",.rows = "size|50331648"},
    {.words = "'innodb_log_files_in_group'",                     .rows = "files|2"},
    {.words = "'innodb_autoinc_lock_mode'",                                            .rows = "mode|0"},
    {.words = "'max_write_lock_count'",.rows = "count|3"},
    {.words = "XA RECOVER",            .rows = "1|2|0|ab\n1|2|0|cd"},
    {.words = NULL                                           },
};

static void assert_found(const struct plan *plan, const char *words)
{
    for (const struct finding *f = plan->findings; f; f = f->next)
        if (strstr(f->text, words) || strstr(f->hint, words))
            return;
    fail_msg("nothing is said of: %s", words);
}

static void settings_that_break_the_argument_are_refused(void **state)
{
    static const struct facts facts = {.vendor = "MariaDB", .version = "10.1.2"};
    struct table source = {.name = "t", .data_bytes = 900 << 20, .index_bytes = 124 << 20};
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    fake_open(&db, NULL, odd_settings);
    struct plan plan = {.arena = db.arena, .facts = &facts, .source = &source};
    assert_true(check_version(&db, &plan, &err));
    assert_found(&plan, "MariaDB 10.1.2 is not supported");
    assert_true(check_cluster(&db, &plan, &err));
    assert_found(&plan, "Galera");
    assert_found(&plan, "several primaries");
    assert_true(check_binlog(&db, &plan, &err));
    assert_found(&plan, "binlog_format is STATEMENT");
    assert_found(&plan, "sync_binlog is 0");
    assert_true(check_redo_log(&db, &plan, &err));
    assert_found(&plan, "1.00 GiB will be written through a redo log of 96.0 MiB");
    assert_found(&plan, "innodb_log_file_size = 2G in its configuration, and a restart");
    assert_true(check_locks(&db, &plan, &err));
    assert_found(&plan, "innodb_autoinc_lock_mode is 0");
    assert_found(&plan, "max_write_lock_count is 3");
    assert_true(check_prepared(&db, &plan, &err));
    assert_found(&plan, "2 prepared XA transactions");
    fake_close(&db);
}

static void a_name_that_would_be_locked_out_of_order_is_refused(void **state)
{
    const struct table source = {.name = "t"};
    struct error err = ERROR_INIT;
    struct plan plan = {
        .arena = arena_new(),
        .source = &source,
        .names = {.shadow = "s_new", .retired = "t_old", .journal = "t_journal"}
    };

    (void)state;
    assert_true(check_names(NULL, &plan, &err));
    assert_found(&plan, "the name s_new would sort before the table's own");
    assert_null(plan.findings->next);
    arena_free(plan.arena);
}

static void a_table_without_a_database_is_asked_for_it(void **state)
{
    static const struct fake_answer none[] = {
        {.words = "SELECT DATABASE()", .rows = "~"},
        {.words = NULL                           }
    };
    struct error err = ERROR_INIT;
    struct table *table = NULL;
    struct db db;

    (void)state;
    fake_open(&db, &mysql_dialect, none);
    assert_false(mysql_dialect.catalog->load(&db, NULL, "t", db.arena, &table, &err));
    assert_int_equal(err.kind, ERROR_USAGE);
    assert_string_equal(err.text, "no database is chosen");
    assert_non_null(strstr(err.hint, "database.table"));
    fake_close(&db);
}

static void a_column_is_found_without_case_or_not_at_all(void **state)
{
    struct column columns[] = {{.name = "Id"}, {.name = "v"}};
    const struct table table = {.columns = columns, .n_columns = ARRAY_SIZE(columns)};

    (void)state;
    assert_ptr_equal(mysql_column(&table, "ID"), &columns[0]);
    assert_null(mysql_column(&table, "w"));
}

static void too_old_a_server_is_refused(void **state)
{
    static const struct fake_answer none[] = {{.words = NULL}};
    struct facts facts = {.vendor = "PostgreSQL", .version = "13.4"};
    struct error err = ERROR_INIT;
    struct table *table = NULL;
    struct db db;

    (void)state;
    fake_open(&db, &postgres_dialect, none);
    db.facts = &facts;
    assert_false(postgres_dialect.catalog->load(&db, NULL, "t", db.arena, &table, &err));
    assert_int_equal(err.kind, ERROR_REFUSED);
    assert_non_null(strstr(err.text, "this is 13.4"));
    fake_close(&db);
}

/* ---- who stands between ---- */

static void a_proxy_that_numbers_connections_is_refused(void **state)
{
    static const struct fake_answer proxy[] = {
        {.words = "CONNECTION_ID()", .rows = "7|8"},
        {.words = NULL                         }
    };
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    fake_open(&db, &mysql_dialect, proxy);
    db.id = 5;
    assert_false(mysql_server.setup(&db, "test", &err));
    assert_int_equal(err.kind, ERROR_REFUSED);
    assert_non_null(strstr(err.text, "a proxy stands between"));
    fake_close(&db);
}

static void a_connection_that_is_gone_needs_no_killing(void **state)
{
    static const struct fake_answer answers[] = {
        {.words = "KILL CONNECTION 1", .error = ERROR_SERVER, .code = "1094"},
        {.words = "KILL CONNECTION 2",              .error = ERROR_DENIED, .code = "1095"},
        {.words = NULL}
    };
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    fake_open(&db, &mysql_dialect, answers);
    assert_true(mysql_server.kill(&db, 1, &err));
    assert_false(mysql_server.kill(&db, 2, &err));
    fake_close(&db);
}

static const struct dialect pooled = {.name = "postgres", .driver = &fake_driver};

static bool is_refused_as_pooler(const struct fake_answer *answers)
{
    const struct dsn dsn = {.host = "pooler", .dialect = &pooled};
    struct error err = ERROR_INIT;
    struct db db;

    fake_open(&db, &pooled, answers);
    db.dsn = &dsn;
    db.id = 99;
    assert_false(postgres_server.setup(&db, "test", &err)); /* or the settings fail */
    fake_close(&db);
    return err.kind == ERROR_REFUSED && strstr(err.text, "a pooler between us");
}

static void a_pooler_that_shares_connections_is_refused(void **state)
{
    static const struct fake_answer same[] = {
        {.words = "pg_backend_pid", .rows = "7"},
        {.words = "BEGIN"                        },
        {.words = NULL}
    };
    static const struct fake_answer refuses[] = {
        {.words = "pg_backend_pid", .rows = "7"},
        {.words = "BEGIN",                         .error = ERROR_SERVER},
        {.words = NULL}
    };
    (void)state;
    assert_true(is_refused_as_pooler(same));
    assert_true(is_refused_as_pooler(refuses));
}

static void a_pooler_that_has_no_second_connection_is_told(void **state)
{
    static const struct fake_answer one[] = {
        {.words = "pg_backend_pid", .rows = "7"},
        {.words = NULL                        }
    };
    const struct dsn dsn = {.host = "dead", .dialect = &pooled};
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    fake_open(&db, &pooled, one);
    db.dsn = &dsn;
    db.id = 99;
    assert_false(postgres_server.setup(&db, "test", &err));
    assert_non_null(strstr(err.text, "asking whether the pooler keeps sessions"));
    fake_close(&db);
}

/* Its process has no such number here; and nothing is asked for. */
static void the_files_of_a_server_elsewhere_are_not_looked_for(void **state)
{
    static const struct fake_answer none[] = {{.words = NULL}};
    struct disk disk = {.n = 0};
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    fake_open(&db, &postgres_dialect, none);
    db.id = 0;
    assert_true(postgres_server.find_files(&db, &disk, &err));
    assert_int_equal(disk.n, 0);
    fake_close(&db);
}

/* ---- fences ---- */

static bool is_taken(struct db *db, const char *name, uint64_t *holder, struct error *err)
{
    (void)db, (void)name;
    *holder = 5;
    return error_set(err, ERROR_TRANSIENT, "taken");
}

static bool has_5(struct db *db, const char *name, uint64_t *holder, struct error *err)
{
    (void)db, (void)name, (void)err;
    *holder = 5;
    return true;
}

static bool may_not_kill(struct db *db, uint64_t connection, struct error *err)
{
    (void)db, (void)connection;
    return error_set(err, ERROR_DENIED, "no right");
}

static void a_role_whose_holder_cannot_be_ended_is_not_taken(void **state)
{
    static const struct fake_answer none[] = {{.words = NULL}};
    static const struct server_dialect guarded = {
        .lock_take = is_taken, .lock_holder = has_5, .kill = may_not_kill};
    static const struct dialect dialect = {.driver = &fake_driver, .server = &guarded};
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    fake_open(&db, &dialect, none);
    assert_false(server_fence(&db, "s.t", "run", "copy-1", &err));
    assert_int_equal(err.kind, ERROR_DENIED);
    assert_non_null(strstr(err.text, "ending connection 5, which acts as copy-1 of s.t"));
    assert_false(server_fence_off(&db, "s.t", "copy-", 1, 2, &err));
    assert_non_null(strstr(err.hint, "end connection 5 as an administrator"));
    fake_close(&db);
}

static bool ends_it(struct db *db, uint64_t connection, struct error *err)
{
    (void)db, (void)err;
    return connection == 5;
}

static void a_role_that_is_not_let_go_of_is_given_up(void **state)
{
    static const struct fake_answer none[] = {{.words = NULL}};
    static const struct server_dialect busy = {
        .lock_take = is_taken, .lock_holder = has_5, .kill = ends_it};
    static const struct dialect dialect = {.driver = &fake_driver, .server = &busy};
    struct error err = ERROR_INIT;
    struct db db;

    (void)state;
    assert_int_equal(setenv("OSC_TUNE_FENCE_MS", "1", 1), 0);
    fake_open(&db, &dialect, none);
    assert_false(server_fence(&db, "s.t", "run", "copy-1", &err));
    assert_int_equal(err.kind, ERROR_TRANSIENT);
    assert_string_equal(err.text, "connection 5 still acts as copy-1 of s.t: it was ended, but the "
                                  "server has not let go of it");
    assert_non_null(strstr(err.hint, "wait until connection 5 is gone"));
    fake_close(&db);
    assert_int_equal(unsetenv("OSC_TUNE_FENCE_MS"), 0);
}

/* ---- replicas ---- */

static bool set_up(struct db *db, const char *purpose, struct error *err)
{
    (void)db, (void)purpose, (void)err;
    return true;
}

static const struct server_dialect plain = {.setup = set_up};
static const struct dialect family = {.driver = &fake_driver, .server = &plain};

static struct replica_lag look(struct db *db, struct replicas *replicas)
{
    struct replica_lag lag = {.replicas = 0};
    struct error err = ERROR_INIT;

    replicas->next_list = deadline_in_ms(0); /* who they are is asked every second only */
    assert_true(mysql_look_at_replicas(db, replicas, &lag, &err));
    return lag;
}

static void replicas_that_cannot_be_asked_are_unknown(void **state)
{
    static const struct fake_answer answers[] = {
        {.words = "@@server_id", .rows = "1"},
        {.words = "SHOW REPLICAS",
         .names = "Host|Port",
         .rows = "|3306\ndead|3306\nlive|3306\nlive|3307"},
        {.words = "REPLICA",   .error = ERROR_SERVER},
        {.words = "SHOW SLAVE STATUS",
         .names = "Master_Server_Id|Seconds_Behind_Master",
         .rows = "9|700\n1|4"},
        {.words = NULL}
    };
    static const struct fake_answer gone[] = {
        {.words = "@@server_id", .rows = "1"},
        {.words = "SHOW REPLICAS",                      .names = "Host|Port", .rows = ""},
        {.words = "STATUS",.names = "Master_Server_Id|Seconds_Behind_Master", .rows = "9|700"},
        {.words = NULL                     }
    };
    static const struct fake_answer mute[] = {
        {.words = "@@server_id", .rows = "1"},
        {.words = "SHOW REPLICAS",                      .names = "Host|Port", .rows = "live|3306"},
        {.words = "SHOW",.error = ERROR_SERVER},
        {.words = NULL                     }
    };
    const struct dsn primary = {.host = "primary", .port = 3306, .dialect = &family};
    struct replicas replicas = {.primary = &primary, .arena = arena_new()};
    struct db db;

    (void)state;
    fake_open(&db, &family, answers);
    struct replica_lag lag = look(&db, &replicas);
    assert_int_equal(lag.replicas,
                     4); /* one without a name, one that does not answer, two that do */
    assert_int_equal(lag.unknown, 2);
    assert_int_equal(lag.worst_ms, 4000);
    for (struct replica *replica = replicas.first; replica; replica = replica->next)
        if (replica->db)
            replica->db->is_lost = replica->dsn.port == 3306;
    fake_close(&db);
    fake_open(&db, &family, mute);
    lag = look(&db, &replicas);
    assert_int_equal(lag.unknown, lag.replicas);
    fake_close(&db);
    fake_open(&db, &family, gone);
    assert_int_equal(look(&db, &replicas).replicas, 0);
    fake_close(&db);
    arena_free(replicas.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_that_break_the_argument_are_refused),
        cmocka_unit_test(a_name_that_would_be_locked_out_of_order_is_refused),
        cmocka_unit_test(a_table_without_a_database_is_asked_for_it),
        cmocka_unit_test(a_column_is_found_without_case_or_not_at_all),
        cmocka_unit_test(too_old_a_server_is_refused),
        cmocka_unit_test(a_proxy_that_numbers_connections_is_refused),
        cmocka_unit_test(a_connection_that_is_gone_needs_no_killing),
        cmocka_unit_test(a_pooler_that_shares_connections_is_refused),
        cmocka_unit_test(a_pooler_that_has_no_second_connection_is_told),
        cmocka_unit_test(the_files_of_a_server_elsewhere_are_not_looked_for),
        cmocka_unit_test(a_role_whose_holder_cannot_be_ended_is_not_taken),
        cmocka_unit_test(a_role_that_is_not_let_go_of_is_given_up),
        cmocka_unit_test(replicas_that_cannot_be_asked_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
