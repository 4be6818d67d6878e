/*
 * Plan: everything about one migration that does not change while it runs.
 *
 * Assembled in two stages: plan_source() before anything exists (catalog,
 * preflight, names, migration key), plan_shadow() once the shadow can be read
 * back (column map, key mapping, SQL environment).  Immutable afterwards and
 * shared freely between threads.
 */
#ifndef OSC_PLAN_PLAN_H
#define OSC_PLAN_PLAN_H

#include "osc/db/server.h"
#include "osc/db/sql.h"
#include "osc/plan/table.h"

enum finding_level { FINDING_NOTE, FINDING_WARNING, FINDING_REFUSAL };

struct finding {
    struct finding *next;
    enum finding_level level;
    const char *check; /* name of the check */
    const char *text;  /* what was found, by name */
    const char *hint;  /* what to do about it; "" */
};

struct mapping {
    const struct column *from, *to;
    const char *value; /* SQL over the alias t: the source's value turned into the shadow's type */
    bool is_converted; /* type, charset or collation differ, or the user gave an expression */
    bool is_users_expression; /* ALTER … TYPE … USING expression */
};

/* Unquoted names of our objects, all in the source's schema and starting with the source's name. */
struct names {
    const char *shadow, *retired, *journal, *sentry;
    const char *chunks; /* record of what was copied, while the shadow has no index */
    const char *plain;  /* takes the rows when the shadow has done without its counter */
    const char *trigger_insert, *trigger_update,
        *trigger_delete;  /* where triggers are named objects of a schema */
    const char *function; /* where triggers call one */
};

struct plan {
    struct arena *arena;
    const struct dialect *dialect;
    const struct facts *facts;
    uint64_t id;           /* of the migration; 0 before it is recorded */
    const char *table_key; /* names the lease and the fences */
    const char *run;       /* names this run as the holder of the lease; NULL: nothing is run */
    const char *alter;     /* the clauses as given */
    const struct table *source;
    struct names names;
    const struct key *key;    /* the migration key, on the source */
    struct finding *findings; /* in the order found */

    /*
     * Name of the source's key whose index the shadow gets after the backfill;
     * NULL: it has one from the start.
     */
    const char *late_key;

    /* from plan_shadow() on: */
    bool is_bare; /* no index finds a row in the shadow yet: copied exactly, and not replayed */
    const struct table *shadow;
    struct mapping *map;
    size_t n_map;
    const struct column *
        *shadow_key;    /* the key's columns in the shadow, same order as key->columns */
    bool key_may_merge; /* the shadow may call keys equal that the source tells apart: verification
                           is a must */
    bool key_keeps_order; /* key ranges of the source select the same rows in the shadow */
    bool copy_may_skip;   /* a row may be left out because of another row: each chunk is checked */
    const char *silent_loss; /* condition on t: this row would be changed silently; NULL */

    /*
     * Placeholders for every template:
     *   {source} {shadow} {retired} {journal} {sentry} {chunks}   qualified and quoted
     *   {only_source} {only_shadow}   the same behind ONLY where tables inherit
     *   {source_name} {shadow_name} {retired_name} {journal_name}   quoted, without schema {schema}
     * quoted {shadow_columns}   a, b, c           columns of the map in the shadow {source_values}
     * t.a, t.b, …       their values {key}              t.k, …            key of the source over t
     *   {shadow_key}       the key's columns in the shadow, without an alias
     *   {shadow_key_column}  the first of them
     *   {journal_columns}  k1, k2            columns of the journal that hold the key
     *   {journal_key}      j.k1, j.k2
     *   {source_is_entry}  t.k = j.k1 AND …  equality under the source's collation
     *   {shadow_is_entry}  s.k = f(j.k1) AND …
     *   {shadow_is_source} s.k = f(t.k) AND …
     *   {key_index}        quoted name of the migration key's index on the source
     */
    struct sql_env env;
};

/* Reads the table and derives names and key; ERROR_USAGE for clauses that are none, ERROR_MISSING.
 */
bool plan_source(struct plan *plan, struct db *db, const char *schema, const char *table,
                 const char *alter, struct error *err) MUST_CHECK;
/* Names alone, to remove what a migration has made: the table itself may be gone.  `identity` is
 * what it had, or "". */
void plan_names(struct plan *plan, struct db *db, const char *schema, const char *table,
                const char *identity);
/* Runs every check and collects plan->findings; plan_refuse() then turns refusals into
 * ERROR_REFUSED. */
bool plan_preflight(struct plan *plan, struct db *db, struct error *err) MUST_CHECK;
/* ERROR_REFUSED on a server that is no primary: whatever was written there would set it apart. */
bool plan_check_primary(struct plan *plan, struct db *db, struct error *err) MUST_CHECK;
bool plan_refuse(const struct plan *plan, struct error *err) MUST_CHECK;
bool plan_shadow(struct plan *plan, struct db *db, struct error *err) MUST_CHECK;
/* After plan_shadow(): ERROR_REFUSED where only the comparison of all rows shows what the key
 * merged. */
bool plan_check_unverified(const struct plan *plan, bool is_verified, struct error *err) MUST_CHECK;

/* A plan to compare two existing tables, columns matched by name (osc verify A B). */
bool plan_comparison(struct plan *plan, struct db *db, const struct table *left,
                     const struct table *right, struct error *err) MUST_CHECK;

void plan_find(struct plan *plan, enum finding_level level, const char *check, const char *hint,
               const char *format, ...) PRINTF(5, 6);

/* The source is still the table we planned for; ERROR_REFUSED says what changed. */
bool plan_check_source(const struct plan *plan, struct db *db, struct error *err) MUST_CHECK;

#endif
