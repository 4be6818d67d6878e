#include "osc/state.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "osc/base/log.h"
#include "osc/db/dialect.h"
#include "osc/plan/own.h"

static const struct state_dialect *dialect_of(const struct db *db)
{
    return db_dialect(db)->state;
}

static void bind_place(struct sql_env *env, struct db *db, const char *schema, uint64_t id)
{
    sql_bind_name(env, db, "schema", schema);
    sql_bind_u64(env, "id", id);
    sql_bind_sql(env, "now", dialect_of(db)->now);
}

/* All at once: nobody can lay hands on the table before it is ours alone. */
static bool make_table(struct db *db, const struct sql_env *env, const char *schema,
                       struct error *err)
{
    if (!db_begin(db, err))
        return false;
    if (sql_exec(db, dialect_of(db)->create, env, NULL, err) &&
        own_check(db, schema, STATE_TABLE, "", err) && own_alone(db, schema, STATE_TABLE, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

static bool add_row(struct db *db, const struct sql_env *env, const char *schema, uint64_t *id,
                    struct error *err)
{
    const struct state_dialect *dialect = dialect_of(db);

    if (!make_table(db, env, schema, err))
        return false;
    if (dialect->insert_returns)
        return db_value_u64(db, id, sql_renders(env->arena, dialect->insert, env), err);
    return sql_exec(db, dialect->insert, env, NULL, err) &&
           db_value_u64(db, id, dialect->inserted, err);
}

/* Who works on it: this process. */
static void bind_worker(struct sql_env *env, struct db *db, const char *run)
{
    char host[256] = "";

    (void)gethostname(host, sizeof host - 1);
    sql_bind_literal(env, db, "host", host);
    sql_bind_u64(env, "pid", (uint64_t)getpid());
    sql_bind_literal(env, db, "run", run);
    sql_bind_literal(env, db, "version", OSC_VERSION);
}

bool state_begin(struct db *db, const struct state_row *row, uint64_t *id, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    bind_place(&env, db, row->schema, 0);
    bind_worker(&env, db, row->run);
    sql_bind_literal(&env, db, "source_schema", row->schema);
    sql_bind_literal(&env, db, "source_table", row->table);
    sql_bind_literal(&env, db, "alter", row->alter);
    sql_bind_literal(&env, db, "options", row->options);
    sql_bind_literal(&env, db, "step", row->step);
    sql_bind_literal(&env, db, "identity", row->identity);
    sql_bind_literal(&env, db, "fingerprint", row->fingerprint);
    sql_bind_literal(&env, db, "retired", row->retired);
    bool good = false;
    /*
     * Another process may create the table at the same time, or drop it between the
     * two: it ended the last migration in it.  Where many begin and end, that comes
     * again.
     */
    for (int tries = 10; !good && tries > 0; tries--) {
        error_clear(err);
        good = add_row(db, &env, row->schema, id, err);
        if (err->kind != ERROR_MISSING && err->kind != ERROR_CONFLICT)
            break;
    }
    arena_free(arena);
    return good ? true
                : error_prefix(err, "recording the migration in %s." STATE_TABLE, row->schema);
}

bool state_adopt(struct db *db, const char *schema, uint64_t id, const char *run, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    bind_place(&env, db, schema, id);
    bind_worker(&env, db, run);
    const bool good = sql_exec(db,
                               "UPDATE {schema}." STATE_TABLE
                               " SET status = 'running', error = '', wish = '', run = {run}, "
                               "host = {host}, pid = {pid}, version = {version}, "
                               "updated_at = {now} WHERE id = {id}",
                               &env, NULL, err);
    arena_free(arena);
    return good ? true : error_prefix(err, "adopting migration %" PRIu64, id);
}

bool state_set(struct db *db, const char *schema, uint64_t id, const char *column,
               const char *value, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    bind_place(&env, db, schema, id);
    sql_bind_name(&env, db, "column", column);
    sql_bind_literal(&env, db, "value", value);
    const bool good = sql_exec(db,
                               "UPDATE {schema}." STATE_TABLE
                               " SET {column} = {value}, updated_at = {now} WHERE id = {id}",
                               &env, NULL, err);
    arena_free(arena);
    return good ? true : error_prefix(err, "saving %s of migration %" PRIu64, column, id);
}

static bool row_is_gone(const char *schema, uint64_t id, struct error *err)
{
    return err->kind == ERROR_NONE &&
           error_set(err, ERROR_MISSING, "migration %" PRIu64 " was deleted from %s." STATE_TABLE,
                     id, schema);
}

static bool read_column(struct db *db, const char *schema, uint64_t id, const char *column,
                        struct arena *arena, const char **value, struct error *err)
{
    struct sql_env env = {.arena = arena};
    AUTO(rows) rows = ROWS_INIT;

    bind_place(&env, db, schema, id);
    sql_bind_name(&env, db, "column", column);
    if (!sql_query(db, &rows, "SELECT {column} FROM {schema}." STATE_TABLE " WHERE id = {id}", &env,
                   err))
        return false;
    if (!rows_next(&rows, err))
        return row_is_gone(schema, id, err);
    *value = arena_string(arena, rows_text(&rows, 0));
    return true;
}

bool state_check_run(struct db *db, const char *schema, uint64_t id, const char *run,
                     struct error *err)
{
    struct arena *arena = arena_new();
    const char *now = "";
    bool good = read_column(db, schema, id, "run", arena, &now, err);

    if (good ? strcmp(now, run) != 0 : err->kind == ERROR_MISSING)
        good = error_set(err, ERROR_REFUSED,
                         "another run has taken migration %" PRIu64 " over meanwhile", id);
    arena_free(arena);
    return good;
}

bool state_orders(struct db *db, const char *schema, uint64_t id, struct arena *arena,
                  struct orders *orders, struct error *err)
{
    struct sql_env env = {.arena = arena};
    AUTO(rows) rows = ROWS_INIT;

    bind_place(&env, db, schema, id);
    if (!sql_query(db, &rows,
                   "SELECT wish, paused, let_go, options, orders FROM {schema}." STATE_TABLE
                   " WHERE id = {id}",
                   &env, err))
        return false;
    if (!rows_next(&rows, err))
        return row_is_gone(schema, id, err);
    *orders = (struct orders){
        .wish = arena_string(arena, rows_text(&rows, 0)),
        .paused = arena_string(arena, rows_text(&rows, 1)),
        .let_go = arena_string(arena, rows_text(&rows, 2)),
        .options = arena_string(arena, rows_text(&rows, 3)),
        .number = rows_u64(&rows, 4),
    };
    return true;
}

/* ---- orders ---- */

bool state_order(struct db *db, const char *schema, uint64_t id, const char *column,
                 const char *value, uint64_t *number, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    struct orders now;

    bind_place(&env, db, schema, id);
    sql_bind_name(&env, db, "column", column);
    sql_bind_literal(&env, db, "value", value);
    const bool good = sql_exec(db,
                               "UPDATE {schema}." STATE_TABLE
                               " SET {column} = {value}, orders = orders + 1 WHERE id = {id}",
                               &env, NULL, err) &&
                      state_orders(db, schema, id, arena, &now, err);
    if (good)
        *number = now.number;
    arena_free(arena);
    return good ? true : error_prefix(err, "telling migration %" PRIu64, id);
}

bool state_order_options(struct db *db, const char *schema, uint64_t id, uint64_t seen,
                         const char *options, bool holds_swap, bool *done, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    uint64_t changed = 0;

    bind_place(&env, db, schema, id);
    sql_bind_u64(&env, "seen", seen);
    sql_bind_literal(&env, db, "options", options);
    sql_bind_sql(&env, "let_go", holds_swap ? "''" : "let_go");
    const bool good =
        sql_exec(db,
                 "UPDATE {schema}." STATE_TABLE " SET options = {options}, let_go = {let_go}, "
                 "orders = orders + 1 WHERE id = {id} AND orders = {seen}",
                 &env, &changed, err);
    *done = good && changed == 1;
    arena_free(arena);
    return good ? true : error_prefix(err, "telling migration %" PRIu64, id);
}

bool state_heartbeat(struct db *db, const char *schema, uint64_t id, struct arena *arena,
                     const char **at, struct error *err)
{
    return read_column(db, schema, id, "updated_at", arena, at, err);
}

bool state_is_running(struct db *db, const char *schema, uint64_t id, struct arena *arena,
                      bool *is_running, struct error *err)
{
    const char *status = "";
    const bool good = read_column(db, schema, id, "status", arena, &status, err);

    *is_running = strcmp(status, "running") == 0;
    return good;
}

struct heartbeat state_heartbeat_words(struct db *db, const char *schema, uint64_t id,
                                       struct arena *arena)
{
    const struct state_dialect *dialect = dialect_of(db);
    struct sql_env env = {.arena = arena}, now = {.arena = arena}, last = {.arena = arena};

    bind_place(&env, db, schema, id);
    sql_bind_sql(&now, "at", dialect->now);
    sql_bind_sql(&last, "at", "updated_at");
    sql_bind_sql(&env, "now_ms", sql_renders(arena, dialect->epoch_ms, &now));
    sql_bind_sql(&env, "last_ms", sql_renders(arena, dialect->epoch_ms, &last));
    return (struct heartbeat){
        .beat = sql_renders(
            arena, "UPDATE {schema}." STATE_TABLE " SET updated_at = {now} WHERE id = {id}", &env),
        .now = sql_renders(arena, "SELECT {now_ms}", &env),
        .last = sql_renders(arena, "SELECT {last_ms} FROM {schema}." STATE_TABLE " WHERE id = {id}",
                            &env),
    };
}

bool state_beat(struct db *db, const char *schema, uint64_t id, const char *progress,
                struct arena *arena, struct orders *orders, struct error *err)
{
    return state_set(db, schema, id, "progress", progress, err) &&
           state_orders(db, schema, id, arena, orders, err);
}

bool state_end(struct db *db, const char *schema, uint64_t id, const char *status,
               const char *error, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};
    const bool is_final = strcmp(status, "done") == 0;

    bind_place(&env, db, schema, id);
    sql_bind_literal(&env, db, "status", status);
    sql_bind_literal(&env, db, "error", error ? error : "");
    sql_bind_sql(&env, "finished", is_final ? dialect_of(db)->now : "NULL");
    const bool good =
        sql_exec(db,
                 "UPDATE {schema}." STATE_TABLE " SET status = {status}, error = {error}, "
                 "finished_at = {finished}, updated_at = {now}, wish = '' WHERE id = {id}",
                 &env, NULL, err);
    arena_free(arena);
    return good;
}

/* ---- reading ---- */

static const char *const columns[] = {
    "source_schema", "source_table", "alter_text", "options",  "step",      "status",
    "identity",      "fingerprint",  "stamp",      "deferred", "watermark", "wish",
    "progress",      "error",        "retired",    "host",     "version",   "started_at",
    "updated_at",    "finished_at",  "paused",     "let_go",
};

static void read_row(const struct rows *rows, struct state_row *row, struct arena *arena)
{
    const char **fields[] = {
        &row->schema,    &row->table,    &row->alter,       &row->options, &row->step,
        &row->status,    &row->identity, &row->fingerprint, &row->stamp,   &row->deferred,
        &row->watermark, &row->wish,     &row->progress,    &row->error,   &row->retired,
        &row->host,      &row->version,  &row->started,     &row->updated, &row->finished,
        &row->paused,    &row->let_go,
    };
    static_assert(ARRAY_SIZE(fields) == ARRAY_SIZE(columns), "every column has its field");
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(fields); i++)
        *fields[i] = arena_string(arena, rows_text(rows, i));
    row->id = rows_u64(rows, i);
    row->pid = rows_u64(rows, i + 1);
    row->heartbeat_age_s = rows_u64(rows, i + 2);
    row->age_s = rows_u64(rows, i + 3);
    row->orders = rows_u64(rows, i + 4);
}

static const char *list_query(struct db *db, struct sql_env *env)
{
    AUTO(text) query = TEXT_INIT;
    struct sql_env at = {.arena = env->arena};
    const char *ages[2];
    const char *const stamps[] = {"updated_at", "started_at"};

    for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
        sql_bind_sql(&at, "at", stamps[i]);
        ages[i] = sql_renders(env->arena, dialect_of(db)->age, &at);
    }
    text_add(&query, "SELECT ");
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
        text_printf(&query, "%s, ", columns[i]);
    text_printf(&query, "id, pid, %s, %s, orders FROM {schema}." STATE_TABLE " ORDER BY id DESC",
                ages[0], ages[1]);
    return sql_renders(env->arena, query.bytes, env);
}

