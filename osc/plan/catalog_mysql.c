#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "osc/db/sql.h"
#include "osc/plan/catalog_mysql.h"
#include "osc/plan/identity_mysql.h"
#include "osc/plan/names.h"
#include "osc/plan/values_mysql.h"

/* A connection for questions about one table, and where the answers live. */
struct reader {
    struct db *db;
    struct arena *arena;
    struct table *table;
    struct sql_env env; /* {schema} {name} as literals, {table} quoted */
};

static struct reader reader_of(struct db *db, struct arena *arena, const char *schema,
                               const char *name)
{
    struct reader reader = {.db = db, .arena = arena, .env = {.arena = arena}};

    sql_bind_literal(&reader.env, db, "schema", schema);
    sql_bind_literal(&reader.env, db, "name", name);
    sql_bind_sql(&reader.env, "table",
                 arena_printf(arena, "%s.%s", db_quote_name(db, arena, schema),
                              db_quote_name(db, arena, name)));
    return reader;
}

/* ---- columns ---- */

static const char *charset_of(const char *collation, struct arena *arena)
{
    return arena_copy(arena, collation, strcspn(collation, "_"));
}

static void read_column(const struct reader *reader, const struct rows *rows, struct column *column)
{
    struct arena *arena = reader->arena;
    const char *extra = rows_text(rows, 6);

    column->name = arena_string(arena, rows_text(rows, 0));
    column->quoted = db_quote_name(reader->db, arena, column->name);
    column->type = arena_string(arena, rows_text(rows, 1));
    column->type_name = arena_copy(arena, column->type, strcspn(column->type, "( "));
    column->collation = arena_string(arena, rows_text(rows, 2));
    column->charset = charset_of(column->collation, arena);
    column->default_sql = rows_is_null(rows, 5) ? NULL : arena_string(arena, rows_text(rows, 5));
    column->is_nullable = strcmp(rows_text(rows, 3), "YES") == 0;
    /* DEFAULT_GENERATED is something else: a default that is an expression. */
    column->is_generated = strcasestr(extra, "VIRTUAL GENERATED") ||
                           strcasestr(extra, "STORED GENERATED") || strcasestr(extra, "PERSISTENT");
    column->is_automatic = strcasestr(extra, "auto_increment") != NULL;
    const enum family family = mysql_family(column);
    column->is_unsigned =
        (family == FAMILY_INT || family == FAMILY_DECIMAL) && strstr(column->type, " unsigned");
}

static bool load_columns(struct reader *reader, struct error *err)
{
    struct table *table = reader->table;
    AUTO(rows) rows = ROWS_INIT;
    size_t size = 0;

    if (!sql_query(reader->db, &rows, "SHOW FULL COLUMNS FROM {table}", &reader->env, err))
        return false;
    while (rows_next(&rows, err)) {
        if (table->n_columns == size) {
            struct column *more = ARENA_ARRAY(reader->arena, struct column, size * 2 + 16);
            if (size)
                memcpy(more, table->columns, size * sizeof *more);
            table->columns = more;
            size = size * 2 + 16;
        }
        struct column *column = &table->columns[table->n_columns++];
        read_column(reader, &rows, column);
        column->number = (unsigned)table->n_columns;
    }
    return err->kind == ERROR_NONE;
}

