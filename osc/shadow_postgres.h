/*
 * What the files that make a PostgreSQL shadow share.
 *
 * Creation: like the source, with every index under a name of ours; the ALTER
 * with these names put in; what came out is read back.  `deferred` is
 * the rest of the work as statements, for build and swap.
 */
#ifndef OSC_SHADOW_POSTGRES_H
#define OSC_SHADOW_POSTGRES_H

#include "osc/index_postgres.h"
#include "osc/plan/alter.h"
#include "osc/plan/plan.h"
#include "osc/statements.h"

/* A column that the ALTER adds. */
struct new_column {
    struct new_column *next;
    const char *quoted, *type, *base_type; /* base_type without length */
    const char *default_sql;               /* NULL: none */
    const char *value; /* of the rows that exist, as text; NULL is a value as well */
    bool is_known;     /* false: each row gets its own */
};

struct maker {
    struct db *db;
    struct plan *plan;
    struct arena *arena;
    const char *schema, *shadow; /* quoted; the shadow with its schema */
    const char *shadow_class;    /* the shadow's oid in SQL */
    struct sql_env env;          /* {source} {shadow} {source_class} {shadow_class} … */
    struct name_pair *indexes;   /* source's name → the shadow's, quoted */
    struct name_pair *statistics;
    struct new_column *new_columns;
    const char *states_before, *states_after; /* the ALTER: of the shadow's identity sequences */
};

/* like_postgres.c: the empty shadow, equal to the source in everything but names. */
bool like_source(struct maker *maker, struct error *err) MUST_CHECK;

/* alter_postgres.c: applies the clauses; ERROR_REFUSED when the server or we cannot. */
bool alter_shadow(struct maker *maker, struct error *err) MUST_CHECK;

/*
 * newcolumns_postgres.c: what new columns hold in the rows that exist.  After
 * the clauses were applied, with SAVEPOINT osc_before in front of them; `apply` does it again.
 */
bool find_new_values(struct maker *maker, bool is_rewritten,
                     bool (*apply)(struct maker *maker, struct error *err),
                     struct error *err) MUST_CHECK;

/* deferred_postgres.c: takes the indexes off and writes down what is to be done later. */
bool defer(struct maker *maker, const char **deferred, struct error *err) MUST_CHECK;

#endif
