#include <string.h>

#include "osc/deferral_postgres.h"
#include "osc/plan/names.h"

static size_t common_prefix(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

/* The server cuts the table's name when the whole would be too long. */
static const char *final_name(const struct maker *maker, const char *name)
{
    const struct plan *plan = maker->plan;
    const size_t limit = plan->facts->max_name_bytes, whole = strlen(plan->names.shadow);
    size_t common = common_prefix(name, plan->names.shadow);
    size_t keep = strlen(plan->source->name);

    if (common < whole && (strlen(name) + 2 < limit || common < limit / 2))
        return name;
    if (common > 0 && name[common] != '_' && name[common - 1] == '_')
        common--; /* cut where our own part begins: this one joins what follows */
    const char *rest = name + common;
    while (keep > 0 && (keep + strlen(rest) > limit ||
                        ((unsigned char)plan->source->name[keep] & 0xc0) == 0x80))
        keep--;
    return arena_printf(maker->arena, "%.*s%s", (int)keep, plan->source->name, rest);
}

/*
 * Is this name free for the source's relation once the source's own parts have
 * stepped aside?  Constraints have their names within the table.
 */
static const char count_taken[] =
    "SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c\n"
    "   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "   WHERE n.nspname = {schema_name} AND c.relname = {name}\n"
    "   AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i\n"
    "     WHERE i.indexrelid = c.oid AND i.indrelid = {source_class})) +\n"
    " (SELECT pg_catalog.count(*) FROM pg_catalog.pg_constraint k\n"
    "   WHERE k.conrelid = {shadow_class} AND k.conname = {name})";

static bool is_given(const struct name_pair *given, const char *name)
{
    for (; given; given = given->next)
        if (strcmp(given->to, name) == 0)
            return true;
    return false;
}

void give(struct deferral *d, const char *from, const char *to)
{
    struct name_pair *pair = ARENA_NEW(d->maker->arena, struct name_pair);

    *pair = (struct name_pair){.from = from, .to = to, .next = d->given};
    d->given = pair;
}

/* As the server does: behind a name that is taken comes a number. */
bool choose_name(struct deferral *d, const char *name, const char **chosen, struct error *err)
{
    struct maker *maker = d->maker;
    const char *wanted = final_name(maker, name);

    *chosen = wanted;
    for (unsigned n = 1; strcmp(wanted, name) != 0; n++) {
        struct sql_env env = {.arena = maker->arena, .outer = &maker->env};
        uint64_t taken = 0;
        sql_bind_literal(&env, maker->db, "schema_name", maker->plan->source->schema);
        sql_bind_literal(&env, maker->db, "name", *chosen);
        if (!db_value_u64(maker->db, &taken, sql_renders(maker->arena, count_taken, &env), err))
            return false;
        if (!taken && !is_given(d->given, *chosen))
            break;
        *chosen = arena_printf(maker->arena, "%s%u", wanted, n);
    }
    give(d, name, *chosen);
    return true;
}

const char *retired_name(const struct maker *maker, const char *suffix, size_t number)
{
    const char *name = names_with_suffix(
        maker->plan->source->name, arena_printf(maker->arena, "_osc_old_%s%zu", suffix, number),
        maker->plan->facts, maker->arena);

    return db_quote_name(maker->db, maker->arena, name);
}

const char *quoted(const struct maker *maker, const char *name)
{
    return db_quote_name(maker->db, maker->arena, name);
}

/* The source's name for what goes by `temporary` (quoted) in the shadow; NULL: it is new. */
const char *original(const struct name_pair *pairs, const char *temporary)
{
    for (; pairs; pairs = pairs->next)
        if (strcmp(pairs->to, temporary) == 0)
            return pairs->from;
    return NULL;
}
