#include <stdlib.h>
#include <string.h>

#include "osc/plan/postgres.h"

/* ---- which table ---- */

const char *postgres_class(struct db *db, const char *schema, const char *name, struct arena *arena)
{
    const char *quoted = arena_printf(arena, "%s.%s", db_quote_name(db, arena, schema),
                                      db_quote_name(db, arena, name));

    return arena_printf(arena, "%s::pg_catalog.regclass", db_quote_literal(db, arena, quoted));
}

const char *postgres_oid(const struct table *table, struct arena *arena)
{
    return arena_copy(arena, table->identity, strcspn(table->identity, ":"));
}

/*
 * The search path of the user, not ours: the argument of to_regclass() is
 * evaluated first, and the setting ends with the statement.
 */
static const char find_by_path[] =
    "SELECT n.nspname FROM pg_catalog.pg_class c\n"
    "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "WHERE c.oid = (SELECT pg_catalog.to_regclass(pg_catalog.quote_ident({name}) ||\n"
    "    pg_catalog.substr(pg_catalog.set_config('search_path', s.reset_val, true), 1, 0))\n"
    "  FROM pg_catalog.pg_settings s WHERE s.name = 'search_path')";

static const char find_in_schema[] = "SELECT n.nspname FROM pg_catalog.pg_class c\n"
                                     "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
                                     "WHERE n.nspname = {schema} AND c.relname = {name}";

static bool find_schema(struct db *db, const char *schema, const char *name, struct arena *arena,
                        const char **found, struct error *err)
{
    struct sql_env env = {.arena = arena};

    sql_bind_literal(&env, db, "name", name);
    sql_bind_literal(&env, db, "schema", schema);
    if (!db_value(db, arena, found,
                  sql_renders(arena, schema ? find_in_schema : find_by_path, &env), err))
        return false;
    if (*found)
        return true;
    error_set(err, ERROR_MISSING, "there is no table %s%s%s", schema ? schema : "",
              schema ? "." : "", name);
    return error_hint(err, "%s",
                      schema
                          ? "names are taken as the server stores them: mind upper and lower case"
                          : "it is not in the search path; say SCHEMA.TABLE");
}

/* ---- what an ALTER can change ---- */

/*
 * Comments and privileges are left out: the swap reads them under its lock.
 * Our own triggers are known by their function.  Column options that begin
 * with pg_ are the server's own marks.
 */
static const char definition[] =
    "SELECT pg_catalog.string_agg(l.line, E'\\n' ORDER BY l.kind, l.line) FROM (\n"
    "SELECT 1 AS kind, pg_catalog.format('column %s %I %s%s%s%s%s%s storage %s%s %s %s',\n"
    "   pg_catalog.to_char(a.attnum, '0000'), a.attname,\n"
    "   pg_catalog.format_type(a.atttypid, a.atttypmod),\n"
    "   ' collation ' || NULLIF(a.attcollation, 0)::text, CASE WHEN a.attnotnull THEN ' not null' "
    "END,\n"
    "   ' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid),\n"
    "   ' generated ' || NULLIF(a.attgenerated, '')::text, ' identity ' || NULLIF(a.attidentity, "
    "'')::text,\n"
    "   a.attstorage, a.attcompression, a.attstattarget,\n"
    "   (SELECT pg_catalog.string_agg(o.option_name || '=' || o.option_value, ',')\n"
    "    FROM pg_catalog.pg_options_to_table(a.attoptions) o\n"
    "    WHERE pg_catalog.left(o.option_name, 3) <> 'pg_')) AS line\n"
    "  FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attrdef d\n"
    "   ON d.adrelid = a.attrelid AND d.adnum = a.attnum\n"
    "  WHERE a.attrelid = {class} AND a.attnum > 0 AND NOT a.attisdropped\n"
    "UNION ALL SELECT 2, pg_catalog.format('constraint %I %s%s', c.conname,\n"
    "   pg_catalog.pg_get_constraintdef(c.oid), CASE WHEN NOT c.convalidated THEN ' not valid' "
    "END)\n"
    "  FROM pg_catalog.pg_constraint c WHERE c.conrelid = {class}\n"
    "UNION ALL SELECT 3, pg_catalog.format('%s tablespace %s%s%s %s',\n"
    "   pg_catalog.pg_get_indexdef(i.indexrelid), c.reltablespace,\n"
    "   CASE WHEN i.indisclustered THEN ' clustered' END,\n"
    "   CASE WHEN i.indisreplident THEN ' replica identity' END,\n"
    "   (SELECT pg_catalog.string_agg(ia.attnum || ':' || ia.attstattarget, ',')\n"
    "    FROM pg_catalog.pg_attribute ia WHERE ia.attrelid = c.oid AND ia.attstattarget >= 0))\n"
    "  FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid\n"
    "  WHERE i.indrelid = {class} AND i.indisvalid\n"
    "UNION ALL SELECT 4, pg_catalog.pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text\n"
    "  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid\n"
    "  WHERE t.tgrelid = {class} AND NOT t.tgisinternal\n"
    "  AND pg_catalog.right(p.proname, 12) <> '_osc_capture'\n"
    "UNION ALL SELECT 5, pg_catalog.pg_get_ruledef(r.oid) || ' ' || r.ev_enabled::text\n"
    "  FROM pg_catalog.pg_rewrite r WHERE r.ev_class = {class}\n"
    "UNION ALL SELECT 6, pg_catalog.format('policy %I %s %s %s %s %s', p.polname, p.polcmd,\n"
    "   p.polpermissive, p.polroles, pg_catalog.pg_get_expr(p.polqual, p.polrelid),\n"
    "   pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))\n"
    "  FROM pg_catalog.pg_policy p WHERE p.polrelid = {class}\n"
    "UNION ALL SELECT 7, pg_catalog.format('%s %s', pg_catalog.pg_get_statisticsobjdef(s.oid),\n"
    "   s.stxstattarget) FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = {class}\n"
    "UNION ALL SELECT 8, pg_catalog.format('sequence %s %s %s %s %s %s %s %s %s', d.refobjsubid,\n"
    "   d.deptype, q.seqtypid, q.seqstart, q.seqincrement, q.seqmax, q.seqmin, q.seqcache,\n"
    "   q.seqcycle) FROM pg_catalog.pg_depend d\n"
    "  JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid\n"
    "  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid\n"
    "  AND d.refobjid = {class} AND d.deptype IN ('a', 'i')\n"
    "UNION ALL SELECT 9, pg_catalog.format('inherits %s', h.inhparent::pg_catalog.regclass)\n"
    "  FROM pg_catalog.pg_inherits h WHERE h.inhrelid = {class}\n"
    "UNION ALL SELECT 10, pg_catalog.format(\n"
    "   'table %s %s am %s tablespace %s owner %s rls %s %s replica identity %s of %s %s %s',\n"
    "   c.relkind, c.relpersistence, c.relam, c.reltablespace, c.relowner, c.relrowsecurity,\n"
    "   c.relforcerowsecurity, c.relreplident, c.reloftype, c.reloptions, t.reloptions)\n"
    "  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid\n"
    "  WHERE c.oid = {class}) l";

const char *postgres_definition(const char *class, struct arena *arena)
{
    struct sql_env env = {.arena = arena};

    sql_bind_sql(&env, "class", class);
    return sql_renders(arena, definition, &env);
}

static const char summary[] =
    "SELECT w.oid || ':' || w.relfilenode, d.definition,\n"
    " pg_catalog.left(pg_catalog.encode(pg_catalog.sha256(\n"
    "   pg_catalog.convert_to(d.definition, 'UTF8')), 'hex'), 32)\n"
    "FROM pg_catalog.pg_class w JOIN pg_catalog.pg_namespace n ON n.oid = w.relnamespace,\n"
    "LATERAL ({definition}) d(definition)\n"
    "WHERE n.nspname = {schema} AND w.relname = {name}";

/* identity, definition, fingerprint */
static bool ask_summary(struct db *db, const char *schema, const char *name, struct arena *arena,
                        struct rows *rows, struct error *err)
{
    struct sql_env env = {.arena = arena};

    sql_bind_literal(&env, db, "schema", schema);
    sql_bind_literal(&env, db, "name", name);
    sql_bind_sql(&env, "definition", postgres_definition("w.oid", arena));
    return sql_query(db, rows, summary, &env, err);
}

static bool identify(struct db *db, const struct table *table, struct arena *arena,
                     const char **identity, const char **fingerprint, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!ask_summary(db, table->schema, table->name, arena, &rows, err))
        return false;
    *identity = *fingerprint = "";
    if (rows_next(&rows, err)) {
        *identity = arena_string(arena, rows_text(&rows, 0));
        *fingerprint = arena_string(arena, rows_text(&rows, 2));
    }
    return err->kind == ERROR_NONE;
}

/* ---- loading ---- */

static bool load_summary(struct db *db, struct table *table, struct arena *arena, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!ask_summary(db, table->schema, table->name, arena, &rows, err))
        return false;
    if (rows_next(&rows, err)) {
        table->identity = arena_string(arena, rows_text(&rows, 0));
        table->definition = arena_string(arena, rows_text(&rows, 1));
        table->fingerprint = arena_string(arena, rows_text(&rows, 2));
    } else if (err->kind == ERROR_NONE) { /* uncovered: dropped since its name was resolved */
        return error_set(err, ERROR_MISSING, "there is no table %s any more", table->quoted);
    }
    return err->kind == ERROR_NONE;
}

