/*
 * The traffic's PostgreSQL connections.  Statements are sent asynchronously, so that a server
 * that stops answering costs a writer its timeout and not its life.
 */
#include "traffic_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

enum { PREPARED_MAX = 256, GRACE_MS = 10000 };

struct session {
    PGconn *conn;
    unsigned timeout_ms;
    uint64_t prepared[PREPARED_MAX];
    size_t prepared_count;
    struct statement copy; /* COPY text waiting to be sent */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool fail_by_connection(struct link *link)
{
    struct session *session = link->session;
    link_fail(link, "08006", session->conn ? PQerrorMessage(session->conn) : "no memory");
    return false;
}

static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static bool run_setting(struct link *link, const char *sql)
{
    struct session *session = link->session;
    PGresult *result = PQexec(session->conn, sql);
    bool ok = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return ok || fail_by_connection(link);
}

static bool postgres_connect(struct link *link, const struct link_settings *settings)
{
    struct session *session = must(calloc(1, sizeof(*session)));
    link->session = session;
    session->timeout_ms = settings->statement_timeout_ms;
    char timeout[32];
    snprintf(timeout, sizeof(timeout), "%u", settings->statement_timeout_ms);
    /* The DSN comes last but one: what it says itself wins over these. */
    const char *const names[] = {"connect_timeout",
                                 "application_name",
                                 "keepalives_idle",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "client_encoding",
                                 NULL};
    const char *const values[] = {"10", "traffic", "10", timeout, settings->dsn, "UTF8", NULL};
    session->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(session->conn) != CONNECTION_OK)
        return fail_by_connection(link);
    PQsetNoticeReceiver(session->conn, ignore_notice, NULL);
    char sql[400];
    snprintf(sql, sizeof(sql),
             "SET statement_timeout = %u; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';"
             "SET bytea_output = 'hex'; SET extra_float_digits = 1;"
             "SET standard_conforming_strings = on;"
             "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL %s",
             settings->statement_timeout_ms,
             settings->isolation ? settings->isolation : "READ COMMITTED");
    return run_setting(link, sql);
}

/* The next result, or NULL at the end of the statement; *lost when no answer comes. */
static PGresult *next_result(struct session *session, int64_t deadline, bool *lost)
{
    while (PQisBusy(session->conn)) {
        struct pollfd wait = {.fd = PQsocket(session->conn), .events = POLLIN};
        int64_t left = deadline - now_ms();
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0 || !PQconsumeInput(session->conn)) {
            *lost = true;
            return NULL;
        }
    }
    return PQgetResult(session->conn);
}

static bool is_loss(const struct session *session, const char *code)
{
    return PQstatus(session->conn) == CONNECTION_BAD || !code || strncmp(code, "08", 2) == 0 ||
           strcmp(code, "57P01") == 0 || strcmp(code, "57P02") == 0 || strcmp(code, "57P03") == 0 ||
           strcmp(code, "57P05") == 0;
}

static void take_rows(struct link *link, const PGresult *result)
{
    struct value values[64];
    int columns = PQnfields(result);
    if (columns > 64)
        abort();
    for (int row = 0; row < PQntuples(result); row++) {
        for (int i = 0; i < columns; i++)
            values[i] = (struct value){
                .text = PQgetisnull(result, row, i) ? NULL : PQgetvalue(result, row, i),
                .length = (size_t)PQgetlength(result, row, i),
            };
        if (link->on_row)
            link->on_row(link->row_context, values, (size_t)columns);
        else if (values[0].text)
            link->generated_key = strtoll(values[0].text, NULL, 10);
    }
}

static enum reply take_result(struct link *link, const PGresult *result)
{
    const struct session *session = link->session;
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK: take_rows(link, result);
    /* fall through */
    case PGRES_COMMAND_OK:
        link->affected = strtoull(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
        return REPLY_OK;
    case PGRES_COPY_IN: return REPLY_OK;
    default: break;
    }
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    link_fail(link, code ? code : "08006", text ? text : PQerrorMessage(session->conn));
    return is_loss(session, code) ? REPLY_LOST : REPLY_REFUSED;
}

static enum reply wait_for_reply(struct link *link)
{
    struct session *session = link->session;
    const int64_t deadline = now_ms() + session->timeout_ms + GRACE_MS;
    enum reply reply = REPLY_OK;
    bool lost = false, any = false;
    PGresult *result;
    while ((result = next_result(session, deadline, &lost))) {
        any = true;
        const enum reply one = take_result(link, result);
        const bool copying = PQresultStatus(result) == PGRES_COPY_IN;
        if (one > reply)
            reply = one;
        PQclear(result);
        if (copying)
            return reply;
        if (PQstatus(session->conn) == CONNECTION_BAD)
            break;
    }
    if (lost || !any) {
        if (PQstatus(session->conn) == CONNECTION_BAD)
            fail_by_connection(link);
        else
            link_fail(link, "08006", "the server did not answer in time");
        return REPLY_LOST;
    }
    return reply;
}

static enum reply send_failed(struct link *link)
{
    fail_by_connection(link);
    return REPLY_LOST;
}

static bool is_prepared(const struct session *session, uint64_t hash)
{
    for (size_t i = 0; i < session->prepared_count; i++)
        if (session->prepared[i] == hash)
            return true;
    return false;
}

static enum reply prepare(struct link *link, const struct statement *s, const char *name,
                          uint64_t hash)
{
    struct session *session = link->session;
    if (session->prepared_count == PREPARED_MAX) {
        enum reply reply = link_run(link, "DEALLOCATE ALL");
        if (reply != REPLY_OK)
            return reply;
        session->prepared_count = 0;
    }
    if (!PQsendPrepare(session->conn, name, s->sql, 0, NULL))
        return send_failed(link);
    enum reply reply = wait_for_reply(link);
    if (reply == REPLY_OK)
        session->prepared[session->prepared_count++] = hash;
    return reply;
}