static bool is_empty(struct db *db, const struct sql_env *env, bool *empty, struct error *err)
{
    uint64_t left = 0;
    const bool good = db_value_u64(
        db, &left, sql_renders(env->arena, "SELECT COUNT(*) FROM {schema}." STATE_TABLE, env), err);

    *empty = good && !left;
    return good;
}

struct list {
    struct state_row *rows;
    size_t n, size;
};

/* Another version's, or somebody's who wants to be taken for us: told, and passed over. */
static void tell_strange_table(struct db *db, const struct sql_env *env, const char *schema,
                               const struct error *why)
{
    struct error trouble = ERROR_INIT;
    bool empty = false;

    if (is_empty(db, env, &empty, &trouble))
        LOG(LOG_WARN, "a state table of another make is passed over", F("schema", schema),
            F("error", why->text));
}

static bool list_schema(struct db *db, const char *schema, struct arena *arena, struct list *list,
                        struct error *err)
{
    struct sql_env env = {.arena = arena};
    AUTO(rows) rows = ROWS_INIT;

    bind_place(&env, db, schema, 0);
    if (!db_query(db, &rows, list_query(db, &env), err)) {
        if (err->kind != ERROR_MISSING)
            return false;
        tell_strange_table(db, &env, schema, err);
        error_clear(err); /* no state table: nothing ever ran here */
        return true;
    }
    while (rows_next(&rows, err)) {
        if (list->n == list->size) {
            struct state_row *more =
                ARENA_ARRAY(arena, struct state_row, list->size ? list->size * 2 : 8);
            if (list->n)
                memcpy(more, list->rows, list->n * sizeof *more);
            list->size = list->size ? list->size * 2 : 8;
            list->rows = more;
        }
        read_row(&rows, &list->rows[list->n++], arena);
    }
    return err->kind == ERROR_NONE;
}