/* The estimate is the planner's own: rows per page as last counted, times the pages of today. */
static const char sizes[] =
    "SELECT CASE WHEN c.reltuples > 0 AND c.relpages > 0 THEN (c.reltuples / c.relpages * "
    "b.pages)\n"
    "    ELSE b.pages * 60 END::pg_catalog.int8, pg_catalog.pg_table_size(c.oid),\n"
    "  pg_catalog.pg_indexes_size(c.oid)\n"
    "FROM pg_catalog.pg_class c, LATERAL (SELECT pg_catalog.pg_relation_size(c.oid) /\n"
    "    pg_catalog.current_setting('block_size')::pg_catalog.int8) b(pages)\n"
    "WHERE c.oid = {oid}";

static bool load_sizes(struct db *db, struct table *table, const struct sql_env *env,
                       struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, sizes, env, err))
        return false;
    if (rows_next(&rows, err)) {
        table->rows_estimate = rows_u64(&rows, 0);
        table->data_bytes = rows_u64(&rows, 1);
        table->index_bytes = rows_u64(&rows, 2);
    }
    return err->kind == ERROR_NONE;
}

/*
 * A nondeterministic collation says so behind its name: it calls different
 * strings equal.
 */
static const char columns[] =
    "SELECT a.attnum, a.attname, pg_catalog.quote_ident(a.attname),\n"
    "  pg_catalog.format_type(a.atttypid, a.atttypmod),\n"
    "  CASE WHEN y.typnamespace = 'pg_catalog'::pg_catalog.regnamespace THEN y.typname\n"
    "    ELSE pg_catalog.format_type(a.atttypid, NULL) END,\n"
    "  pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) ||\n"
    "    CASE WHEN co.collisdeterministic THEN '' ELSE ' (nondeterministic)' END,\n"
    "  pg_catalog.pg_get_expr(d.adbin, d.adrelid), NOT a.attnotnull, a.attgenerated <> '',\n"
    "  EXISTS (SELECT FROM pg_catalog.pg_depend p JOIN pg_catalog.pg_sequence q\n"
    "    ON q.seqrelid = p.objid WHERE p.refobjid = a.attrelid AND p.refobjsubid = a.attnum\n"
    "    AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass\n"
    "    AND p.classid = p.refclassid AND p.deptype IN ('a', 'i'))\n"
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid\n"
    "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum\n"
    "LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation\n"
    "LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace\n"
    "WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";

