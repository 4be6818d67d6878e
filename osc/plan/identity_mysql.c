#include "osc/plan/identity_mysql.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "osc/db/server.h"
#include "osc/db/sql.h"
#include "osc/plan/names.h"

/* ---- the definition ---- */

/* Behind the columns and indexes: ") ENGINE=InnoDB AUTO_INCREMENT=17 DEFAULT CHARSET=…" */
static char *options_of(char *definition)
{
    char *found = NULL;

    for (char *at = definition; (at = strstr(at, "\n) ENGINE=")); at++)
        found = at;
    return found;
}

static char *find_counter(char *definition)
{
    char *options = options_of(definition);

    if (!options)
        return NULL;
    char *counter = strstr(options, " AUTO_INCREMENT="), *quote = strchr(options, '\'');
    return counter && (!quote || counter < quote) ? counter : NULL;
}

static bool show_create(struct db *db, const char *quoted, struct arena *arena, char **text,
                        struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!db_query(db, &rows, arena_printf(arena, "SHOW CREATE TABLE %s", quoted), err) ||
        !rows_next(&rows, err))
        return false;
    *text = arena_string(arena, rows_text(&rows, 1));
    return true;
}

bool mysql_definition(struct db *db, const char *quoted, struct arena *arena,
                      const char **definition, struct error *err)
{
    char *text = NULL;

    if (!show_create(db, quoted, arena, &text, err))
        return false;
    char *counter = find_counter(text);
    if (counter) {
        const char *behind = counter + strlen(" AUTO_INCREMENT=");
        behind += strspn(behind, "0123456789");
        memmove(counter, behind, strlen(behind) + 1);
    }
    *definition = text;
    return true;
}

bool mysql_next_value(struct db *db, const char *quoted, uint64_t *value, struct error *err)
{
    struct arena *arena = arena_new();
    char *text = NULL;
    const bool good = show_create(db, quoted, arena, &text, err);
    const char *counter = good ? find_counter(text) : NULL;

    if (good)
        *value = counter ? strtoull(counter + strlen(" AUTO_INCREMENT="), NULL, 10) : 0;
    arena_free(arena);
    return good;
}

/* ---- the number in InnoDB ---- */

/*
 * Names as InnoDB writes them outside of MySQL's data dictionary: letters, digits and _ as they
 * are, other ASCII as @002d.  What the rest becomes only the server knows (@1o, @00fc): a pattern
 * then, which could fit a second table: the numbers of both together still change when one of them
 * does.
 */
static bool add_inner_name(struct text *out, const char *name)
{
    bool is_exact = true;

    for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
        if (isalnum(*at) || *at == '_') {
            text_printf(out, "%c", *at);
        } else if (*at < 0x80) {
            text_printf(out, "@%04x", *at);
        } else if ((*at & 0xc0) != 0x80) {
            is_exact = false;
            text_add(out, "@([0-9a-z]{2}|[0-9a-f]{4})");
        }
    }
    return is_exact;
}

static const char *inner_condition(struct db *db, const char *column, const char *schema,
                                   const char *name, bool is_raw, struct arena *arena)
{
    AUTO(text) inner = TEXT_INIT;

    if (is_raw) {
        text_printf(&inner, "%s/%s", schema, name);
        return arena_printf(arena, "%s = %s", column, db_quote_literal(db, arena, inner.bytes));
    }
    bool is_exact = add_inner_name(&inner, schema);
    text_add(&inner, "/");
    is_exact = add_inner_name(&inner, name) && is_exact;
    return is_exact ? arena_printf(arena, "%s = '%s'", column, inner.bytes)
                    : arena_printf(arena, "%s REGEXP '^%s$'", column, inner.bytes);
}

/* NULL as well where we may not look. */
static bool ask_inner(struct db *db, const char *question, struct arena *arena, const char **answer,
                      struct error *err)
{
    *answer = NULL;
    if (db_value(db, arena, answer, question, err))
        return true;
    if (err->kind != ERROR_DENIED)
        return false;
    error_clear(err);
    return true;
}

