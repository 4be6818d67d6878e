#include "tests/support/picture.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "osc/db/dialect.h"
#include "osc/db/sql.h"
#include "tests/unit/unit.h"

enum { MOST_DIFFERENCES = 12, LONGEST = 400 };

static void add_line(struct picture *picture, const char *line, struct arena *arena)
{
    if (picture->n == picture->size) {
        const size_t size = picture->size * 2 + 64;
        const char **more = ARENA_ARRAY(arena, const char *, size);
        if (picture->n)
            memcpy(more, picture->lines, picture->n * sizeof *more);
        picture->lines = more;
        picture->size = size;
    }
    picture->lines[picture->n++] = line;
}

/* One line for each row of the answer: `what`, then the columns with | between them. */
static void add_rows(struct picture *picture, struct db *db, const char *what,
                     const char *statement, struct arena *arena)
{
    AUTO(rows) rows = ROWS_INIT;
    AUTO(text) line = TEXT_INIT;
    struct error err = ERROR_INIT;

    if (!db_query(db, &rows, statement, &err))
        fail_msg("%s: %s", statement, err.text);
    while (rows_next(&rows, &err)) {
        text_clear(&line);
        text_printf(&line, "%s ", what);
        for (unsigned i = 0; i < rows.columns; i++) {
            text_add(&line, i ? "|" : "");
            if (rows_is_null(&rows, i))
                text_add(&line, "NULL");
            else
                text_add_bytes(&line, rows.values[i], rows.lengths[i]);
        }
        add_line(picture, arena_copy(arena, line.bytes, line.length), arena);
    }
    if (err.kind != ERROR_NONE)
        fail_msg("%s: %s", statement, err.text);
}

/* ---- the MySQL family ---- */

/* Text that tells every value of the type from every other. */
static const char *exact_mysql(const char *type, const char *column, struct arena *arena)
{
    static const struct {
        const char *type, *format;
    } exact[] = {
        {"float",  "CAST(%s AS DOUBLE)"          },
        {"double", "%s + 0e0"                    }, /* -0 and 0 differ */
        {"bit",    "%s + 0"                      },
        {"enum",   "CONCAT(%s + 0, ' ', HEX(%s))"}, /* 0 is the error value */
        {"set",    "CONCAT(%s + 0, ' ', HEX(%s))"},
        {"json",   "HEX(CAST(%s AS CHAR))"       },
    };
    static const char *const plain[] = {"int",  "decimal",  "date",      "time",
                                        "year", "datetime", "timestamp", "bigint"};

    for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
        if (strcmp(exact[i].type, type) == 0) {
            const char *first = strstr(exact[i].format, "%s");
            const char *second = strstr(first + 2, "%s");
            return second ? arena_printf(arena, "%.*s%s%.*s%s%s", (int)(first - exact[i].format),
                                         exact[i].format, column, (int)(second - first - 2),
                                         first + 2, column, second + 2)
                          : arena_printf(arena, "%.*s%s%s", (int)(first - exact[i].format),
                                         exact[i].format, column, first + 2);
        }
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (strcmp(plain[i], type) == 0 || (i == 0 && strstr(type, "int") && strlen(type) < 10))
            return column;
    return arena_printf(arena, "HEX(%s)", column);
}

/* The list of the columns' exact values, asked of the server. */
static const char *columns_of(struct db *db, const char *question,
                              const char *(*exact)(const char *type, const char *column,
                                                   struct arena *arena),
                              struct arena *arena)
{
    AUTO(rows) rows = ROWS_INIT;
    AUTO(text) list = TEXT_INIT;
    struct error err = ERROR_INIT;

    if (!db_query(db, &rows, question, &err))
        fail_msg("%s: %s", question, err.text);
    while (rows_next(&rows, &err)) {
        const char *column = db_quote_name(db, arena, rows_text(&rows, 0));
        text_printf(&list, "%s%s", list.length ? ", " : "",
                    exact(rows_text(&rows, 1), column, arena));
    }
    return arena_string(arena, list.bytes);
}

/* A sequence in a default is shown with its database, which is not the twin's. */
static const char *without_database(struct db *db, const char *definition, struct arena *arena)
{
    struct error err = ERROR_INIT;
    const char *name = NULL;
    AUTO(text) out = TEXT_INIT;

    if (!db_value(db, arena, &name, "SELECT DATABASE()", &err))
        fail_msg("%s", err.text);
    const char *prefix = arena_printf(arena, "%s.", db_quote_name(db, arena, name));
    for (const char *found; (found = strstr(definition, prefix));) {
        text_add_bytes(&out, definition, (size_t)(found - definition));
        definition = found + strlen(prefix);
    }
    text_add(&out, definition);
    return arena_string(arena, out.bytes);
}

