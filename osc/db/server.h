/*
 * Servers: who answers, what can it do, and may we run here.
 *
 * Facts are computed once, at connect, from vendor and version; code asks for
 * a fact, never for a vendor.
 */
#ifndef OSC_DB_SERVER_H
#define OSC_DB_SERVER_H

#include "osc/db/db.h"

struct disk;
struct replicas;
struct replica_lag;

struct facts {
    const char *vendor;  /* "MySQL", "MariaDB", "PostgreSQL": for people only */
    const char *version; /* as the server says it */
    const char *server;  /* which one, where a replica numbers its tables differently; else "" */
    unsigned number;     /* 100011 = 10.0.11, 150020 = 15.20, 90704 = 9.7.4 */
    bool is_supported;
    unsigned max_name_bytes; /* identifiers: 63 or 64 (characters where names_in_characters) */
    bool names_in_characters;
    bool renames_under_lock; /* RENAME TABLE is allowed under LOCK TABLES */
    bool swaps_gently;       /* a moment without writers is looked for, and taken without a queue */
    bool lock_has_nowait;    /* LOCK TABLES … NOWAIT / WAIT n */
    bool sees_metadata_locks;        /* we can read who holds which table lock, … */
    bool sees_metadata_lock_info;    /* … or can from MariaDB's plugin of that name */
    bool counter_takes_turns;        /* AUTO_INCREMENT: two INSERT … SELECT wait for each other */
    bool compares_text_by_bytes;     /* a collation does, blanks at the end as well */
    bool lists_processes_well;       /* performance_schema.processlist can be read */
    bool triggers_beside_readers;    /* creating a trigger does not mind who only reads */
    bool prepares_beside_triggers;   /* a statement may be prepared while a trigger is created, and
                                        miss it for good */
    const char *sight_right;         /* the statement that lets us see (more of) who holds a lock */
    const char *kill_right;          /* … that lets us end connections of others */
    bool has_check_names_per_schema; /* CHECK constraint names are unique per schema */
    bool read_only_is_personal;      /* our role, database or DSN says read-only, not the server */
    bool lower_case_names;           /* table names are folded to lower case */
    const char *inner_tables;        /* information_schema's list of InnoDB's tables, or NULL */
    const char *inner_spaces;        /* of its tablespaces, where names are written as they are */
    const char *inner_foreign_keys;  /* of its foreign keys */
};

struct others {
    uint64_t statements; /* sent to the whole server so far, as far as it has counted */
    uint64_t ours;       /* of these, or on their way into that count */
    uint64_t sessions;   /* seen to do something in the last second, where we may see that */
};

struct signal;

struct server_dialect {
    const struct signal *signals; /* that only this kind has; see throttle_signals.h */
    const char *begin;            /* a read-write transaction at READ COMMITTED            */

    /* Sets every session setting explicitly and fills db->id and db->facts. */
    bool (*setup)(struct db *db, const char *purpose, struct error *err);

    /*
     * Named locks that die with their session: the lease and the fences.
     * take: true when we have it; *holder is set to the connection that holds
     * it otherwise (0 when unknown), with false and ERROR_TRANSIENT.
     */
    bool (*lock_take)(struct db *db, const char *name, uint64_t *holder, struct error *err);
    bool (*lock_holder)(struct db *db, const char *name, uint64_t *holder,
                        struct error *err);                              /* 0: free */
    bool (*kill)(struct db *db, uint64_t connection, struct error *err); /* gone already is fine */

    /* Why nobody may write to this server now, in *reason; NULL: everybody may. */
    bool (*read_only)(struct db *db, const char **reason, struct error *err);

    /* Adds where its files are, if it runs on this host and tells us. */
    bool (*find_files)(struct db *db, struct disk *disk, struct error *err);

    /* Who is at work there but this process? */
    bool (*look_at_others)(struct db *db, struct others *others, struct error *err);

    /* From the primary; `replicas` keeps connections from look to look. */
    bool (*look_at_replicas)(struct db *db, struct replicas *replicas, struct replica_lag *lag,
                             struct error *err);
};

extern const struct server_dialect mysql_server;
extern const struct server_dialect postgres_server;

uint64_t server_hash(const char *key); /* 64 well-mixed bits */

/*
 * The lease: one migration per table.  ERROR_REFUSED with the holder's id when another run has it.
 * `run` is the name of this run, which no other ever had: it is locked as well, and so the server
 * can say whether the lease is still this run's, from any connection.
 */
bool server_take_lease(struct db *db, const char *table_key, const char *run,
                       struct error *err) MUST_CHECK;
/* False where the session that took the lease for `run` has ended. */
bool server_has_lease(struct db *db, const char *table_key, const char *run, bool *has,
                      struct error *err) MUST_CHECK;
/* Takes it from whoever has it: that connection is ended and seen gone. */
bool server_seize_lease(struct db *db, const char *table_key, const char *run,
                        struct error *err) MUST_CHECK;

/*
 * Fence: makes sure that no other connection still acts in this role, decided
 * by the server: whoever holds the role's lock is killed and seen gone, then
 * the lock is ours until our session ends.  Call before the first write.
 * Fails, for good, when the lease is no longer that of `run`.
 */
bool server_fence(struct db *db, const char *table_key, const char *run, const char *role,
                  struct error *err) MUST_CHECK;

/* Kills and sees gone every connection that holds the fence of role "<prefix>N" for N in [from,
 * to). */
bool server_fence_off(struct db *db, const char *table_key, const char *prefix, unsigned from,
                      unsigned to, struct error *err) MUST_CHECK;

/*
 * ERROR_SERVER when the server was switched to read-only.  What we write may still be let
 * through (a superuser's), but is lost, or worse, on the server that takes its place.
 */
bool server_check_writable(struct db *db, struct error *err) MUST_CHECK;

/* Adds the client libraries we run with, one per line. */
void server_libraries(struct text *out);

#endif