enum { MOST_COLUMNS = 1600 };

static bool load_columns(struct db *db, struct table *table, const struct sql_env *env,
                         struct arena *arena, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    table->columns = ARENA_ARRAY(arena, struct column, MOST_COLUMNS);
    if (!sql_query(db, &rows, columns, env, err))
        return false;
    while (rows_next(&rows, err)) {
        struct column *column = &table->columns[table->n_columns++];
        *column = (struct column){
            .number = (unsigned)rows_u64(&rows, 0),
            .name = arena_string(arena, rows_text(&rows, 1)),
            .quoted = arena_string(arena, rows_text(&rows, 2)),
            .type = arena_string(arena, rows_text(&rows, 3)),
            .type_name = arena_string(arena, rows_text(&rows, 4)),
            .charset = "",
            .collation = arena_string(arena, rows_text(&rows, 5)),
            .default_sql = rows_is_null(&rows, 6) ? NULL : arena_string(arena, rows_text(&rows, 6)),
            .is_nullable = rows_bool(&rows, 7),
            .is_generated = rows_bool(&rows, 8),
            .is_automatic = rows_bool(&rows, 9),
        };
    }
    return err->kind == ERROR_NONE;
}

/*
 * Each unique index with its columns and the first reason against it.  Replay
 * finds rows by `=` and spreads them by hash, with an empty search_path: the
 * operators must be the server's own.
 */
