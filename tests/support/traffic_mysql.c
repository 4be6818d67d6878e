/*
 * The traffic's MySQL and MariaDB connections.
 */
#include "traffic_address.h"
#include "traffic_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errmsg.h>
#include <mysql.h>

enum { PREPARED_MAX = 64, GRACE_MS = 10000, LOAD_BYTES = 512 * 1024, LOAD_BATCHES = 40 };

struct prepared {
    uint64_t hash;
    MYSQL_STMT *stmt;
};

struct session {
    MYSQL *conn;
    struct prepared prepared[PREPARED_MAX];
    size_t prepared_count;
    struct statement load; /* INSERT under construction */
    size_t load_head;      /* length of its "INSERT INTO ... VALUES" */
    size_t load_batches;
    const char *const *load_wraps;
};

static void fail_by_number(struct link *link, unsigned number, const char *text)
{
    char code[8];
    snprintf(code, sizeof(code), "%u", number % 100000);
    link_fail(link, code, text);
}

static bool fail_by_connection(struct link *link)
{
    struct session *session = link->session;
    fail_by_number(link, mysql_errno(session->conn), mysql_error(session->conn));
    return false;
}

static bool set_session(struct link *link, const struct link_settings *settings)
{
    struct session *session = link->session;
    const unsigned seconds = (settings->statement_timeout_ms + 999) / 1000;
    char sql[500];
    snprintf(sql, sizeof(sql),
             "SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1,"
             " sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',"
             " lock_wait_timeout = %u, innodb_lock_wait_timeout = %u",
             seconds, seconds);
    if (mysql_query(session->conn, sql))
        return fail_by_connection(link);
    snprintf(sql, sizeof(sql), "SET SESSION TRANSACTION ISOLATION LEVEL %s",
             settings->isolation ? settings->isolation : "READ COMMITTED");
    if (mysql_query(session->conn, sql))
        return fail_by_connection(link);
    if (!strstr(mysql_get_server_info(session->conn), "MariaDB"))
        return true; /* MySQL limits only SELECTs; the read timeout covers the rest */
    snprintf(sql, sizeof(sql), "SET max_statement_time = %u", seconds);
    return mysql_query(session->conn, sql) == 0 || fail_by_connection(link);
}

static bool choose_database(struct link *link, const char *name)
{
    struct session *session = link->session;
    struct statement s;
    if (mysql_select_db(session->conn, name) == 0)
        return true;
    statement_begin(&s, link, false);
    statement_add(&s, "CREATE DATABASE ");
    statement_name(&s, name);
    const bool ok =
        mysql_query(session->conn, s.sql) == 0 && mysql_select_db(session->conn, name) == 0;
    statement_free(&s);
    return ok || fail_by_connection(link);
}

