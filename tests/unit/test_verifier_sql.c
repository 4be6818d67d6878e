/*
 * The statements of the verifier, as they are sent to each kind of server.
 * OSC_GOLDEN=write writes the golden files instead of comparing with them.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/db/server.h"
#include "verifier/narrow.h"

/* A server that takes down what it is sent, and finds one changed row. */
static struct text sent = TEXT_INIT;
static const char *row[] = {"7", "7", "7", "'x'", "'x'", "x", "1", "-1"};
static size_t lengths[ARRAY_SIZE(row)];
static bool has_row;

static bool take_down(const char *statement)
{
    text_printf(&sent, "%s;\n\n", statement);
    return true;
}

static bool fake_connect(struct db *db, const struct dsn *dsn, const char *purpose,
                         struct error *err)
{
    (void)db, (void)dsn, (void)purpose, (void)err;
    return true;
}

static void fake_close(struct db *db)
{
    (void)db;
}

static bool fake_exec(struct db *db, const char *statement, uint64_t *affected, struct error *err)
{
    (void)db, (void)err;
    *affected = 1;
    return take_down(statement);
}

static bool fake_query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    (void)db, (void)err;
    has_row = true;
    rows->columns = ARRAY_SIZE(row);
    return take_down(statement);
}

static bool fake_next(struct rows *rows, struct error *err)
{
    (void)err;
    const bool had_row = has_row;
    has_row = false;
    rows->values = row;
    rows->lengths = lengths;
    return had_row;
}

static void fake_finish(struct rows *rows)
{
    (void)rows;
}

static bool fake_setup(struct db *db, const char *purpose, struct error *err)
{
    (void)db, (void)purpose, (void)err;
    return true;
}

/* ---- orders (id, part, name, price, data), of which three columns change their type ---- */

struct column_pair {
    struct column from, to;
};

static const struct column_pair postgres_columns[] = {
    {{.name = "id", .type = "integer", .type_name = "int4"},
     {.name = "id", .type = "bigint", .type_name = "int8"}                           },
    {{.name = "part", .type = "text", .type_name = "text"},
     {.name = "part", .type = "text", .type_name = "text"}                           },
    {{.name = "name", .type = "character varying(20)", .type_name = "varchar", .is_nullable = true},
     {.name = "name", .type = "text", .type_name = "text", .is_nullable = true}      },
    {{.name = "price", .type = "numeric(10,2)", .type_name = "numeric"},
     {.name = "price", .type = "numeric(12,4)", .type_name = "numeric"}              },
    {{.name = "data", .type = "integer[]", .type_name = "_int4", .is_nullable = true},
     {.name = "data", .type = "integer[]", .type_name = "_int4", .is_nullable = true}},
};

static const struct column_pair mysql_columns[] = {
    {{.name = "id", .type = "int", .type_name = "int"},
     {.name = "id", .type = "bigint", .type_name = "bigint"}                   },
    {{.name = "part",
      .type = "varchar(9)",
      .type_name = "varchar",
      .charset = "latin1",
      .collation = "latin1_bin"},
     {.name = "part",
      .type = "varchar(9)",
      .type_name = "varchar",
      .charset = "latin1",
      .collation = "latin1_bin"}                                               },
    {{.name = "name",
      .type = "varchar(20)",
      .type_name = "varchar",
      .charset = "latin1",
      .collation = "latin1_swedish_ci",
      .is_nullable = true},
     {.name = "name",
      .type = "text",
      .type_name = "text",
      .charset = "utf8mb4",
      .collation = "utf8mb4_bin",
      .is_nullable = true}                                                     },
    {{.name = "price", .type = "decimal(10,2)", .type_name = "decimal"},
     {.name = "price", .type = "double", .type_name = "double"}                },
    {{.name = "data", .type = "json", .type_name = "json", .is_nullable = true},
     {.name = "data", .type = "json", .type_name = "json", .is_nullable = true}},
};

enum { COLUMNS = ARRAY_SIZE(mysql_columns) };
static_assert(ARRAY_SIZE(postgres_columns) == COLUMNS, "both tables have the same columns");

struct scene {
    struct arena *arena;
    struct db_driver driver;
    struct server_dialect server;
    struct dialect dialect;
    struct dsn dsn;
    struct facts facts;
    struct db *db;
    struct plan plan;
};

static struct table *make_table(struct scene *s, const char *name, const struct column_pair *pairs,
                                bool is_shadow)
{
    struct table *table = ARENA_NEW(s->arena, struct table);
    struct key *key = ARENA_NEW(s->arena, struct key);

    *table = (struct table){.schema = "shop", .name = name, .keys = key, .n_keys = 1};
    table->columns = ARENA_ARRAY(s->arena, struct column, COLUMNS);
    table->n_columns = COLUMNS;
    table->quoted = arena_printf(s->arena, "%s.%s", db_quote_name(s->db, s->arena, "shop"),
                                 db_quote_name(s->db, s->arena, name));
    for (unsigned i = 0; i < COLUMNS; i++) {
        struct column *column = &table->columns[i];
        *column = is_shadow ? pairs[i].to : pairs[i].from;
        column->quoted = db_quote_name(s->db, s->arena, column->name);
        column->number = i + 1;
        if (!column->charset)
            column->charset = column->collation = "";
    }
    *key = (struct key){.name = "PRIMARY", .is_primary = true, .n_columns = 2};
    key->quoted = db_quote_name(s->db, s->arena, "PRIMARY");
    key->columns = ARENA_ARRAY(s->arena, const struct column *, 2);
    key->columns[0] = &table->columns[0];
    key->columns[1] = &table->columns[1];
    return table;
}