static const char keys[] =
    "SELECT ic.relname, pg_catalog.quote_ident(ic.relname), i.indisprimary, i.indnkeyatts,\n"
    "  pg_catalog.array_to_string(i.indkey::pg_catalog.int2[], ' '), CASE\n"
    "  WHEN NOT (i.indisvalid AND i.indisready AND i.indislive) THEN 'the index is not valid'\n"
    "  WHEN NOT i.indimmediate THEN 'the constraint is deferrable'\n"
    "  WHEN i.indpred IS NOT NULL THEN 'the index is partial'\n"
    "  WHEN am.amname <> 'btree' THEN 'the index is no btree'\n"
    "  WHEN 0 = ANY (i.indkey::pg_catalog.int2[]) THEN 'the index is on an expression'\n"
    "  ELSE (SELECT CASE\n"
    "      WHEN NOT a.attnotnull THEN pg_catalog.format('column %I may be NULL', a.attname)\n"
    "      WHEN a.attgenerated <> '' THEN pg_catalog.format('column %I is generated', a.attname)\n"
    "      WHEN b.oid IN ('float4'::pg_catalog.regtype, 'float8'::pg_catalog.regtype)\n"
    "        THEN pg_catalog.format('column %I is a floating-point number', a.attname)\n"
    "      WHEN o.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace THEN pg_catalog.format(\n"
    "        'column %I is compared by operators outside pg_catalog', a.attname)\n"
    "      WHEN i.indcollation[k.n - 1] <> a.attcollation THEN pg_catalog.format(\n"
    "        'the index does not have the collation of column %I', a.attname)\n"
    "      WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_opclass h JOIN pg_catalog.pg_am ham\n"
    "          ON ham.oid = h.opcmethod AND ham.amname = 'hash' WHERE h.opcdefault AND\n"
    "          (h.opcintype = o.opcintype OR EXISTS (SELECT FROM pg_catalog.pg_cast c WHERE\n"
    "           c.castsource = b.oid AND c.casttarget = h.opcintype AND c.castmethod = 'b')))\n"
    "        THEN pg_catalog.format('the type of column %I has no hash function', a.attname)\n"
    "      END AS reason\n"
    "    FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k(attnum, n)\n"
    "    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum\n"
    "    JOIN pg_catalog.pg_type y ON y.oid = a.atttypid\n"
    "    JOIN pg_catalog.pg_type b ON b.oid = COALESCE(NULLIF(y.typbasetype, 0), y.oid)\n"
    "    JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k.n - 1]\n"
    "    WHERE k.n <= i.indnkeyatts ORDER BY reason NULLS LAST LIMIT 1) END\n"
    "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid\n"
    "JOIN pg_catalog.pg_am am ON am.oid = ic.relam\n"
    "WHERE i.indrelid = {oid} AND i.indisunique ORDER BY i.indisprimary DESC, ic.relname";

static const struct column *column_numbered(const struct table *table, unsigned long number)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].number == number)
            return &table->columns[i];
    return NULL;
}