/* Takes AUTO_INCREMENT=n out of the definition and keeps the number. */
static void add_definition(struct picture *picture, const char *definition, struct arena *arena)
{
    const char *counter = NULL;

    for (const char *at = definition; (at = strstr(at, " AUTO_INCREMENT=")); at++)
        counter = at;
    for (const char *at = definition; *at;) {
        const size_t length = strcspn(at, "\n");
        const char *line = arena_printf(arena, "definition %.*s", (int)length, at);
        if (counter && counter > at && counter < at + length) {
            char *end;
            picture->next_number = strtoull(counter + strlen(" AUTO_INCREMENT="), &end, 10);
            line = arena_printf(arena, "definition %.*s%.*s", (int)(counter - at), at,
                                (int)(at + length - end), end);
        }
        add_line(picture, line, arena);
        at += length + (at[length] == '\n');
    }
}

static void take_mysql(struct picture *picture, struct db *db, const char *table,
                       struct arena *arena)
{
    AUTO(rows) rows = ROWS_INIT;
    struct error err = ERROR_INIT;
    const char *quoted = db_quote_name(db, arena, table);
    const char *literal = db_quote_literal(db, arena, table);

    if (!db_query(db, &rows, arena_printf(arena, "SHOW CREATE TABLE %s", quoted), &err) ||
        !rows_next(&rows, &err))
        fail_msg("SHOW CREATE TABLE %s: %s", quoted, err.text);
    const char *definition = arena_string(arena, rows_text(&rows, 1));
    rows_release(&rows);
    add_definition(picture, without_database(db, definition, arena), arena);
    add_rows(picture, db, "trigger",
             arena_printf(arena,
                          "SELECT TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_STATEMENT"
                          " FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()"
                          " AND EVENT_OBJECT_TABLE = %s",
                          literal),
             arena);
    const char *columns = columns_of(
        db,
        arena_printf(arena,
                     "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE "
                     "TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
                     literal),
        exact_mysql, arena);
    add_rows(picture, db, "row", arena_printf(arena, "SELECT %s FROM %s", columns, quoted), arena);
}

/* ---- PostgreSQL ---- */

static const char *exact_postgres(const char *type, const char *column, struct arena *arena)
{
    (void)type;
    return arena_printf(arena, "%s::text", column);
}

/*
 * Each is asked with {class}, the table's regclass.  The option pg_attver is the
 * server's own (PostgreSQL 15.20), another number for every column made.
 */
static const struct {
    const char *what, *question;
} postgres_questions[] = {
    {"column",
     "SELECT row_number() OVER (ORDER BY a.attnum), a.attname, format_type(a.atttypid, "
     "a.atttypmod),"
     " a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),"
     " a.attcollation::regcollation, a.attstorage, a.attcompression, nullif(a.attstattarget, -1),"
     " ARRAY(SELECT x FROM unnest(a.attoptions) x WHERE x !~ '^pg_attver=' ORDER BY 1),"
     " col_description(a.attrelid, a.attnum),"
     " ARRAY(SELECT x::text FROM unnest(a.attacl) x ORDER BY 1)"
     " FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
     " WHERE a.attrelid = {class} AND a.attnum > 0 AND NOT a.attisdropped"                        },
    {"constraint",
     "SELECT conname, contype, pg_get_constraintdef(oid), convalidated, condeferrable, condeferred,"
     " conislocal, connoinherit, obj_description(oid, 'pg_constraint')"
     " FROM pg_constraint WHERE conrelid = {class}"                                               },
    {"index",
     "SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisprimary, i.indisunique,"
     " i.indimmediate, i.indisclustered, i.indisreplident, i.indisvalid, i.indisready,"
     " c.reltablespace, obj_description(c.oid, 'pg_class'), pg_get_userbyid(c.relowner),"
     " ARRAY(SELECT nullif(a.attstattarget, -1) FROM pg_attribute a WHERE a.attrelid = c.oid ORDER "
     "BY a.attnum)"
     " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = {class}"        },
    {"table",
     "SELECT c.relname, c.relkind, pg_get_userbyid(c.relowner),"
     " ARRAY(SELECT x::text FROM unnest(coalesce(c.relacl, acldefault('r', c.relowner))) x"
     " ORDER BY 1),"
     " ARRAY(SELECT x FROM unnest(c.reloptions) x ORDER BY 1),"
     " ARRAY(SELECT x FROM unnest(t.reloptions) x ORDER BY 1), c.relpersistence, c.relreplident,"
     " c.relrowsecurity, c.relforcerowsecurity, c.reltablespace, c.relam, c.reloftype,"
     " obj_description(c.oid, 'pg_class')"
     " FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = {class}"     },
    {"trigger",
     "SELECT tgname, pg_get_triggerdef(oid), tgenabled, obj_description(oid, 'pg_trigger')"
     " FROM pg_trigger WHERE tgrelid = {class} AND NOT tgisinternal"                              },
    {"statistics",
     "SELECT stxname, pg_get_statisticsobjdef(oid), obj_description(oid, 'pg_statistic_ext'),"
     " pg_get_userbyid(stxowner), nullif(stxstattarget, -1) FROM pg_statistic_ext WHERE stxrelid = "
     "{class}"                                                                                    },
    {"rule",       "SELECT rulename, pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = {class}"},
    {"policy",     "SELECT polname, polcmd FROM pg_policy WHERE polrelid = {class}"               },
    {"published",
     "SELECT p.pubname FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid"
     " WHERE r.prrelid = {class}"                                                                 },
    {"sequence",
     "SELECT (SELECT attname FROM pg_attribute WHERE attrelid = {class} AND attnum = "
     "d.refobjsubid),"
     " d.deptype, c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax,"
     " s.seqmin, s.seqcache, s.seqcycle, pg_get_userbyid(c.relowner),"
     " ARRAY(SELECT x::text FROM unnest(coalesce(c.relacl, acldefault('s', c.relowner))) x"
     " ORDER BY 1), c.relpersistence,"
     " obj_description(c.oid, 'pg_class')"
     " FROM pg_depend d JOIN pg_sequence s ON s.seqrelid = d.objid JOIN pg_class c ON c.oid = "
     "d.objid"
     " WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
     " AND d.refobjid = {class} AND d.deptype IN ('a', 'i')"                                      },
};