static bool mysql_link_connect(struct link *link, const struct link_settings *settings)
{
    struct session *session = must(calloc(1, sizeof(*session)));
    link->session = session;
    session->conn = must(mysql_init(NULL));
    struct address a;
    address_parse(&a, settings->dsn);
    const unsigned connect_s = 10;
    const unsigned answer_s = (settings->statement_timeout_ms + GRACE_MS + 999) / 1000;
    mysql_options(session->conn, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
    mysql_options(session->conn, MYSQL_OPT_READ_TIMEOUT, &answer_s);
    mysql_options(session->conn, MYSQL_OPT_WRITE_TIMEOUT, &answer_s);
    mysql_options(session->conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const char *database = settings->create_database || !*a.database ? NULL : a.database;
    if (!mysql_real_connect(session->conn, *a.socket ? "localhost" : a.host, a.user, a.password,
                            database, *a.socket ? 0 : a.port, *a.socket ? a.socket : NULL,
                            CLIENT_FOUND_ROWS))
        return fail_by_connection(link);
    if (settings->create_database && !choose_database(link, a.database))
        return false;
    return set_session(link, settings);
}

static bool is_loss(unsigned number)
{
    switch (number) {
    case 1053: /* server shutdown in progress */
    case 1152: /* aborted connection */
    case 1156: /* what a dying server says out of turn */
    case 1158: /* network errors ... */
    case 1159:
    case 1160:
    case 1161:
    case 1927: /* connection was killed */
    case 3169: /* session was killed */
    case 4031: /* disconnected for inactivity */ return true;
    default: return number >= CR_MIN_ERROR && number <= 5999 && (number < 3000 || number >= 5000);
    }
}

static enum reply fail_reply(struct link *link, unsigned number, const char *text)
{
    fail_by_number(link, number, text);
    return is_loss(number) ? REPLY_LOST : REPLY_REFUSED;
}

static void give_row(const struct link *link, MYSQL_ROW row, const unsigned long *lengths,
                     unsigned count)
{
    struct value values[64];
    if (count > 64)
        abort();
    for (unsigned i = 0; i < count; i++)
        values[i] = (struct value){.text = row[i], .length = lengths[i]};
    if (link->on_row)
        link->on_row(link->row_context, values, count);
}

static enum reply run_text(struct link *link, const struct statement *s)
{
    struct session *session = link->session;
    MYSQL *conn = session->conn;
    if (mysql_real_query(conn, s->sql, s->length))
        return fail_reply(link, mysql_errno(conn), mysql_error(conn));
    MYSQL_RES *result = mysql_store_result(conn);
    if (result) {
        MYSQL_ROW row;
        while ((row = mysql_fetch_row(result)))
            give_row(link, row, mysql_fetch_lengths(result), mysql_num_fields(result));
        link->affected = mysql_num_rows(result);
        mysql_free_result(result);
    } else if (mysql_errno(conn)) {
        return fail_reply(link, mysql_errno(conn), mysql_error(conn));
    } else {
        link->affected = mysql_affected_rows(conn);
        link->generated_key = (int64_t)mysql_insert_id(conn);
    }
    return REPLY_OK;
}

static void forget_prepared(struct session *session)
{
    for (size_t i = 0; i < session->prepared_count; i++)
        mysql_stmt_close(session->prepared[i].stmt);
    session->prepared_count = 0;
}

static MYSQL_STMT *find_prepared(const struct session *session, uint64_t hash)
{
    for (size_t i = 0; i < session->prepared_count; i++)
        if (session->prepared[i].hash == hash)
            return session->prepared[i].stmt;
    return NULL;
}

static MYSQL_BIND *bind_parameters(const struct statement *s, long long *numbers)
{
    MYSQL_BIND *binds = must(calloc(s->parameter_count + 1, sizeof(*binds)));
    for (size_t i = 0; i < s->parameter_count; i++) {
        const struct value *v = &s->parameters[i];
        if (!v->text) {
            binds[i].buffer_type = MYSQL_TYPE_NULL;
        } else if (v->number) {
            numbers[i] = strtoll(v->text, NULL, 10);
            binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
            binds[i].buffer = &numbers[i];
        } else {
            binds[i].buffer_type = MYSQL_TYPE_STRING;
            binds[i].buffer = (void *)(uintptr_t)v->text;
            binds[i].buffer_length = v->length;
        }
    }
    return binds;
}

static enum reply execute(struct link *link, MYSQL_STMT *stmt, const struct statement *s)
{
    long long *numbers = must(calloc(s->parameter_count + 1, sizeof(*numbers)));
    MYSQL_BIND *binds = bind_parameters(s, numbers);
    bool failed = mysql_stmt_bind_param(stmt, binds) || mysql_stmt_execute(stmt) ||
                  (mysql_stmt_field_count(stmt) > 0 && mysql_stmt_store_result(stmt));
    enum reply reply = REPLY_OK;
    if (failed) {
        reply = fail_reply(link, mysql_stmt_errno(stmt), mysql_stmt_error(stmt));
    } else if (mysql_stmt_field_count(stmt) > 0) {
        link->affected = mysql_stmt_num_rows(stmt); /* the values are not wanted here */
        mysql_stmt_free_result(stmt);
    } else {
        link->affected = mysql_stmt_affected_rows(stmt);
        link->generated_key = (int64_t)mysql_stmt_insert_id(stmt);
    }
    free(binds);
    free(numbers);
    return reply;
}

static enum reply run_prepared(struct link *link, const struct statement *s)
{
    struct session *session = link->session;
    const uint64_t hash = statement_hash(s);
    MYSQL_STMT *stmt = find_prepared(session, hash);
    if (!stmt) {
        if (session->prepared_count == PREPARED_MAX)
            forget_prepared(session);
        stmt = must(mysql_stmt_init(session->conn));
        if (mysql_stmt_prepare(stmt, s->sql, s->length)) {
            enum reply reply = fail_reply(link, mysql_stmt_errno(stmt), mysql_stmt_error(stmt));
            mysql_stmt_close(stmt);
            return reply;
        }
        session->prepared[session->prepared_count++] = (struct prepared){hash, stmt};
    }
    return execute(link, stmt, s);
}

static enum reply mysql_link_run(struct link *link, const struct statement *s)
{
    link->affected = 0;
    return s->prepared ? run_prepared(link, s) : run_text(link, s);
}

static bool mysql_link_stream(struct link *link, const char *sql, row_function row, void *context)
{
    struct session *session = link->session;
    if (mysql_query(session->conn, sql))
        return fail_by_connection(link);
    MYSQL_RES *result = mysql_use_result(session->conn);
    if (!result)
        return fail_by_connection(link);
    const unsigned columns = mysql_num_fields(result);
    struct value values[64];
    bool ok = columns <= 64;
    MYSQL_ROW fields;
    while ((fields = mysql_fetch_row(result))) {
        const unsigned long *lengths = mysql_fetch_lengths(result);
        for (unsigned i = 0; ok && i < columns; i++)
            values[i] = (struct value){.text = fields[i], .length = lengths[i]};
        ok = ok && row(context, values, columns);
    }
    if (mysql_errno(session->conn))
        ok = fail_by_connection(link);
    mysql_free_result(result);
    return ok;
}

static bool flush_load(struct link *link)
{
    struct session *session = link->session;
    if (session->load.length == session->load_head)
        return true;
    bool ok = run_text(link, &session->load) == REPLY_OK;
    if (ok && ++session->load_batches % LOAD_BATCHES == 0)
        ok = mysql_query(session->conn, "COMMIT") == 0 && mysql_query(session->conn, "BEGIN") == 0;
    session->load.length = session->load_head;
    session->load.sql[session->load_head] = '\0';
    return ok;
}

static bool mysql_load_begin(struct link *link, const char *into, const char *const *wraps)
{
    struct session *session = link->session;
    if (mysql_query(session->conn, "BEGIN"))
        return fail_by_connection(link);
    statement_begin(&session->load, link, false);
    statement_add(&session->load, "INSERT INTO ");
    statement_add(&session->load, into);
    statement_add(&session->load, " VALUES ");
    session->load_head = session->load.length;
    session->load_wraps = wraps;
    return true;
}

static bool mysql_load_row(struct link *link, const struct value *values, size_t count)
{
    struct session *session = link->session;
    statement_add(&session->load, session->load.length == session->load_head ? "(" : ",(");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            statement_add(&session->load, ",");
        statement_wrapped(&session->load, session->load_wraps[i], &values[i]);
    }
    statement_add(&session->load, ")");
    return session->load.length < LOAD_BYTES || flush_load(link);
}

static bool mysql_load_end(struct link *link)
{
    struct session *session = link->session;
    bool ok = flush_load(link);
    statement_free(&session->load);
    return ok && (mysql_query(session->conn, "COMMIT") == 0 || fail_by_connection(link));
}

static void mysql_escape(const struct link *link, struct statement *s, const struct value *v)
{
    const struct session *session = link->session;
    char small[2048];
    char *escaped = v->length * 2 + 1 <= sizeof(small) ? small : must(malloc(v->length * 2 + 1));
    unsigned long length = mysql_real_escape_string(session->conn, escaped, v->text, v->length);
    statement_bytes(s, "'", 1);
    statement_bytes(s, escaped, length);
    statement_bytes(s, "'", 1);
    if (escaped != small)
        free(escaped);
}

static void mysql_server_name(const struct link *link, char *name, size_t size)
{
    const struct session *session = link->session;
    const char *version = mysql_get_server_info(session->conn);
    snprintf(name, size, "%s %s", strstr(version, "MariaDB") ? "MariaDB" : "MySQL", version);
}

static void mysql_link_close(struct link *link)
{
    struct session *session = link->session;
    if (!session)
        return;
    forget_prepared(session);
    mysql_close(session->conn);
    free(session);
    link->session = NULL;
    mysql_thread_end();
}

const struct link_kind link_mysql = {
    .family = FAMILY_MYSQL,
    .name_quote = '`',
    .connect = mysql_link_connect,
    .run = mysql_link_run,
    .stream = mysql_link_stream,
    .load_begin = mysql_load_begin,
    .load_row = mysql_load_row,
    .load_end = mysql_load_end,
    .escape = mysql_escape,
    .server_name = mysql_server_name,
    .close = mysql_link_close,
};
