/*
 * The preflight checks of the MySQL family, by theme.
 */
#ifndef OSC_PLAN_PREFLIGHT_MYSQL_H
#define OSC_PLAN_PREFLIGHT_MYSQL_H

#include "osc/plan/catalog_dialect.h"

/* the table */
bool check_engine(struct db *db, struct plan *plan, struct error *err);
bool check_partitions(struct db *db, struct plan *plan, struct error *err);
bool check_versioning(struct db *db, struct plan *plan, struct error *err);
bool check_foreign_keys(struct db *db, struct plan *plan, struct error *err);
bool check_triggers(struct db *db, struct plan *plan, struct error *err);
bool check_constraint_names(struct db *db, struct plan *plan, struct error *err);
bool check_names(struct db *db, struct plan *plan, struct error *err);
bool check_leftovers(struct db *db, struct plan *plan, struct error *err);

/* the server */
bool check_version(struct db *db, struct plan *plan, struct error *err);
bool check_read_only(struct db *db, struct plan *plan, struct error *err);
bool check_replica(struct db *db, struct plan *plan, struct error *err);
bool check_cluster(struct db *db, struct plan *plan, struct error *err);
bool check_binlog(struct db *db, struct plan *plan, struct error *err);
bool check_locks(struct db *db, struct plan *plan, struct error *err);
bool check_tablespace(struct db *db, struct plan *plan, struct error *err);
bool check_engines(struct db *db, struct plan *plan, struct error *err);
bool check_redo_log(struct db *db, struct plan *plan, struct error *err);
bool check_packets(struct db *db, struct plan *plan, struct error *err);
bool check_prepared(struct db *db, struct plan *plan, struct error *err);

/* the user */
bool check_privileges(struct db *db, struct plan *plan, struct error *err);

/* {in_schema} and {on_table} as literals, beside what the plan binds. */
struct sql_env preflight_env(struct db *db, const struct plan *plan, struct arena *arena);

#endif
