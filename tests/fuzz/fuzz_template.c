/*
 * Names and values in templates: nothing but the value itself stands where a
 * placeholder was, and it ends where its quotes end, whatever it is.
 */
#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/db/sql.h"
#include "tests/fuzz/fuzz.h"

/* Behind the literal, its bytes as the server reads them in `value`; written apart from osc. */
static const char *read_literal(const char *at, bool is_mysql, struct text *value)
{
    static const char codes[] = "0nrZ", means[] = "\0\n\r\032";
    bool escapes = is_mysql;

    if (at[0] == 'X' && at[1] == '\'') {
        unsigned byte;
        for (at += 2; sscanf(at, "%2X", &byte) == 1; at += 2)
            text_add_bytes(value, (const char[]){(char)byte}, 1);
        must(*at == '\'');
        return at + 1;
    }
    at += *at == ' ';
    if (*at == 'E') {
        escapes = true;
        at++;
    }
    must(*at == '\'');
    for (at++; !(at[0] == '\'' && at[1] != '\''); at++) {
        must(*at);
        const char *code = escapes && *at == '\\' && at[1] ? strchr(codes, at[1]) : NULL;
        if (code)
            text_add_bytes(value, &means[code - codes], 1);
        else
            text_add_bytes(value, escapes && *at == '\\' ? at + 1 : at, 1);
        at += *at == '\'' || (escapes && *at == '\\');
    }
    return at + 1;
}

static const char *read_name(const char *at, struct text *name)
{
    const char quote = *at;

    must(quote == '"' || quote == '`');
    for (at++; !(at[0] == quote && at[1] != quote); at++) {
        must(*at);
        text_add_bytes(name, at, 1);
        at += *at == quote;
    }
    return at + 1;
}

static void try_dialect(const struct dialect *dialect, const char *bytes)
{
    struct db db = {.dialect = dialect, .driver = dialect->driver, .arena = arena_new()};
    struct sql_env outer = {.arena = db.arena};
    struct sql_env env = {.arena = db.arena, .outer = &outer};
    AUTO(text) name = TEXT_INIT;
    AUTO(text) value = TEXT_INIT;

    sql_bind_name(&outer, &db, "table", bytes);
    sql_bind_literal(&env, &db, "value", bytes);
    const char *at =
        sql_renders(db.arena, "DELETE FROM {table} WHERE k ={value} AND {table}.k = 1", &env);
    at += strlen("DELETE FROM ");
    at = read_name(at, &name);
    must(strcmp(name.bytes, bytes) == 0);
    must(strncmp(at, " WHERE k =", 10) == 0);
    at = read_literal(at + 10, strcmp(dialect->name, "mysql") == 0, &value);
    must(value.length == strlen(bytes) && memcmp(value.bytes, bytes, value.length) == 0);
    must(strncmp(at, " AND ", 5) == 0);
    text_clear(&name);
    at = read_name(at + 5, &name);
    must(strcmp(name.bytes, bytes) == 0 && strcmp(at, ".k = 1") == 0);
    arena_free(db.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_string(&data, &size, true);

    try_dialect(&mysql_dialect, bytes);
    try_dialect(&postgres_dialect, bytes);
    free(bytes);
    return 0;
}
