/*
 * What capture and replay ask of a kind of server.
 *
 * The journal's columns k1…kn have the types and collations of the source's
 * key.  An entry is named by its place in the journal ({entry}).
 */
#ifndef OSC_TRIGGERS_CAPTURE_DIALECT_H
#define OSC_TRIGGERS_CAPTURE_DIALECT_H

#include "osc/plan/plan.h"

struct capture_dialect {
    bool (*create_journal)(struct db *db, const struct plan *plan, struct error *err);
    /* One attempt to install the triggers, waiting for locks at most `timeout_ms`. ERROR_TRANSIENT:
     * try again. */
    bool (*install)(struct db *db, const struct plan *plan, uint64_t timeout_ms, struct error *err);
    /* Are the triggers there, enabled and ours?  *stamp names this very set of triggers. */
    bool (*check)(struct db *db, const struct plan *plan, struct arena *arena, const char **stamp,
                  struct error *err);
    /* Disarms at once where that needs no table lock, then drops triggers and journal.  Nothing
     * there is fine. */
    bool (*remove)(struct db *db, const struct plan *plan, uint64_t timeout_ms, struct error *err);

    const char *session;     /* makes a connection ready to replay; "" */
    const char *first_place; /* before every entry */
    const char *read;        /* template: {after} {limit} → entry, lane number, place */
    const char *entries_open, *entries_separator,
        *entries_close;        /* condition on j for a list of entries */
    const char *replay_delete; /* template: {entries} */
    const char *replay_insert;
    const char *replay_insert_where_free; /* leaves out what a unique key of another row forbids */
    const char *replay_left_out; /* those of {entries} whose row is in the source, not the shadow */
    /*
     * NULL where rows are always deleted and inserted.  Else true where the shadow's rows may be
     * written over instead; then it binds what replay_gone and replay_overwrite need.
     */
    bool (*may_overwrite)(const struct plan *plan, struct sql_env *env);
    const char *replay_gone;      /* those of {entries} whose row the source has no more */
    const char *replay_overwrite; /* fails where the row in the way has another key */
    const char *forget;
    /*
     * Brings the keys of every visible entry up to date from one snapshot of
     * journal and source, in one transaction, and forgets `entries` (a condition
     * on j), which were read before.  Rows that exchange a unique value are seen all
     * before or all after it, so that a conflict is the data's own.
     */
    bool (*settle)(struct db *db, const struct plan *plan, const char *entries, struct error *err);
    /*
     * NULL where the swap never comes gently.  In one message and a transaction of its
     * own: brings every visible entry up to date and forgets it.  ERROR_CONFLICT is the data's.
     */
    const char *replay_rest;
    /* Template, NULL as above: rids the journal of what consumed entries left; {shrink}: gives room
     * back as well. */
    const char *tidy;
    const char *backlog;       /* template: how many entries are there, counted up to {limit} */
    const char *backlog_guess; /* template: about how many, at once; {in_schema} {named} */
    /* Template: deletes every journalled key from a shadow without an index; "" where none is bare.
     */
    const char *purge;
    const char *purge_session; /* before it, in its transaction */
};

extern const struct capture_dialect mysql_capture;
extern const struct capture_dialect postgres_capture;

#endif
