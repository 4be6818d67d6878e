/*
 * SQL: templates with named placeholders.
 *
 *   "INSERT INTO {shadow} ({shadow_columns}) SELECT …"
 *
 * Names enter an environment already quoted, values already as literals or
 * numbers; sql_bind_sql() is for fragments made of such parts by a dialect.
 * An unknown placeholder is a bug(), and a test renders every template.
 */
#ifndef OSC_DB_SQL_H
#define OSC_DB_SQL_H

#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/text.h"
#include "osc/db/db.h"

struct sql_env {
    struct arena *arena;
    const struct sql_env *outer; /* looked up when a name is not here; may be NULL */
    struct sql_binding {
        const char *name, *value;
        struct sql_binding *next;
    } * bindings;
};

void sql_bind_name(struct sql_env *env, struct db *db, const char *placeholder, const char *name);
void sql_bind_literal(struct sql_env *env, struct db *db, const char *placeholder,
                      const char *value); /* NULL gives NULL */
void sql_bind_u64(struct sql_env *env, const char *placeholder, uint64_t value);
void sql_bind_sql(struct sql_env *env, const char *placeholder, const char *fragment);
const char *sql_lookup(const struct sql_env *env, const char *placeholder); /* NULL: not bound */

/* Adds the template with its placeholders filled in. */
void sql_render(struct text *out, const char *template, const struct sql_env *env);
const char *sql_renders(struct arena *arena, const char *template, const struct sql_env *env);

/* Render and run. */
bool sql_exec(struct db *db, const char *template, const struct sql_env *env, uint64_t *affected,
              struct error *err) MUST_CHECK;
bool sql_query(struct db *db, struct rows *rows, const char *template, const struct sql_env *env,
               struct error *err) MUST_CHECK;

#endif