/* Expressions have number 0 and no column: such a key is unusable anyway. */
static void read_key_columns(const struct table *table, struct key *key, const char *numbers,
                             size_t limit, struct arena *arena)
{
    key->columns = ARENA_ARRAY(arena, const struct column *, limit);
    for (size_t i = 0; i < limit; i++) {
        char *end = NULL;
        const struct column *column = column_numbered(table, strtoul(numbers, &end, 10));
        if (column)
            key->columns[key->n_columns++] = column;
        numbers = end;
    }
}

static bool load_keys(struct db *db, struct table *table, const struct sql_env *env,
                      struct arena *arena, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;
    size_t size = 8;

    table->keys = ARENA_ARRAY(arena, struct key, size);
    if (!sql_query(db, &rows, keys, env, err))
        return false;
    while (rows_next(&rows, err)) {
        if (table->n_keys == size) {
            struct key *more = ARENA_ARRAY(arena, struct key, size * 2);
            memcpy(more, table->keys, size * sizeof *more);
            table->keys = more;
            size *= 2;
        }
        struct key *key = &table->keys[table->n_keys++];
        *key = (struct key){
            .name = arena_string(arena, rows_text(&rows, 0)),
            .quoted = arena_string(arena, rows_text(&rows, 1)),
            .is_primary = rows_bool(&rows, 2),
            .unusable = rows_is_null(&rows, 5) ? NULL : arena_string(arena, rows_text(&rows, 5)),
        };
        read_key_columns(table, key, rows_text(&rows, 4), rows_u64(&rows, 3), arena);
    }
    return err->kind == ERROR_NONE;
}

static bool load(struct db *db, const char *schema, const char *name, struct arena *arena,
                 struct table **loaded, struct error *err)
{
    struct sql_env env = {.arena = arena};
    struct table *table = ARENA_NEW(arena, struct table);

    if (!db_facts(db)->is_supported)
        return error_set(err, ERROR_REFUSED, "PostgreSQL 14 or later is needed, this is %s",
                         db_facts(db)->version);
    if (!find_schema(db, schema, name, arena, &table->schema, err))
        return false;
    table->name = arena_string(arena, name);
    table->quoted = arena_printf(arena, "%s.%s", db_quote_name(db, arena, table->schema),
                                 db_quote_name(db, arena, name));
    if (!load_summary(db, table, arena, err))
        return error_prefix(err, "reading the catalog for %s", table->quoted);
    sql_bind_sql(&env, "oid", postgres_oid(table, arena));
    if (!load_sizes(db, table, &env, err) || !load_columns(db, table, &env, arena, err) ||
        !load_keys(db, table, &env, arena, err))
        return error_prefix(err, "reading the catalog for %s", table->quoted);
    *loaded = table;
    return true;
}

static bool exists(struct db *db, const char *schema, const char *name, struct arena *arena,
                   bool *exists, const char **comment, struct error *err)
{
    struct sql_env env = {.arena = arena};
    const char *found = NULL;

    sql_bind_literal(&env, db, "schema", schema);
    sql_bind_literal(&env, db, "name", name);
    if (!db_value(db, arena, &found,
                  sql_renders(arena,
                              "SELECT COALESCE(pg_catalog.obj_description(c.oid, 'pg_class'), '')\n"
                              "FROM pg_catalog.pg_class c\n"
                              "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
                              "WHERE n.nspname = {schema} AND c.relname = {name}",
                              &env),
                  err))
        return false;
    *exists = found != NULL;
    *comment = found ? found : "";
    return true;
}

const struct catalog_dialect postgres_catalog = {
    .load = load,
    .identify = identify,
    .exists = exists,
    .stranger = postgres_stranger,
    .revoke = postgres_revoke,
    .alter_rules = {.has_backquotes = false},
    .checks = postgres_checks,
    .server_checks = postgres_server_checks,
    .map_columns = postgres_map_columns,
    .convert = postgres_convert,
    .silent_loss = postgres_silent_loss,
    .keeps_equality = postgres_keeps_equality,
    .keeps_order = postgres_keeps_order,
    .same_bytes = postgres_same_bytes,
    .literal_of = postgres_literal_of,
    .compares_rows = true,
    .only = "ONLY ",
    .force_index = "",
};
