#include "osc/db/sql.h"

#include <inttypes.h>
#include <string.h>

void sql_bind_sql(struct sql_env *env, const char *placeholder, const char *fragment)
{
    struct sql_binding *binding = ARENA_NEW(env->arena, struct sql_binding);

    binding->name = placeholder;
    binding->value = fragment;
    binding->next = env->bindings;
    env->bindings = binding;
}

void sql_bind_name(struct sql_env *env, struct db *db, const char *placeholder, const char *name)
{
    sql_bind_sql(env, placeholder, db_quote_name(db, env->arena, name));
}

void sql_bind_literal(struct sql_env *env, struct db *db, const char *placeholder,
                      const char *value)
{
    sql_bind_sql(env, placeholder, db_quote_literal(db, env->arena, value));
}

void sql_bind_u64(struct sql_env *env, const char *placeholder, uint64_t value)
{
    sql_bind_sql(env, placeholder, arena_printf(env->arena, "%" PRIu64, value));
}

static const char *lookup(const struct sql_env *env, const char *name, size_t length)
{
    for (; env; env = env->outer)
        for (const struct sql_binding *b = env->bindings; b; b = b->next)
            if (strlen(b->name) == length && memcmp(b->name, name, length) == 0)
                return b->value;
    return NULL;
}

const char *sql_lookup(const struct sql_env *env, const char *placeholder)
{
    return lookup(env, placeholder, strlen(placeholder));
}

void sql_render(struct text *out, const char *template, const struct sql_env *env)
{
    for (const char *open; (open = strchr(template, '{'));) {
        const char *close = strchr(open, '}');
        if (!close)
            bug("template without closing brace: %s", template);
        const char *value = lookup(env, open + 1, (size_t)(close - open - 1));
        if (!value)
            bug("unknown placeholder %.*s", (int)(close - open + 1), open);
        text_add_bytes(out, template, (size_t)(open - template));
        text_add(out, value);
        template = close + 1;
    }
    text_add(out, template);
}

const char *sql_renders(struct arena *arena, const char *template, const struct sql_env *env)
{
    AUTO(text) out = TEXT_INIT;

    sql_render(&out, template, env);
    return arena_copy(arena, out.bytes, out.length);
}

bool sql_exec(struct db *db, const char *template, const struct sql_env *env, uint64_t *affected,
              struct error *err)
{
    AUTO(text) statement = TEXT_INIT;

    sql_render(&statement, template, env);
    return db_exec(db, statement.bytes, affected, err);
}

bool sql_query(struct db *db, struct rows *rows, const char *template, const struct sql_env *env,
               struct error *err)
{
    AUTO(text) statement = TEXT_INIT;

    sql_render(&statement, template, env);
    return db_query(db, rows, statement.bytes, err);
}
