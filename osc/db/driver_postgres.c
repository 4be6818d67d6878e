/* The only file that includes libpq-fe.h. */
#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/log.h"
#include "osc/db/driver.h"

struct link {
    PGconn *conn;
    PGcancel *cancel; /* made once: usable from another thread */
};

struct cursor {
    PGresult *result;
    bool is_pending; /* `result` is a row that next() has not handed out yet */
    const char **values;
    size_t *lengths;
};

/* ---------------------------------------------------------------- errors */

/* One line of what the server or the library says. */
static void set_text(struct error *err, enum error_kind kind, const char *text, const char *detail)
{
    error_set(err, kind, "%s%s%s", text, detail ? ": " : "", detail ? detail : "");
    char *to = err->text;
    for (const char *from = to; *from; from++)
        if (!strchr("\n\t ", *from))
            *to++ = *from;
        else if (to > err->text && to[-1] != ' ')
            *to++ = ' ';
    while (to > err->text && to[-1] == ' ')
        to--;
    *to = '\0';
}

/* Takes over `result`, which may be NULL. */
static bool statement_error(struct db *db, PGresult *result, struct error *err)
{
    struct link *link = db->link;
    const char *code = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
    const bool is_lost = PQstatus(link->conn) == CONNECTION_BAD;

    /* "Failing row contains (…)" would show a whole row. */
    if (code && (strcmp(code, "23502") == 0 || strcmp(code, "23514") == 0))
        detail = NULL;
    if (!text)
        text = PQerrorMessage(link->conn);
    if (is_lost) /* the first line; the others guess at reasons */
        error_set(err, ERROR_LOST, "the connection broke: %.*s", (int)strcspn(text, "\n"), text);
    else
        set_text(err, code ? postgres_error_kind(code) : ERROR_SERVER, text, detail);
    (void)snprintf(err->code, sizeof err->code, "%s", code ? code : "");
    db->is_lost = db->is_lost || err->kind == ERROR_LOST;
    PQclear(result);
    return false;
}

static void log_notice(void *argument UNUSED, const char *text)
{
    LOG(LOG_DEBUG, "notice from the server", F("text", text));
}

/* ------------------------------------------------------------ connecting */

/* libpq's complaint about a URL may quote any part of it. */
static bool check_url(const struct dsn *dsn, struct error *err)
{
    char *complaint = NULL;
    PQconninfoOption *parsed = PQconninfoParse(dsn->url, &complaint);

    if (parsed) {
        PQconninfoFree(parsed);
        return true;
    }
    if (complaint && (!dsn->password || !*dsn->password || !strstr(complaint, dsn->password)))
        set_text(err, ERROR_USAGE, complaint, NULL);
    else
        /* uncovered: libpq repeats the whole password only where it takes it for something else */
        error_set(err, ERROR_USAGE, "the DSN cannot be read");
    PQfreemem(complaint);
    return error_hint(err, "for example postgres://user@host:5432/database?sslmode=require");
}

static bool connect_error(PGconn *conn, struct error *err)
{
    const char *text = PQerrorMessage(conn);
    /* libpq keeps no SQLSTATE of a refused login: the words that matter are few, the first win. */
    static const struct {
        const char *words;
        enum error_kind kind;
    } refusals[] = {
        {"too many",              ERROR_TRANSIENT},
        {"remaining connection",  ERROR_TRANSIENT},
        {"password",              ERROR_DENIED   },
        {"authentication",        ERROR_DENIED   },
        {"pg_hba.conf",           ERROR_DENIED   },
        {"role \"",               ERROR_DENIED   },
        {"permission denied",     ERROR_DENIED   },
        {"database \"",           ERROR_MISSING  },
        {"definition of service", ERROR_USAGE    },
        {"SSL",                   ERROR_DENIED   },
        {"certificate",           ERROR_DENIED   },
    };
    enum error_kind kind = ERROR_LOST;

    for (size_t i = ARRAY_SIZE(refusals); i--;)
        if (strstr(text, refusals[i].words))
            kind = refusals[i].kind;
    set_text(err, kind, text, NULL);
    return false;
}

static bool connect_link(struct db *db, const struct dsn *dsn, const char *purpose,
                         struct error *err)
{
    const char *name = arena_printf(db->arena, "osc %s", purpose);
    /* What stands before the URL it may override, what stands after it not. */
    const char *const names[] = {"connect_timeout",  "keepalives_idle",  "keepalives_interval",
                                 "keepalives_count", "tcp_user_timeout", "dbname",
                                 "client_encoding",  "application_name", NULL};
    const char *const values[] = {"10", "60", "10", "6", "120000", dsn->url, "UTF8", name, NULL};

    static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(values), "every name has its value");
    if (!check_url(dsn, err))
        return false;
    struct link *link = ARENA_NEW(db->arena, struct link);
    link->conn = PQconnectdbParams(names, values, 1);
    db->link = link;
    if (PQstatus(link->conn) != CONNECTION_OK)
        return connect_error(link->conn, err);
    (void)PQsetNoticeProcessor(link->conn, log_notice, NULL);
    link->cancel = PQgetCancel(link->conn);
    db->id = (uint64_t)PQbackendPID(link->conn);
    return true;
}

