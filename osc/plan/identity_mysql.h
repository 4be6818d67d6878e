/*
 * Is this still the same table?  Its number in InnoDB, or its tablespace's (which
 * TRUNCATE and every rebuild change), and its definition.
 */
#ifndef OSC_PLAN_IDENTITY_MYSQL_H
#define OSC_PLAN_IDENTITY_MYSQL_H

#include "osc/plan/table.h"

bool mysql_identify(struct db *db, const struct table *table, struct arena *arena,
                    const char **identity, const char **fingerprint, struct error *err) MUST_CHECK;

/* SHOW CREATE TABLE without what grows with the rows: AUTO_INCREMENT=17. */
bool mysql_definition(struct db *db, const char *quoted, struct arena *arena,
                      const char **definition, struct error *err) MUST_CHECK;

/* The number by which InnoDB knows a table; NULL when we may not see it or there is no such table.
 */
bool mysql_table_id(struct db *db, const char *schema, const char *name, struct arena *arena,
                    const char **id, struct error *err) MUST_CHECK;

/* Tables whose foreign keys refer to this one, as InnoDB writes them: "" when none, NULL when we
 * may not look. */
bool mysql_foreign_referrers(struct db *db, const struct table *table, struct arena *arena,
                             const char **referrers, struct error *err) MUST_CHECK;

/* The next AUTO_INCREMENT value of the table; 0 when it has none. */
bool mysql_next_value(struct db *db, const char *quoted, uint64_t *value,
                      struct error *err) MUST_CHECK;

#endif
