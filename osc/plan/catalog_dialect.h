/*
 * What planning asks of a kind of server.
 */
#ifndef OSC_PLAN_CATALOG_DIALECT_H
#define OSC_PLAN_CATALOG_DIALECT_H

#include "osc/plan/alter.h"
#include "osc/plan/plan.h"

/* One preflight check: adds its findings to the plan; fails only when it cannot ask. */
struct check {
    const char *name; /* "foreign-keys", "grants": stable, shown to people */
    bool (*run)(struct db *db, struct plan *plan, struct error *err);
};

struct catalog_dialect {
    /*
     * Loads a table.  `schema` may be NULL: the connection's database, or the
     * first hit of the user's search path.  ERROR_MISSING when there is none.
     */
    bool (*load)(struct db *db, const char *schema, const char *name, struct arena *arena,
                 struct table **table, struct error *err);

    /* Only identity and fingerprint, as cheap as can be (asked at every watermark save and under
     * the lock). */
    bool (*identify)(struct db *db, const struct table *table, struct arena *arena,
                     const char **identity, const char **fingerprint, struct error *err);

    /* Does a relation of this name exist in the schema?  *comment: what it says of itself, "" if
     * nothing. */
    bool (*exists)(struct db *db, const char *schema, const char *name, struct arena *arena,
                   bool *exists, const char **comment, struct error *err);

    /*
     * Templates over {schema} and {name}.  Who has made the relation of that name, in words,
     * unless it is an ordinary table of ours, of a superuser or of the owner of {like}; and the
     * statements, as one text, that take back what others were given on anything of that
     * name.  No row where tables have no owners.
     */
    const char *stranger, *revoke;

    struct alter_rules alter_rules; /* how the ALTER text is quoted */

    const struct check *checks;        /* ends with a row without a name */
    const struct check *server_checks; /* those of a primary: they ask for no table */

    /*
     * Which source column became which shadow column: fills plan->map (from,
     * to, value over the alias t) from plan->source, plan->shadow, plan->alter.
     */
    bool (*map_columns)(struct plan *plan, struct error *err);

    /* `ref` (a value of column `from`) turned into column `to`'s type as an assignment would do it.
     */
    const char *(*convert)(const struct column *from, const struct column *to, const char *ref,
                           struct arena *arena);

    /*
     * A condition on `ref` that is true for a value which the conversion would
     * change silently (rounding); NULL when it cannot, or when the server raises an error itself.
     */
    const char *(*silent_loss)(const struct column *from, const struct column *to, const char *ref,
                               struct arena *arena);

    /* Two keys equal under `from` are equal under `to` and the other way round. */
    bool (*keeps_equality)(const struct column *from, const struct column *to);
    /* Values sort alike under both. */
    bool (*keeps_order)(const struct column *from, const struct column *to);

    /* a and b are the same to the byte (not by collation): SQL condition, NULL-safe not needed. */
    const char *(*same_bytes)(const struct column *column, const char *a, const char *b,
                              struct arena *arena);

    /* SQL expression that yields, as text, a literal which denotes `ref` exactly and can be
     * compared with the column through its index. */
    const char *(*literal_of)(const struct column *column, const char *ref, struct arena *arena);
    bool compares_rows;      /* (a, b) > (1, 2) uses an index; otherwise conditions are expanded */
    const char *only;        /* "ONLY " where tables inherit, or "" */
    const char *force_index; /* template after "FROM {source} AS t", e.g. " FORCE INDEX
                                ({key_index})", or "" */
};

extern const struct catalog_dialect mysql_catalog;
extern const struct catalog_dialect postgres_catalog;

#endif