bool state_list(struct db *db, const char *schema, struct arena *arena, struct state_row **out,
                size_t *n, struct error *err)
{
    struct list list = {.n = 0};
    const char *names[1000];
    size_t n_names = 0;
    struct sql_env env = {.arena = arena};
    struct rows found = ROWS_INIT;
    bool good = true;

    sql_bind_literal(&env, db, "schema", schema);
    good = sql_query(db, &found, dialect_of(db)->schemas, &env, err);
    while (good && n_names < ARRAY_SIZE(names) && rows_next(&found, err))
        names[n_names++] = arena_string(arena, rows_text(&found, 0));
    good = good && err->kind == ERROR_NONE;
    rows_release(&found);
    for (size_t i = 0; good && i < n_names; i++)
        good = list_schema(db, names[i], arena, &list, err);
    if (!good)
        return error_prefix(err, "reading the state of migrations");
    *out = list.rows;
    *n = list.n;
    return true;
}

/* Counted again under the lock: another process may be about to add its row. */
static bool drop_if_empty(struct db *db, const struct sql_env *env, struct error *err)
{
    const char *unlock = dialect_of(db)->unlock;
    bool empty = false;

    if (!is_empty(db, env, &empty, err) || !empty)
        return err->kind == ERROR_NONE;
    if (!db_begin(db, err))
        return false;
    bool good = sql_exec(db, dialect_of(db)->lock, env, NULL, err);
    if (good) {
        good = is_empty(db, env, &empty, err) &&
               (!empty || sql_exec(db, "DROP TABLE {schema}." STATE_TABLE, env, NULL, err));
        if (unlock && !db_is_lost(db)) {
            struct error ignored = ERROR_INIT; /* our session's end unlocks as well */
            (void)!db_exec(db, unlock, NULL, &ignored);
        }
    }
    if (good)
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

bool state_forget(struct db *db, const char *schema, uint64_t id, struct error *err)
{
    struct arena *arena = arena_new();
    struct sql_env env = {.arena = arena};

    bind_place(&env, db, schema, id);
    bool good = (!id || sql_exec(db, "DELETE FROM {schema}." STATE_TABLE " WHERE id = {id}", &env,
                                 NULL, err)) &&
                drop_if_empty(db, &env, err);
    /* Somebody was quicker, or holds the table: an empty one does no harm. */
    if (!good && (err->kind == ERROR_MISSING || err->kind == ERROR_TRANSIENT)) {
        error_clear(err);
        good = true;
    }
    arena_free(arena);
    return good;
}
