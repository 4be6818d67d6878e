/*
 * Dialect: the words one kind of server understands, folder by folder.
 *
 * The concern structs are declared here and defined in their own folders; the
 * two-row table is compiled into the top target because it names them all.
 */
#ifndef OSC_DB_DIALECT_H
#define OSC_DB_DIALECT_H

struct dialect {
    const char *name;                        /* "mysql", "postgres" */
    const struct db_driver *driver;          /* osc/db/driver_<name>.c     */
    const struct server_dialect *server;     /* osc/db/server_<name>.c     */
    const struct catalog_dialect *catalog;   /* osc/plan/catalog_<name>.c  */
    const struct blocker_dialect *blockers;  /* osc/plan/blockers_<name>.c */
    const struct shadow_dialect *shadow;     /* osc/shadow_<name>.c        */
    const struct copy_dialect *copy;         /* copier/copy_<name>.c       */
    const struct capture_dialect *capture;   /* triggers/capture_<name>.c  */
    const struct checksum_dialect *checksum; /* verifier/checksum_<name>.c */
    const struct cutover_dialect *cutover;   /* osc/cutover_<name>.c       */
    const struct state_dialect *state;       /* osc/state_<name>.c         */
    const struct estimate_dialect *estimate; /* osc/estimate_<name>.c      */
    const struct activity_dialect *activity; /* osc/activity_<name>.c      */
};

extern const struct dialect mysql_dialect;
extern const struct dialect postgres_dialect;

#endif