static void close_link(struct db *db)
{
    struct link *link = db->link;

    if (!link)
        return;
    PQfreeCancel(link->cancel);
    PQfinish(link->conn);
    db->link = NULL;
}

static void interrupt(struct db *db)
{
    struct link *link = db->link;
    char text[256] = "";

    if (!link || !link->cancel || !PQcancel(link->cancel, text, sizeof text))
        LOG(LOG_DEBUG, "interrupt failed", F("error", text)); /* uncovered: the server is gone */
}

/* ------------------------------------------------------------ statements */

static bool exec_statement(struct db *db, const char *statement, uint64_t *affected,
                           struct error *err)
{
    struct link *link = db->link;
    PGresult *result = PQexec(link->conn, statement);

    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_EMPTY_QUERY:
        *affected = strtoull(PQcmdTuples(result), NULL, 10);
        PQclear(result);
        return true;
    default: return statement_error(db, result, err);
    }
}

/* Reads to the end of the answer, so that the next statement may be sent. */
static void read_away(struct link *link)
{
    for (PGresult *result; (result = PQgetResult(link->conn));)
        PQclear(result);
}

static bool query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    struct link *link = db->link;

    if (!PQsendQuery(link->conn, statement) || !PQsetSingleRowMode(link->conn))
        return statement_error(db, NULL, err); /* uncovered: a break is noticed by who reads */
    PGresult *result = PQgetResult(link->conn);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK) {
        if (status == PGRES_COMMAND_OK)
            bug("a statement without rows was sent as a query");
        statement_error(db, result, err);
        read_away(link);
        return false;
    }
    const size_t columns = (size_t)PQnfields(result);
    struct cursor *cursor = must_alloc(sizeof *cursor);
    cursor->result = result;
    cursor->is_pending = status == PGRES_SINGLE_TUPLE;
    cursor->values = must_alloc((columns + 1) * sizeof *cursor->values);
    cursor->lengths = must_alloc((columns + 1) * sizeof *cursor->lengths);
    rows->driver = cursor;
    rows->columns = (unsigned)columns;
    return true;
}

static void show_row(struct rows *rows)
{
    struct cursor *cursor = rows->driver;

    for (int i = 0; i < (int)rows->columns; i++) {
        const bool is_null = PQgetisnull(cursor->result, 0, i);
        cursor->values[i] = is_null ? NULL : PQgetvalue(cursor->result, 0, i);
        cursor->lengths[i] = (size_t)PQgetlength(cursor->result, 0, i);
    }
    rows->values = cursor->values;
    rows->lengths = cursor->lengths;
}

static bool next(struct rows *rows, struct error *err)
{
    struct cursor *cursor = rows->driver;
    struct link *link = rows->db->link;

    if (!cursor->is_pending) {
        PQclear(cursor->result);
        cursor->result = PQgetResult(link->conn);
    }
    cursor->is_pending = false;
    rows->values = NULL;
    switch (PQresultStatus(cursor->result)) {
    case PGRES_SINGLE_TUPLE: show_row(rows); return true;
    case PGRES_TUPLES_OK: return false;
    default: {
        PGresult *result = cursor->result;
        cursor->result = NULL;
        /* No result at all: the end was already read. */
        return result ? statement_error(rows->db, result, err) : false;
    }
    }
}

/* uncovered: only of the other family's SHOW … anybody asks for names */
static const char *name(const struct rows *rows, unsigned column)
{
    const struct cursor *cursor = rows->driver;

    return PQfname(cursor->result, (int)column);
}

static void finish(struct rows *rows)
{
    struct cursor *cursor = rows->driver;

    PQclear(cursor->result);
    read_away(rows->db->link);
    free(cursor->values);
    free(cursor->lengths);
    free(cursor);
}

/* --------------------------------------------------------------- quoting */

static void add_doubled(struct text *out, const char *bytes, size_t length, const char *doubled)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] && strchr(doubled, bytes[i]))
            text_add_bytes(out, bytes + i, 1);
        text_add_bytes(out, bytes + i, 1);
    }
}

/* Right whatever standard_conforming_strings says; the server checks the encoding before it reads.
 */
static void add_literal(struct db *db UNUSED, struct text *out, const char *bytes, size_t length)
{
    text_add(out, memchr(bytes, '\\', length) ? " E'" : "'");
    add_doubled(out, bytes, length, "'\\");
    text_add(out, "'");
}

static void add_name(struct text *out, const char *name)
{
    text_add(out, "\"");
    add_doubled(out, name, strlen(name), "\"");
    text_add(out, "\"");
}

static void library(struct text *out)
{
    const int version = PQlibVersion();

    text_printf(out, "libpq %d.%d", version / 10000, version % 10000);
}

const struct db_driver postgres_driver = {
    .connect = connect_link,
    .close = close_link,
    .exec = exec_statement,
    .query = query,
    .next = next,
    .name = name,
    .finish = finish,
    .add_literal = add_literal,
    .add_name = add_name,
    .interrupt = interrupt,
    .library = library,
};