/* Every sequence that is not another table's: those that defaults use need not belong to ours. */
static void add_sequences(struct picture *picture, struct db *db, struct sql_env *env,
                          struct arena *arena)
{
    AUTO(rows) rows = ROWS_INIT;
    AUTO(text) all = TEXT_INIT;
    struct error err = ERROR_INIT;

    if (!sql_query(db, &rows,
                   "SELECT c.relname FROM pg_class c WHERE c.relkind = 'S' AND c.relnamespace ="
                   " 'public'::regnamespace AND c.relname !~ '^osc_state' AND NOT EXISTS"
                   " (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid ="
                   " c.oid AND d.refclassid = d.classid AND d.refobjid <> {class})",
                   env, &err))
        fail_msg("%s", err.text);
    while (rows_next(&rows, &err))
        text_printf(&all, "%sSELECT %s, last_value, is_called FROM %s",
                    all.length ? " UNION ALL " : "",
                    db_quote_literal(db, arena, rows_text(&rows, 0)),
                    db_quote_name(db, arena, rows_text(&rows, 0)));
    rows_release(&rows);
    if (all.length)
        add_rows(picture, db, "sequence value", all.bytes, arena);
}

static void take_postgres(struct picture *picture, struct db *db, const char *table,
                          struct arena *arena)
{
    struct sql_env env = {.arena = arena};
    const char *quoted = db_quote_name(db, arena, table);
    const char *class = arena_printf(arena, "%s::regclass", db_quote_literal(db, arena, quoted));

    sql_bind_sql(&env, "class", class);
    for (size_t i = 0; i < ARRAY_SIZE(postgres_questions); i++)
        add_rows(picture, db, postgres_questions[i].what,
                 sql_renders(arena, postgres_questions[i].question, &env), arena);
    add_sequences(picture, db, &env, arena);
    const char *columns = columns_of(
        db,
        sql_renders(arena,
                    "SELECT attname, '' FROM pg_attribute WHERE attrelid = {class} AND attnum > 0"
                    " AND NOT attisdropped ORDER BY attnum",
                    &env),
        exact_postgres, arena);
    add_rows(picture, db, "row", arena_printf(arena, "SELECT %s FROM ONLY %s", columns, quoted),
             arena);
}

/* ---- both ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct picture picture_take(struct db *db, const char *table, struct arena *arena)
{
    struct picture picture = {.n = 0};

    if (db_dialect(db) == &postgres_dialect)
        take_postgres(&picture, db, table, arena);
    else
        take_mysql(&picture, db, table, arena);
    qsort(picture.lines, picture.n, sizeof *picture.lines, by_text);
    return picture;
}

static void report(struct text *out, const char *sign, const char *line, unsigned *differences)
{
    if (++*differences <= MOST_DIFFERENCES)
        text_printf(out, "\n  %s %.*s%s", sign, LONGEST, line, strlen(line) > LONGEST ? "…" : "");
}

void picture_compare(const struct picture *wanted, const struct picture *got, struct text *out)
{
    unsigned differences = 0;
    size_t i = 0, j = 0;

    while (i < wanted->n || j < got->n) {
        const int order = i == wanted->n ? 1
                          : j == got->n  ? -1
                                         : strcmp(wanted->lines[i], got->lines[j]);
        if (order < 0)
            report(out, "-", wanted->lines[i], &differences);
        else if (order > 0)
            report(out, "+", got->lines[j], &differences);
        i += order <= 0;
        j += order >= 0;
    }
    if (differences > MOST_DIFFERENCES)
        text_printf(out, "\n  and %u lines more", differences - MOST_DIFFERENCES);
    if (got->next_number < wanted->next_number)
        text_printf(out, "\n  AUTO_INCREMENT %lu is behind %lu", (unsigned long)got->next_number,
                    (unsigned long)wanted->next_number);
}