/* No tablespace goes by its name: a temporary table (of a rehearsal) is listed nowhere, and a
 * partitioned one has several. */
static bool shares_its_space(struct db *db, const char *schema, const char *name,
                             struct arena *arena, bool *shares, struct error *err)
{
    struct sql_env env = {.arena = arena};
    const char *found = NULL;

    sql_bind_literal(&env, db, "schema", schema);
    sql_bind_literal(&env, db, "name", name);
    const bool good =
        db_value(db, arena, &found,
                 sql_renders(arena,
                             "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema}"
                             " AND TABLE_NAME = {name} AND ENGINE = 'InnoDB'"
                             " AND CREATE_OPTIONS NOT LIKE '%partitioned%'",
                             &env),
                 err);
    *shares = found != NULL;
    return good;
}

/*
 * The list of tables waits for the metadata lock of every table of the server, one after the
 * other, where the data dictionary is MySQL's: somebody's ALTER TABLE in its queue, of a table
 * that is nothing to us, would stop us.  The list of tablespaces waits for nobody; only a table
 * that shares its tablespace is looked for in the other one.
 */
bool mysql_table_id(struct db *db, const char *schema, const char *name, struct arena *arena,
                    const char **id, struct error *err)
{
    const struct facts *facts = db_facts(db);
    const char *tables =
        arena_printf(arena,
                     "SELECT CONCAT('id ', GROUP_CONCAT(TABLE_ID ORDER BY TABLE_ID))"
                     " FROM information_schema.%s WHERE %s",
                     facts->inner_tables, inner_condition(db, "NAME", schema, name, false, arena));
    bool shares = true;

    *id = NULL;
    if (facts->inner_spaces &&
        (!ask_inner(db,
                    arena_printf(arena,
                                 "SELECT CONCAT('space ', SPACE) FROM information_schema.%s"
                                 " WHERE %s AND SPACE_TYPE = 'Single'",
                                 facts->inner_spaces,
                                 inner_condition(db, "NAME", schema, name, true, arena)),
                    arena, id, err) ||
         (!*id && !shares_its_space(db, schema, name, arena, &shares, err))))
        return false;
    return *id || !shares || ask_inner(db, tables, arena, id, err);
}

bool mysql_foreign_referrers(struct db *db, const struct table *table, struct arena *arena,
                             const char **referrers, struct error *err)
{
    const struct facts *facts = db_facts(db);
    const char *question =
        arena_printf(arena,
                     "SELECT COALESCE(GROUP_CONCAT(FOR_NAME, '.', SUBSTRING_INDEX(ID, '/', -1)"
                     " SEPARATOR ', '), '') FROM information_schema.%s WHERE %s",
                     facts->inner_foreign_keys,
                     inner_condition(db, "REF_NAME", table->schema, table->name,
                                     facts->inner_spaces != NULL, arena));

    return ask_inner(db, question, arena, referrers, err);
}

static bool created_at(struct db *db, const struct table *table, struct arena *arena,
                       const char **when, struct error *err)
{
    struct sql_env env = {.arena = arena};

    sql_bind_literal(&env, db, "schema", table->schema);
    sql_bind_literal(&env, db, "name", table->name);
    *when = NULL;
    return db_value(db, arena, when,
                    sql_renders(arena,
                                "SELECT CREATE_TIME FROM information_schema.TABLES"
                                " WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = {name}",
                                &env),
                    err);
}

bool mysql_identify(struct db *db, const struct table *table, struct arena *arena,
                    const char **identity, const char **fingerprint, struct error *err)
{
    const char *id = NULL, *when = NULL, *definition = NULL;

    if (!mysql_table_id(db, table->schema, table->name, arena, &id, err) ||
        (!id && !created_at(db, table, arena, &when, err)) ||
        !mysql_definition(db, table->quoted, arena, &definition, err))
        return false;
    const char *server = db_facts(db)->server;
    *identity = id ? arena_printf(arena, "%s at %s", id, server)
                   : arena_printf(arena, "created %s at %s", when ? when : "once", server);
    *fingerprint = arena_printf(arena, "%016" PRIx64, names_hash(definition));
    return true;
}
