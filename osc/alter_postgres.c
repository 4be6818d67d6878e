#include <stdio.h>
#include <string.h>

#include "osc/plan/postgres.h"
#include "osc/shadow_postgres.h"

static const char *replace(const char *text, const char *from, const char *to, struct arena *arena)
{
    AUTO(text) out = TEXT_INIT;

    for (const char *found; (found = strstr(text, from)); text = found + strlen(from)) {
        text_add_bytes(&out, text, (size_t)(found - text));
        text_add(&out, to);
    }
    text_add(&out, text);
    return arena_copy(arena, out.bytes, out.length);
}

/* People know their own names, not ours. */
static void say_source(const struct maker *maker, struct error *err)
{
    const struct plan *plan = maker->plan;
    const char *text = err->text;

    /* The last index has the longest number: its name is no prefix of another. */
    for (const struct name_pair *pair = maker->indexes; pair; pair = pair->next)
        text = replace(text, pair->to, db_quote_name(maker->db, maker->arena, pair->from),
                       maker->arena);
    text = replace(text, plan->names.shadow, plan->source->name, maker->arena);
    (void)snprintf(err->text, sizeof err->text, "%s", text);
}

static bool rejected(const struct maker *maker, struct error *err)
{
    say_source(maker, err);
    if (err->kind == ERROR_TRANSIENT || err->kind == ERROR_LOST || err->kind == ERROR_CANCELLED)
        return error_prefix(err, "applying the ALTER to the shadow");
    err->kind = ERROR_REFUSED;
    return error_prefix(err, "the server rejects the ALTER");
}

/* The user may write table.column; a schema of the same name would be meant otherwise. */
static bool put_names(struct maker *maker, const char **clauses, struct error *err)
{
    const struct alter_rules *rules = &postgres_catalog.alter_rules;
    const struct plan *plan = maker->plan;
    struct sql_env env = {.arena = maker->arena};
    uint64_t schemas = 0;

    *clauses = alter_with_names(plan->alter, rules, maker->indexes, maker->arena);
    sql_bind_literal(&env, maker->db, "name", plan->source->name);
    if (!db_value_u64(maker->db, &schemas,
                      sql_renders(maker->arena,
                                  "SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace n\n"
                                  "WHERE n.nspname = {name}",
                                  &env),
                      err))
        return false;
    if (!schemas)
        *clauses = alter_with_table(*clauses, rules, plan->source->name,
                                    db_quote_name(maker->db, maker->arena, plan->names.shadow),
                                    maker->arena);
    return true;
}

/*
 * Names without a schema mean to the user what they mean in the user's own
 * session.  The server takes a RENAME only alone; here the clauses are one
 * list for all servers.
 */
static bool run_clauses(struct maker *maker, struct error *err)
{
    const char *clauses = NULL;

    if (!put_names(maker, &clauses, err) ||
        !db_exec(maker->db, "SET LOCAL search_path TO DEFAULT", NULL, err))
        return false;
    for (const struct alter_part *part =
             alter_parts(clauses, &postgres_catalog.alter_rules, maker->arena);
         part; part = part->next) {
        const char *statement =
            arena_printf(maker->arena, "ALTER TABLE ONLY %s %s", maker->shadow, part->clauses);
        if (!db_exec(maker->db, statement, NULL, err))
            return rejected(maker, err);
    }
    return db_exec(maker->db, "SET LOCAL search_path = ''", NULL, err);
}

/* ---- what came of it ---- */

/*
 * A RESTART of an identity column shows only in its sequence: asks for
 * ",oid=value:called,oid=…,".
 */
static const char ask_states[] =
    "SELECT 'SELECT pg_catalog.concat('','', ' || COALESCE(pg_catalog.string_agg(\n"
    "    pg_catalog.format('''%s='', (SELECT q.last_value || '':'' || q.is_called FROM %s q),\n"
    "      '',''', d.objid, d.objid::pg_catalog.regclass), ', ' ORDER BY d.objid), 'NULL') || ')'\n"
    "FROM pg_catalog.pg_depend d WHERE d.refobjid = {shadow_class} AND d.deptype = 'i'\n"
    "  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid\n"
    "  AND EXISTS (SELECT FROM pg_catalog.pg_sequence s WHERE s.seqrelid = d.objid)";

