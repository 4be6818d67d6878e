/*
 * Golden files: the SQL we send, reviewed as SQL.  Every template of both
 * dialects is rendered for a handful of tables, and what the functions would
 * run is recorded.  OSC_GOLDEN_UPDATE=1 writes the files anew.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "copier/copy_dialect.h"
#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/plan/catalog_dialect.h"
#include "osc/plan/range.h"
#include "triggers/capture_dialect.h"

/* ---- a server that answers with nothing ---- */

static bool no_rows(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    (void)statement;
    (void)err;
    rows->db = db;
    return true;
}

static bool no_next(struct rows *rows, struct error *err)
{
    (void)rows;
    (void)err;
    return false;
}

static void no_finish(struct rows *rows)
{
    (void)rows;
}

struct silent {
    struct db db;
    struct db_driver driver;
    struct dialect dialect;
    struct facts facts;
};

static void open_silent(struct silent *s, const struct dialect *dialect, struct arena *arena)
{
    s->driver = *dialect->driver;
    s->driver.query = no_rows;
    s->driver.next = no_next;
    s->driver.finish = no_finish;
    s->dialect = *dialect;
    s->dialect.driver = &s->driver;
    s->facts = (struct facts){.max_name_bytes = 63};
    s->db = (struct db){
        .driver = &s->driver, .dialect = &s->dialect, .facts = &s->facts, .arena = arena};
}

/* ---- tables ---- */

struct fixture {
    const char *name, *table;
    const char *key[3];
    struct {
        const char *name, *postgres, *mysql, *charset, *collation;
        bool is_unsigned;
    } columns[5];
};

static const struct fixture fixtures[] = {
    {"integer",
     "users",         {"id"},
     {{"id", "bigint", "bigint", "", "", false},
      {"email", "character varying(200)", "varchar(200)", "utf8mb4", "utf8mb4_general_ci", false}}},
    {"unsigned",
     "big",           {"id"},
     {{"id", "numeric(20,0)", "bigint unsigned", "", "", true},
      {"v", "integer", "int", "", "", false}}                                                     },
    {"composite",
     "parts",         {"tenant", "code"},
     {{"tenant", "integer", "int", "", "", false},
      {"code", "text", "varchar(40)", "utf8mb4", "utf8mb4_unicode_ci", false},
      {"v", "integer", "int", "", "", false}}                                                     },
    {"binary",
     "sessions",      {"token"},
     {{"token", "uuid", "binary(16)", "", "", false},
      {"seen", "timestamp(6) without time zone", "datetime(6)", "", "", false}}                   },
    {"three",
     "ledger",        {"a", "b", "c"},
     {{"a", "date", "date", "", "", false},
      {"b", "numeric(10,2)", "decimal(10,2)", "", "", false},
      {"c", "boolean", "tinyint(1)", "", "", false}}                                              },
    {"quoted",
     "odd \"`' name", {"se\"lect` id"},
     {{"se\"lect` id", "bigint", "bigint", "", "", false},
      {"from", "text", "longtext", "latin1", "latin1_swedish_ci", false}}                         },
};

static void family_of(const char *type, bool is_postgres, struct column *column,
                      struct arena *arena)
{
    /* PostgreSQL's catalog knows these by other names than it shows. */
    static const char *const inner[][2] = {
        {"bigint",    "int8"   },
        {"integer",   "int4"   },
        {"boolean",   "bool"   },
        {"character", "varchar"},
    };
    char *family = arena_string(arena, type);

    family[strcspn(family, "( ")] = '\0';
    column->type_name = family;
    for (size_t i = 0; is_postgres && i < ARRAY_SIZE(inner); i++)
        if (strcmp(inner[i][0], family) == 0)
            column->type_name = inner[i][1];
}

static struct table *make_table(const struct fixture *f, struct silent *s, const char *name,
                                struct arena *arena)
{
    struct table *table = ARENA_NEW(arena, struct table);
    const bool is_postgres = strcmp(s->dialect.name, "postgres") == 0;

    table->schema = "shop";
    table->name = name;
    table->quoted = arena_printf(arena, "%s.%s", db_quote_name(&s->db, arena, "shop"),
                                 db_quote_name(&s->db, arena, name));
    table->identity = "1:1";
    table->fingerprint = table->definition = "";
    table->columns = ARENA_ARRAY(arena, struct column, 5);
    for (size_t i = 0; i < 5 && f->columns[i].name; i++) {
        struct column *c = &table->columns[table->n_columns++];
        c->name = f->columns[i].name;
        c->quoted = db_quote_name(&s->db, arena, c->name);
        c->type = is_postgres ? f->columns[i].postgres : f->columns[i].mysql;
        c->charset = is_postgres ? "" : f->columns[i].charset;
        c->collation = is_postgres ? "" : f->columns[i].collation;
        c->is_unsigned = f->columns[i].is_unsigned;
        c->number = (unsigned)i + 1;
        family_of(c->type, is_postgres, c, arena);
    }
    table->keys = ARENA_NEW(arena, struct key);
    table->n_keys = 1;
    table->keys[0].name = "PRIMARY";
    table->keys[0].quoted = db_quote_name(&s->db, arena, "PRIMARY");
    table->keys[0].is_primary = true;
    table->keys[0].columns = ARENA_ARRAY(arena, const struct column *, 3);
    for (size_t i = 0; i < 3 && f->key[i]; i++)
        table->keys[0].columns[table->keys[0].n_columns++] = table_column(table, f->key[i]);
    return table;
}

/* ---- rendering ---- */

static void add(struct text *out, const char *title, const char *template,
                const struct sql_env *env)
{
    text_printf(out, "-- %s\n", title);
    sql_render(out, template, env);
    text_add(out, ";\n\n");
}

