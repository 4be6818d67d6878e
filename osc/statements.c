#include "osc/statements.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct statements *statements, const char *statement)
{
    if (statements->n == statements->size) {
        const size_t size = statements->size ? statements->size * 2 : 16;
        const char **list = ARENA_ARRAY(statements->arena, const char *, size);
        if (statements->n)
            memcpy(list, statements->list, statements->n * sizeof *list);
        statements->list = list;
        statements->size = size;
    }
    statements->list[statements->n++] = statement;
}

void statements_add(struct statements *statements, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        bug("bad format: %s", format);
    char *statement = arena_alloc(statements->arena, (size_t)length + 1);
    (void)vsnprintf(statement, (size_t)length + 1, format, again);
    va_end(again);
    append(statements, statement);
}

bool statements_ask(struct statements *statements, struct db *db, const char *template,
                    const struct sql_env *env, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (!sql_query(db, &rows, template, env, err))
        return false;
    while (rows_next(&rows, err))
        append(statements, arena_string(statements->arena, rows_text(&rows, 0)));
    return err->kind == ERROR_NONE;
}

bool statements_run(const struct statements *statements, struct db *db, struct error *err)
{
    for (size_t i = 0; i < statements->n; i++)
        if (!db_exec(db, statements->list[i], NULL, err))
            return false;
    return true;
}

bool statements_run_at_once(const struct statements *statements, struct db *db, struct error *err)
{
    AUTO(text) script = TEXT_INIT;

    for (size_t i = 0; i < statements->n; i++)
        text_printf(&script, "%s%s", i ? ";\n" : "", statements->list[i]);
    return !script.length || db_exec(db, script.bytes, NULL, err);
}

bool statements_load(struct statements *statements, const json_t *array, struct error *err)
{
    bool good = json_is_array(array);

    for (size_t i = 0; good && i < json_array_size(array); i++) {
        const char *statement = json_string_value(json_array_get(array, i));
        good = statement != NULL;
        if (good)
            append(statements, arena_string(statements->arena, statement));
    }
    return good ? true : error_set(err, ERROR_SYSTEM, "the stored statements cannot be read");
}

json_t *statements_save(const struct statements *statements)
{
    json_t *array = json_array();

    for (size_t i = 0; i < statements->n; i++)
        json_array_append_new(array, json_string(statements->list[i]));
    return array;
}
