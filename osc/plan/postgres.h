/*
 * What the PostgreSQL files share.
 *
 * All of it speaks with an empty search_path: the server then qualifies every
 * name it tells us.
 */
#ifndef OSC_PLAN_POSTGRES_H
#define OSC_PLAN_POSTGRES_H

#include "osc/plan/catalog_dialect.h"

/* catalog_postgres.c */

/* "schema.table"'::pg_catalog.regclass, to be used where an oid is wanted. */
const char *postgres_class(struct db *db, const char *schema, const char *name,
                           struct arena *arena);
/* The oid at the start of table->identity. */
const char *postgres_oid(const struct table *table, struct arena *arena);
/* A query for everything an ALTER can change, as one text; takes an SQL expression of the oid. */
const char *postgres_definition(const char *class, struct arena *arena);

/*
 * FROM: the locks `l` of the prepared transactions `p` of this database.  They belong to no
 * process; which transaction holds them, only its lock on its own number tells.
 */
#define POSTGRES_PREPARED                                                                          \
    "FROM pg_catalog.pg_prepared_xacts p JOIN pg_catalog.pg_locks x\n"                             \
    "  ON x.transactionid = p.transaction AND x.granted AND x.pid IS NULL\n"                       \
    "JOIN pg_catalog.pg_locks l ON l.virtualtransaction = x.virtualtransaction\n"                  \
    "  AND l.pid IS NULL AND l.locktype = 'relation'\n"                                            \
    "WHERE p.database = pg_catalog.current_database()\n"

/* types_postgres.c */

const char *postgres_convert(const struct column *from, const struct column *to, const char *ref,
                             struct arena *arena);
const char *postgres_silent_loss(const struct column *from, const struct column *to,
                                 const char *ref, struct arena *arena);
bool postgres_keeps_equality(const struct column *from, const struct column *to);
bool postgres_keeps_order(const struct column *from, const struct column *to);
const char *postgres_same_bytes(const struct column *column, const char *a, const char *b,
                                struct arena *arena);
const char *postgres_literal_of(const struct column *column, const char *ref, struct arena *arena);

/* The result depends on the session's time zone. */
bool postgres_depends_on_zone(const struct column *from, const struct column *to);

/* columns_postgres.c */

bool postgres_map_columns(struct plan *plan, struct error *err);

/* preflight_postgres.c */

extern const struct check postgres_checks[], postgres_server_checks[];

/* See struct catalog_dialect. */
extern const char postgres_stranger[], postgres_revoke[];

#endif