static void record(struct text *out, struct silent *s, const char *title,
                   bool (*run)(struct db *db, const struct plan *plan, struct error *err),
                   const struct plan *plan)
{
    struct error err = ERROR_INIT;

    text_printf(out, "-- %s\n", title);
    db_record(&s->db, out, false);
    if (!run(&s->db, plan, &err))
        fail_msg("%s: %s", title, err.text);
    db_record(&s->db, NULL, false);
    text_add(out, "\n");
}

static bool install(struct db *db, const struct plan *plan, struct error *err)
{
    return plan->dialect->capture->install(db, plan, 300, err);
}

static bool settle(struct db *db, const struct plan *plan, struct error *err)
{
    return plan->dialect->capture->settle(db, plan, "j.… IN (…)", err);
}

/* Where a shadow may be bare. */
static void render_bare(struct text *out, const struct plan *plan, const struct sql_env *outer)
{
    const struct copy_dialect *copy = plan->dialect->copy;
    struct sql_env env = {.arena = outer->arena, .outer = outer};

    if (!*copy->bare_chunk)
        return;
    sql_bind_u64(&env, "first", 100);
    sql_bind_u64(&env, "last", 199);
    sql_bind_u64(&env, "rows", 7000);
    add(out, "chunk of a bare shadow", copy->bare_chunk, &env);
    add(out, "its record", copy->record, &env);
    add(out, "ask for it", copy->recorded, &env);
    add(out, "what has no record", copy->remaining, &env);
    add(out, "before the purge", plan->dialect->capture->purge_session, &env);
    add(out, "purge", plan->dialect->capture->purge, &env);
}

static void render(struct text *out, struct silent *s, struct plan *plan, struct arena *arena)
{
    const struct capture_dialect *capture = plan->dialect->capture;
    struct sql_env env = {.arena = arena, .outer = &plan->env};
    const char *literals[] = {"'low 1'", "'low 2'", "'low 3'"},
               *ends[] = {"'end 1'", "'end 2'", "'end 3'"};
    const struct bound after = {literals}, through = {ends};

    record(out, s, "journal", capture->create_journal, plan);
    record(out, s, "triggers", install, plan);
    sql_bind_sql(&env, "after", capture->first_place);
    sql_bind_u64(&env, "limit", 4000);
    sql_bind_sql(&env, "entries",
                 arena_printf(arena, "%s…%s", capture->entries_open, capture->entries_close));
    sql_bind_sql(&env, "range", plan->dialect->copy->positions(plan, 100, 199, arena));
    add(out, "chunk of positions", plan->dialect->copy->chunk, &env);
    render_bare(out, plan, &env);
    sql_bind_sql(&env, "range",
                 range_condition(plan, "t", plan->key->columns, &after, &through, arena));
    add(out, "chunk of keys", plan->dialect->copy->chunk, &env);
    text_printf(out, "-- key literals\n%s\n\n", range_key_literals(plan, "t", arena));
    add(out, "read the journal", capture->read, &env);
    add(out, "replay: delete", capture->replay_delete, &env);
    add(out, "replay: insert", capture->replay_insert, &env);
    add(out, "replay: insert where free", capture->replay_insert_where_free, &env);
    add(out, "replay: what was left out", capture->replay_left_out, &env);
    if (capture->may_overwrite && capture->may_overwrite(plan, &env)) {
        add(out, "replay: what is gone", capture->replay_gone, &env);
        add(out, "replay: overwrite", capture->replay_overwrite, &env);
    }
    add(out, "replay: forget", capture->forget, &env);
    record(out, s, "settle", settle, plan);
    add(out, "backlog", capture->backlog, &env);
    sql_bind_sql(&env, "in_schema", "'schema'");
    sql_bind_sql(&env, "named", "'journal'");
    add(out, "backlog, about", capture->backlog_guess, &env);
}

static void compare(const char *path, const struct text *out)
{
    AUTO(text) golden = TEXT_INIT;
    char buffer[4096];
    size_t n;

    if (getenv("OSC_GOLDEN_UPDATE")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fputs(out->bytes, file);
        (void)fclose(file);
        return;
    }
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s is missing", path);
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(&golden, buffer, n);
    (void)fclose(file);
    if (strcmp(golden.bytes, out->bytes) != 0)
        fail_msg("the SQL is not that of %s any more; it is now:\n%s", path, out->bytes);
}

static void check_dialect(const struct dialect *dialect)
{
    for (size_t i = 0; i < sizeof fixtures / sizeof *fixtures; i++) {
        struct arena *arena = arena_new();
        struct error err = ERROR_INIT;
        struct plan plan = {.arena = arena};
        struct silent silent;
        AUTO(text) out = TEXT_INIT;
        const struct fixture *f = &fixtures[i];

        open_silent(&silent, dialect, arena);
        const struct table *source = make_table(f, &silent, f->table, arena);
        const struct table *shadow =
            make_table(f, &silent, arena_printf(arena, "%s_osc_new", f->table), arena);
        if (!plan_comparison(&plan, &silent.db, source, shadow, &err))
            fail_msg("%s", err.text);
        plan.dialect = dialect;
        render(&out, &silent, &plan, arena);
        compare(arena_printf(arena, "%s/%s/%s.sql", GOLDEN_DIR, dialect->name, f->name), &out);
        arena_free(arena);
    }
}

static void mysql_says_what_was_reviewed(void **state)
{
    (void)state;
    check_dialect(&mysql_dialect);
}

static void postgres_says_what_was_reviewed(void **state)
{
    (void)state;
    check_dialect(&postgres_dialect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mysql_says_what_was_reviewed),
        cmocka_unit_test(postgres_says_what_was_reviewed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