static void open_scene(struct scene *s, const struct dialect *real, const struct column_pair *pairs,
                       bool by_bytes)
{
    struct error err = ERROR_INIT;

    *s = (struct scene){
        .arena = arena_new(),
        .driver = {.connect = fake_connect,
                   .close = fake_close,
                   .exec = fake_exec,
                   .query = fake_query,
                   .next = fake_next,
                   .finish = fake_finish,
                   .add_name = real->driver->add_name},
        .server = {.setup = fake_setup,     .begin = real->server->begin  },
        .dialect = *real
    };
    s->dialect.driver = &s->driver;
    s->dialect.server = &s->server;
    s->dsn = (struct dsn){.dialect = &s->dialect, .shown = "fake"};
    s->db = db_open(&s->dsn, "test", &err);
    s->facts = (struct facts){.max_name_bytes = 63, .compares_text_by_bytes = by_bytes};
    s->db->facts = &s->facts;
    s->plan.arena = s->arena;
    assert_true(plan_comparison(&s->plan, s->db, make_table(s, "orders", pairs, false),
                                make_table(s, "orders_osc_new", pairs, true), &err));
    text_clear(&sent);
}

static void close_scene(struct scene *s)
{
    db_close(s->db);
    arena_free(s->arena);
    text_release(&sent);
}

static const char *after[] = {"17", "'a'"}, *through[] = {"99", "'b'"};
static const struct range a_range = {.after.literals = after, .through.literals = through};

/* What depends on how the server compares. */
static void send_comparisons(struct scene *s, struct sql_env *env)
{
    struct digest source, shadow;
    struct error err = ERROR_INIT;

    digest_bind(&s->plan, env);
    text_add(&sent, "-- a range\n\n");
    digest_bind_range(&s->plan, env, &a_range, false);
    assert_true(digest_range(s->db, env, &source, &shadow, s->arena, &err));
    text_add(&sent, "-- without the rows in flight\n\n");
    digest_bind_range(&s->plan, env, &a_range, true);
    assert_true(digest_range(s->db, env, &source, &shadow, s->arena, &err));
}

static void send_everything(struct scene *s)
{
    struct error err = ERROR_INIT;
    struct sql_env env = {.arena = s->arena, .outer = &s->plan.env};
    struct divergent_range divergent = {.range = a_range};
    struct difference *differences = NULL;
    uint64_t n = 0;

    send_comparisons(s, &env);
    narrow_bind(&s->plan, &env);
    text_add(&sent, "-- its rows that differ, and the columns of one\n\n");
    assert_true(narrow_range(s->db, &s->plan, &env, 1, &differences, &n, s->arena, &err));
    assert_int_equal(n, 1);
    assert_int_equal(differences->kind, DIFFERENCE_CHANGED);
    text_add(&sent, "-- repair\n\n");
    const struct verify_job job = {.plan = &s->plan, .dsn = &s->dsn};
    const struct verdict verdict = {.ranges = &divergent};
    assert_true(verify_repair(&job, &verdict, &n, &err));
}

static void assert_golden(const char *file_name)
{
    char path[500];
    char golden[30000];
    const char *mode = getenv("OSC_GOLDEN");
    const bool writes = mode && strcmp(mode, "write") == 0;

    (void)snprintf(path, sizeof path, "%s/%s", GOLDEN_DIR, file_name);
    FILE *file = fopen(path, writes ? "w" : "r");
    if (!file)
        fail_msg("%s cannot be opened", path);
    if (writes) {
        assert_true(fputs(sent.bytes, file) >= 0);
    } else {
        const size_t length = fread(golden, 1, sizeof golden - 1, file);
        golden[length] = '\0';
        assert_string_equal(sent.bytes, golden);
    }
    assert_int_equal(fclose(file), 0);
}

static void everything_is_as_reviewed(const struct dialect *dialect,
                                      const struct column_pair *columns, const char *file_name)
{
    struct scene s;

    open_scene(&s, dialect, columns, false);
    send_everything(&s);
    assert_golden(file_name);
    close_scene(&s);
}

static void postgres_is_sent_what_was_reviewed(void **state UNUSED)
{
    everything_is_as_reviewed(&postgres_dialect, postgres_columns, "postgres/verifier.sql");
}

static void mysql_is_sent_what_was_reviewed(void **state UNUSED)
{
    everything_is_as_reviewed(&mysql_dialect, mysql_columns, "mysql/verifier.sql");
}

static void mysql_that_compares_bytes_is_sent_what_was_reviewed(void **state UNUSED)
{
    struct scene s;

    open_scene(&s, &mysql_dialect, mysql_columns, true);
    struct sql_env env = {.arena = s.arena, .outer = &s.plan.env};
    send_comparisons(&s, &env);
    assert_golden("mysql/verifier_lookups.sql");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postgres_is_sent_what_was_reviewed),
        cmocka_unit_test(mysql_is_sent_what_was_reviewed),
        cmocka_unit_test(mysql_that_compares_bytes_is_sent_what_was_reviewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
