/*
 * A primary of the MySQL family knows only who reads its binary log.  How far
 * they are they must be asked themselves, where they report_host and _port.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "osc/db/replicas.h"

enum { LIST_MS = 1000 };

/* What it is called by this server: the family's words have changed. */
static unsigned column_of(const struct rows *rows, const char *old, const char *new)
{
    unsigned i = 0;

    while (i < rows->columns && strcasecmp(rows_name(rows, i), old) != 0 &&
           strcasecmp(rows_name(rows, i), new) != 0)
        i++;
    return i; /* number of columns: there is none */
}

/* The first question that this server understands. */
static bool ask_one_of(struct db *db, struct rows *rows, const char *const *questions,
                       struct error *err)
{
    for (; *questions; questions++) {
        if (db_query(db, rows, *questions, err))
            return true;
        if (err->kind == ERROR_LOST || err->kind == ERROR_DENIED)
            return false;
    }
    return false;
}

/* ---- who they are ---- */

/* Who may not ask for replicas may still see that somebody reads the binary log. */
static bool count_readers(struct db *db, unsigned *readers, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    error_clear(err);
    if (!db_query(db, &rows, "SHOW PROCESSLIST", err))
        return false; /* uncovered: the question before it fails first */
    const unsigned command = column_of(&rows, "Command", "Command");
    while (rows_next(&rows, err))
        *readers += command < rows.columns &&
                    strncasecmp(rows_text(&rows, command), "Binlog Dump", 11) == 0;
    return err->kind == ERROR_NONE;
}

static bool list(struct db *db, struct replicas *replicas, unsigned *nameless, struct error *err)
{
    static const char *const questions[] = {"SHOW REPLICAS", "SHOW REPLICA HOSTS",
                                            "SHOW SLAVE HOSTS", NULL};
    AUTO(rows) rows = ROWS_INIT;

    for (struct replica *replica = replicas->first; replica; replica = replica->next)
        replica->is_listed = false;
    if (!ask_one_of(db, &rows, questions, err))
        return err->kind == ERROR_DENIED && count_readers(db, nameless, err);
    const unsigned host = column_of(&rows, "Host", "Host");
    const unsigned port = column_of(&rows, "Port", "Port");
    while (rows_next(&rows, err)) {
        const bool is_named = host < rows.columns && port < rows.columns && *rows_text(&rows, host);
        if (is_named)
            replicas_list(replicas, rows_text(&rows, host), (unsigned)rows_u64(&rows, port));
        else
            ++*nameless;
    }
    return err->kind == ERROR_NONE;
}

/* ---- how far they are ---- */

enum answer { ANSWER_NONE, ANSWER_UNKNOWN, ANSWER_KNOWN };

/*
 * Its channel from `primary`; the slowest where there are several.  The server counts in whole
 * seconds of two clocks' faces: a lag of one may be next to none.
 */
static enum answer ask(struct db *db, const char *primary, uint64_t *lag_ms, struct error *err)
{
    static const char *const questions[] = {"SHOW ALL REPLICAS STATUS", "SHOW REPLICA STATUS",
                                            "SHOW SLAVE STATUS", NULL};
    AUTO(rows) rows = ROWS_INIT;
    enum answer answer = ANSWER_NONE;

    if (!ask_one_of(db, &rows, questions, err))
        return ANSWER_UNKNOWN;
    const unsigned source = column_of(&rows, "Master_Server_Id", "Source_Server_Id");
    const unsigned behind = column_of(&rows, "Seconds_Behind_Master", "Seconds_Behind_Source");
    while (source < rows.columns && behind < rows.columns && rows_next(&rows, err)) {
        if (strcmp(rows_text(&rows, source), primary) != 0)
            continue;
        /* NULL: one of its threads does not run, or the connection is broken. */
        if (rows_is_null(&rows, behind))
            answer = ANSWER_UNKNOWN;
        else if (answer == ANSWER_NONE)
            answer = ANSWER_KNOWN;
        const uint64_t ms = 1000 * strtoull(rows_text(&rows, behind), NULL, 10);
        *lag_ms = ms > *lag_ms ? ms : *lag_ms;
    }
    return err->kind == ERROR_NONE ? answer : ANSWER_UNKNOWN;
}

/*
 * One that the primary does not list any more may have lost its connection: it
 * counts for as long as it says that it is a replica of ours.
 */
static void look_at(struct replicas *replicas, struct replica *replica, const char *primary,
                    struct replica_lag *lag)
{
    const bool is_named = replica->is_listed || replica->is_given;
    struct error trouble = ERROR_INIT;
    uint64_t lag_ms = 0, beaten_ms = 0;
    enum answer answer = is_named ? ANSWER_UNKNOWN : ANSWER_NONE;

    if ((is_named || replica->db) && replica_connect(replica)) {
        answer = ask(replica->db, primary, &lag_ms, &trouble);
        /* Whose primary is another replica tells nothing of ours: the row has come all the way. */
        if (answer != ANSWER_UNKNOWN && replica_heartbeat(replicas, replica, &beaten_ms)) {
            answer = ANSWER_KNOWN;
            lag_ms -= lag_ms ? 1000 : 0; /* what is certain of it: the heartbeat knows better */
        }
        if (answer == ANSWER_NONE && is_named)
            answer = ANSWER_UNKNOWN;
        lag_ms = beaten_ms > lag_ms ? beaten_ms : lag_ms;
    }
    if (answer == ANSWER_NONE) {
        replica_disconnect(replica);
        return;
    }
    lag->replicas++;
    if (answer == ANSWER_UNKNOWN)
        lag->unknown++;
    else if (lag_ms > lag->worst_ms)
        lag->worst_ms = lag_ms;
}

static bool list_if_due(struct db *db, struct replicas *replicas, struct error *err)
{
    unsigned nameless = 0;

    if (!deadline_passed(&replicas->next_list))
        return true;
    if (!list(db, replicas, &nameless, err))
        return false;
    replicas->nameless = nameless;
    replicas->next_list = deadline_in_ms(LIST_MS);
    return true;
}

bool mysql_look_at_replicas(struct db *db, struct replicas *replicas, struct replica_lag *lag,
                            struct error *err)
{
    struct arena *arena = arena_new();
    const char *primary = NULL;

    const bool good =
        db_value(db, arena, &primary, "SELECT @@server_id", err) && list_if_due(db, replicas, err);
    if (good) {
        lag->replicas = lag->unknown = lag->nameless = replicas->nameless;
        for (struct replica *replica = replicas->first; replica; replica = replica->next)
            look_at(replicas, replica, primary, lag);
    }
    arena_free(arena);
    return good;
}