static bool look_at_sequences(struct maker *maker, const char **states, struct error *err)
{
    const char *question = NULL;

    return db_value(maker->db, maker->arena, &question,
                    sql_renders(maker->arena, ask_states, &maker->env), err) &&
           db_value(maker->db, maker->arena, states, question, err);
}

static bool look(struct maker *maker, const char **definition, struct error *err)
{
    return db_value(maker->db, maker->arena, definition,
                    postgres_definition(maker->shadow_class, maker->arena), err);
}

/* What this version does not carry through a swap. */
static const char unsupported[] =
    "SELECT pg_catalog.format('foreign key %I', c.conname)\n"
    "  FROM pg_catalog.pg_constraint c WHERE c.conrelid = {shadow_class} AND c.contype = 'f'\n"
    "UNION ALL SELECT pg_catalog.format('inheritance from %s', h.inhparent::pg_catalog.regclass)\n"
    "  FROM pg_catalog.pg_inherits h WHERE h.inhrelid = {shadow_class}\n"
    "UNION ALL SELECT pg_catalog.format('composite type %s', c.reloftype::pg_catalog.regtype)\n"
    "  FROM pg_catalog.pg_class c WHERE c.oid = {shadow_class} AND c.reloftype <> 0\n"
    "UNION ALL SELECT 'row-level security that binds the owner'\n"
    "  FROM pg_catalog.pg_class c WHERE c.oid = {shadow_class} AND c.relforcerowsecurity\n"
    "UNION ALL SELECT pg_catalog.format('access method %I', am.amname)\n"
    "  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am am ON am.oid = c.relam\n"
    "  WHERE c.oid = {shadow_class} AND am.amname <> 'heap'\n"
    "UNION ALL SELECT 'another owner' FROM pg_catalog.pg_class c, pg_catalog.pg_class s\n"
    "  WHERE c.oid = {shadow_class} AND s.oid = {source_class} AND c.relowner <> s.relowner";

static bool check_outcome(struct maker *maker, struct error *err)
{
    struct statements found = {.arena = maker->arena};

    if (!statements_ask(&found, maker->db, unsupported, &maker->env, err))
        return false;
    if (!found.n)
        return true;
    error_set(err, ERROR_REFUSED, "the ALTER asks for what osc does not carry yet: %s",
              found.list[0]);
    return error_hint(err, "leave that clause out and run it natively afterwards");
}

static bool file_node(struct maker *maker, uint64_t *node, struct error *err)
{
    return db_value_u64(maker->db, node,
                        arena_printf(maker->arena, "SELECT pg_catalog.pg_relation_filenode(%s)",
                                     maker->shadow_class),
                        err);
}

/* The clauses once, or once more where what they do to rows has to be seen. */
static bool apply(struct maker *maker, struct error *err)
{
    uint64_t before = 0, after = 0;

    return file_node(maker, &before, err) &&
           db_exec(maker->db, "SAVEPOINT osc_before", NULL, err) && run_clauses(maker, err) &&
           file_node(maker, &after, err) &&
           find_new_values(maker, before != after, run_clauses, err) &&
           db_exec(maker->db, "RELEASE SAVEPOINT osc_before", NULL, err);
}

bool alter_shadow(struct maker *maker, struct error *err)
{
    const char *before = NULL, *after = NULL;

    if (!look(maker, &before, err) || !look_at_sequences(maker, &maker->states_before, err) ||
        !apply(maker, err) || !look(maker, &after, err) ||
        !look_at_sequences(maker, &maker->states_after, err) || !check_outcome(maker, err))
        return false;
    if (strcmp(before, after) != 0 || strcmp(maker->states_before, maker->states_after) != 0)
        return true;
    error_set(err, ERROR_REFUSED, "the ALTER changes nothing about %s",
              maker->plan->source->quoted);
    return error_hint(err, "the table already is as the clauses ask for");
}