static enum reply run_prepared(struct link *link, const struct statement *s)
{
    struct session *session = link->session;
    const uint64_t hash = statement_hash(s);
    char name[32];
    snprintf(name, sizeof(name), "t%016llx", (unsigned long long)hash);
    if (!is_prepared(session, hash)) {
        enum reply reply = prepare(link, s, name, hash);
        if (reply != REPLY_OK)
            return reply;
    }
    const char **texts = must(calloc(s->parameter_count + 1, sizeof(*texts)));
    for (size_t i = 0; i < s->parameter_count; i++)
        texts[i] = s->parameters[i].text;
    int sent =
        PQsendQueryPrepared(session->conn, name, (int)s->parameter_count, texts, NULL, NULL, 0);
    free(texts);
    return sent ? wait_for_reply(link) : send_failed(link);
}

static enum reply postgres_run(struct link *link, const struct statement *s)
{
    struct session *session = link->session;
    link->affected = 0;
    if (s->prepared)
        return run_prepared(link, s);
    return PQsendQuery(session->conn, s->sql) ? wait_for_reply(link) : send_failed(link);
}

static bool postgres_stream(struct link *link, const char *sql, row_function row, void *context)
{
    struct session *session = link->session;
    if (!run_setting(link, "SET statement_timeout = 0"))
        return false;
    if (!PQsendQuery(session->conn, sql) || !PQsetSingleRowMode(session->conn))
        return fail_by_connection(link);
    bool ok = true;
    PGresult *result;
    while ((result = PQgetResult(session->conn))) {
        const ExecStatusType status = PQresultStatus(result);
        if (status != PGRES_SINGLE_TUPLE && status != PGRES_TUPLES_OK)
            ok = ok && fail_by_connection(link);
        struct value values[64];
        const int columns = PQnfields(result);
        for (int i = 0; i < columns && i < 64 && PQntuples(result) > 0; i++)
            values[i] = (struct value){
                .text = PQgetisnull(result, 0, i) ? NULL : PQgetvalue(result, 0, i),
                .length = (size_t)PQgetlength(result, 0, i),
            };
        if (ok && PQntuples(result) > 0)
            ok = row(context, values, (size_t)columns);
        PQclear(result);
    }
    return ok;
}

static bool postgres_load_begin(struct link *link, const char *into, const char *const *wraps)
{
    struct session *session = link->session;
    (void)wraps; /* every type of ours reads its own text */
    statement_begin(&session->copy, link, false);
    statement_add(&session->copy, "COPY ");
    statement_add(&session->copy, into);
    statement_add(&session->copy, " FROM STDIN");
    enum reply reply = postgres_run(link, &session->copy);
    session->copy.length = 0;
    if (reply != REPLY_OK)
        statement_free(&session->copy);
    return reply == REPLY_OK;
}

static bool send_copy(struct link *link)
{
    struct session *session = link->session;
    int sent = PQputCopyData(session->conn, session->copy.sql, (int)session->copy.length);
    session->copy.length = 0;
    return sent == 1 || fail_by_connection(link);
}

static void add_copy_text(struct statement *copy, const struct value *v)
{
    static const char special[] = "\b\f\n\r\t\v\\", letter[] = "bfnrtv\\";
    for (size_t i = 0; i < v->length; i++) {
        const char *found = v->text[i] ? strchr(special, v->text[i]) : NULL;
        if (found) {
            statement_bytes(copy, "\\", 1);
            statement_bytes(copy, &letter[found - special], 1);
        } else {
            statement_bytes(copy, &v->text[i], 1);
        }
    }
}

static bool postgres_load_row(struct link *link, const struct value *values, size_t count)
{
    struct session *session = link->session;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            statement_bytes(&session->copy, "\t", 1);
        if (values[i].text)
            add_copy_text(&session->copy, &values[i]);
        else
            statement_bytes(&session->copy, "\\N", 2);
    }
    statement_bytes(&session->copy, "\n", 1);
    return session->copy.length < 256 * 1024 || send_copy(link);
}

static bool postgres_load_end(struct link *link)
{
    struct session *session = link->session;
    bool ok = send_copy(link);
    ok = PQputCopyEnd(session->conn, ok ? NULL : "failed") == 1 && ok;
    ok = wait_for_reply(link) == REPLY_OK && ok;
    statement_free(&session->copy);
    return ok;
}

static void postgres_escape(const struct link *link, struct statement *s, const struct value *v)
{
    (void)link; /* standard_conforming_strings is on: only quotes matter */
    statement_bytes(s, "'", 1);
    for (size_t i = 0; i < v->length; i++) {
        if (v->text[i] == '\'')
            statement_bytes(s, "'", 1);
        statement_bytes(s, &v->text[i], 1);
    }
    statement_bytes(s, "'", 1);
}

static void postgres_server_name(const struct link *link, char *name, size_t size)
{
    const struct session *session = link->session;
    const char *version = PQparameterStatus(session->conn, "server_version");
    snprintf(name, size, "PostgreSQL %s", version ? version : "?");
}

static void postgres_close(struct link *link)
{
    struct session *session = link->session;
    if (!session)
        return;
    PQfinish(session->conn);
    free(session);
    link->session = NULL;
}

const struct link_kind link_postgres = {
    .family = FAMILY_POSTGRES,
    .name_quote = '"',
    .connect = postgres_connect,
    .run = postgres_run,
    .stream = postgres_stream,
    .load_begin = postgres_load_begin,
    .load_row = postgres_load_row,
    .load_end = postgres_load_end,
    .escape = postgres_escape,
    .server_name = postgres_server_name,
    .close = postgres_close,
};