/* Names of columns are compared as the server does: without case. */
const struct column *mysql_column(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (strcasecmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

/* ---- keys ---- */

enum {
    KEY_NAME = 2,
    KEY_COLUMN = 4,
    KEY_DIRECTION = 5,
    KEY_PREFIX = 7,
    KEY_TYPE = 10,
    KEY_HIDDEN = 13
};

static const char *why_unusable(const struct table *table, const struct rows *rows,
                                const struct column *column)
{
    (void)table;
    if (strcmp(rows_text(rows, KEY_TYPE), "BTREE") != 0)
        return "it is not a B-tree";
    if (!column)
        return "it is over an expression";
    if (!rows_is_null(rows, KEY_PREFIX))
        return "it covers only the beginning of a column";
    if (column->is_nullable)
        return "a column of it may be NULL";
    if (column->is_generated)
        return "a column of it is generated";
    switch (mysql_family(column)) {
    case FAMILY_FLOAT:
    case FAMILY_DOUBLE: return "a column of it is a binary fraction, which has no exact literal";
    default: return NULL;
    }
}

/* Invisible to the optimizer: MySQL says whether it is visible, MariaDB whether it is ignored. */
static bool is_hidden(const struct rows *rows, bool has_expressions)
{
    return rows->columns > KEY_HIDDEN && rows_bool(rows, KEY_HIDDEN) != has_expressions;
}

static void add_part(struct reader *reader, const struct rows *rows, struct key *key)
{
    struct table *table = reader->table;
    const struct column *column =
        rows_is_null(rows, KEY_COLUMN) ? NULL : mysql_column(table, rows_text(rows, KEY_COLUMN));
    const struct column **columns =
        ARENA_ARRAY(reader->arena, const struct column *, key->n_columns + 1);
    const char *reason = why_unusable(table, rows, column);

    if (key->n_columns)
        memcpy(columns, key->columns, key->n_columns * sizeof *columns);
    columns[key->n_columns++] = column;
    key->columns = columns;
    /* The 15th column of SHOW INDEX, the expression, is MySQL's. */
    if (!reason && is_hidden(rows, rows->columns > KEY_HIDDEN + 1))
        reason = "the optimizer is told not to use it";
    if (!reason && strcmp(rows_text(rows, KEY_DIRECTION), "D") == 0)
        reason = "a column of it descends";
    if (!key->unusable)
        key->unusable = reason;
}

static struct key *key_named(struct reader *reader, const char *name, size_t *size)
{
    struct table *table = reader->table;

    if (table->n_keys && strcmp(table->keys[table->n_keys - 1].name, name) == 0)
        return &table->keys[table->n_keys - 1];
    if (table->n_keys == *size) {
        struct key *more = ARENA_ARRAY(reader->arena, struct key, *size * 2 + 8);
        if (*size)
            memcpy(more, table->keys, *size * sizeof *more);
        table->keys = more;
        *size = *size * 2 + 8;
    }
    struct key *key = &table->keys[table->n_keys++];
    key->name = arena_string(reader->arena, name);
    key->quoted = db_quote_name(reader->db, reader->arena, name);
    key->is_primary = strcasecmp(name, "PRIMARY") == 0;
    return key;
}

static bool load_keys(struct reader *reader, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;
    size_t size = 0;

    if (!sql_query(reader->db, &rows, "SHOW INDEX FROM {table}", &reader->env, err))
        return false;
    while (rows_next(&rows, err))
        if (rows_u64(&rows, 1) == 0)
            add_part(reader, &rows, key_named(reader, rows_text(&rows, KEY_NAME), &size));
    return err->kind == ERROR_NONE;
}

/* ---- the table ---- */

/* A temporary table is not in information_schema: then nothing is known of its size. */
static bool load_size(struct reader *reader, struct error *err)
{
    struct table *table = reader->table;
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(reader->db, &rows,
                   "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, COALESCE(TABLE_ROWS, 0),"
                   " COALESCE(DATA_LENGTH, 0), COALESCE(INDEX_LENGTH, 0)"
                   " FROM information_schema.TABLES"
                   " WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}",
                   &reader->env, err))
        return false;
    if (!rows_next(&rows, err))
        return err->kind == ERROR_NONE;
    table->schema = arena_string(reader->arena, rows_text(&rows, 0));
    table->name = arena_string(reader->arena, rows_text(&rows, 1));
    table->rows_estimate = rows_u64(&rows, 3);
    table->data_bytes = rows_u64(&rows, 4);
    table->index_bytes = rows_u64(&rows, 5);
    if (strstr(rows_text(&rows, 2), "VIEW") || strstr(rows_text(&rows, 2), "SEQUENCE"))
        return error_set(err, ERROR_REFUSED, "%s.%s is no table but a %s", table->schema,
                         table->name, rows_text(&rows, 2));
    return true;
}

/* The schema as given, or the connection's. */
static bool find_schema(struct db *db, const char **schema, struct arena *arena, struct error *err)
{
    if (*schema)
        return true;
    if (!db_value(db, arena, schema, "SELECT DATABASE()", err))
        return false;
    if (*schema)
        return true;
    error_set(err, ERROR_USAGE, "no database is chosen");
    return error_hint(err, "name the table as database.table, or the database in the DSN");
}

static bool load(struct db *db, const char *schema, const char *name, struct arena *arena,
                 struct table **table, struct error *err)
{
    struct table *fresh = ARENA_NEW(arena, struct table);

    if (!find_schema(db, &schema, arena, err))
        return false;
    struct reader reader = reader_of(db, arena, schema, name);
    reader.table = fresh;
    fresh->schema = arena_string(arena, schema);
    fresh->name = arena_string(arena, name);
    if (!load_size(&reader, err))
        return false;
    if (!load_columns(&reader, err)) {
        if (err->kind == ERROR_MISSING)
            error_hint(err, "is the name right, and may this user see the table?");
        return false;
    }
    reader = reader_of(db, arena, fresh->schema, fresh->name);
    reader.table = fresh;
    fresh->quoted = sql_lookup(&reader.env, "table");
    if (!load_keys(&reader, err) ||
        !mysql_identify(db, fresh, arena, &fresh->identity, &fresh->fingerprint, err))
        return false;
    return mysql_definition(db, fresh->quoted, arena, &fresh->definition, err) &&
           (*table = fresh, true);
}

static bool exists(struct db *db, const char *schema, const char *name, struct arena *arena,
                   bool *is_there, const char **comment, struct error *err)
{
    struct reader reader = reader_of(db, arena, schema, name);
    const char *found = NULL;

    if (!db_value(db, arena, &found,
                  sql_renders(arena,
                              "SELECT COALESCE(TABLE_COMMENT, '') FROM information_schema.TABLES"
                              " WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}",
                              &reader.env),
                  err))
        return false;
    *is_there = found != NULL;
    *comment = found ? found : "";
    return true;
}

/* ---- which column became which ---- */

/* All renames of one ALTER happen at once, so that two names can be exchanged. */
static const char *new_name(const struct name_pair *renames, const char *name)
{
    for (const struct name_pair *pair = renames; pair; pair = pair->next)
        if (strcasecmp(pair->from, name) == 0)
            return pair->to;
    for (const struct name_pair *pair = renames; pair; pair = pair->next)
        if (strcasecmp(pair->to, name) == 0)
            return NULL; /* uncovered: alter_drops() knew; if not, no value gets to a stranger */
    return name;
}

static bool is_converted(const struct column *from, const struct column *to)
{
    return strcmp(from->type, to->type) != 0 || strcmp(from->charset, to->charset) != 0 ||
           strcmp(from->collation, to->collation) != 0;
}

static bool map_columns(struct plan *plan, struct error *err UNUSED)
{
    const struct name_pair *renames =
        alter_renames(plan->alter, &mysql_catalog.alter_rules, plan->arena);

    plan->map = ARENA_ARRAY(plan->arena, struct mapping, plan->source->n_columns);
    plan->n_map = 0;
    for (size_t i = 0; i < plan->source->n_columns; i++) {
        const struct column *from = &plan->source->columns[i];
        const struct alter_rules *rules = &mysql_catalog.alter_rules;
        /* Dropped and added again under its name, a column starts afresh. */
        const char *name =
            alter_drops(plan->alter, rules, from->name) ? NULL : new_name(renames, from->name);
        const struct column *to = name ? mysql_column(plan->shadow, name) : NULL;
        if (!to || to->is_generated)
            continue;
        plan->map[plan->n_map++] = (struct mapping){
            .from = from,
            .to = to,
            .value = mysql_assigned(from, to, arena_printf(plan->arena, "t.%s", from->quoted),
                                    plan->arena),
            .is_converted = is_converted(from, to),
        };
    }
    return true;
}

const struct catalog_dialect mysql_catalog = {
    .load = load,
    .identify = mysql_identify,
    .exists = exists,
    .stranger = "SELECT NULL",
    .revoke = "SELECT NULL",
    .alter_rules = {.has_backquotes = true},
    .checks = mysql_checks,
    .server_checks = mysql_server_checks,
    .map_columns = map_columns,
    .convert = mysql_convert,
    .silent_loss = mysql_silent_loss,
    .keeps_equality = mysql_keeps_equality,
    .keeps_order = mysql_keeps_order,
    .same_bytes = mysql_same_bytes,
    .literal_of = mysql_literal_of,
    .compares_rows = false,
    .only = "",
    .force_index = " FORCE INDEX ({key_index})",
};
