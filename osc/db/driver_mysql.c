/* The only file that includes mysql.h: MariaDB Connector/C or Oracle's libmysqlclient. */
#include <mysql.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "osc/base/log.h"
#include "osc/db/driver.h"

/* Connector/C: a TLS mode is made of single switches, and the file descriptor has a function. */
#if defined(LIBMARIADB) || defined(MARIADB_BASE_VERSION)
#define HAS_CONNECTOR_C 1
#endif

enum {
    CONNECT_TIMEOUT_S = 10,
    /*
     * An index build or a long chunk sends nothing for hours: a dead peer is
     * found by the keepalive probes in two minutes, and this only bounds a
     * server that hangs while its kernel still answers.
     */
    READ_TIMEOUT_S = 7 * 24 * 3600,
    WRITE_TIMEOUT_S = 600,
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_PROBES = 6,
    UNACKNOWLEDGED_MS = 120000,
};

enum tls_mode { TLS_DISABLED, TLS_PREFERRED, TLS_REQUIRED, TLS_CA, TLS_IDENTITY };

static const struct {
    const char *name;
    enum tls_mode mode;
} tls_modes[] = {
    {"DISABLED",        TLS_DISABLED },
    {"PREFERRED",       TLS_PREFERRED},
    {"REQUIRED",        TLS_REQUIRED },
    {"VERIFY_CA",       TLS_CA       },
    {"VERIFY_IDENTITY", TLS_IDENTITY },
};

static const char *const known_options[] = {"socket",   "ssl-mode", "ssl-ca",
                                            "ssl-cert", "ssl-key",  "defaults-file"};

struct link {
    MYSQL *mysql;
};

/* ---------------------------------------------------------------- errors */

static bool set_error(MYSQL *mysql, struct error *err)
{
    const unsigned number = mysql_errno(mysql);

    error_set(err, mysql_error_kind(number), "%s", mysql_error(mysql));
    (void)snprintf(err->code, sizeof err->code, "%u", number);
    return false;
}

/* For an error of a statement: the client library's own errors all mean a broken connection. */
static bool statement_error(struct db *db, struct error *err)
{
    struct link *link = db->link;
    const unsigned number = mysql_errno(link->mysql);

    set_error(link->mysql, err);
    if ((number >= 2000 && number < 3000) || number == 5014)
        err->kind = ERROR_LOST;
    db->is_lost = db->is_lost || err->kind == ERROR_LOST;
    return db->is_lost ? error_prefix(err, "the connection broke") : false;
}

/* ------------------------------------------------------------ connecting */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
    (void)mysql_library_init(0, NULL, NULL);
}

/* A server may ask for any file of ours in answer to any statement: never. */
static int refuse_file(void **state, const char *name UNUSED, void *data UNUSED)
{
    *state = NULL;
    return 1;
}

static int refuse_read(void *state UNUSED, char *buffer UNUSED, unsigned size UNUSED)
{
    return -1;
}

static void refuse_end(void *state UNUSED)
{
}

static int refuse_error(void *state UNUSED, char *text, unsigned size)
{
    (void)snprintf(text, size, "LOCAL INFILE is off");
    return 2068;
}

static bool read_tls_mode(const struct dsn *dsn, enum tls_mode *mode, struct error *err)
{
    const char *wanted = dsn_option(dsn, "ssl-mode");

    /* As the native clients of today: encrypted where the server can. */
    *mode = dsn_option(dsn, "ssl-ca") ? TLS_CA : TLS_PREFERRED;
    if (!wanted)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(tls_modes); i++)
        if (strcasecmp(wanted, tls_modes[i].name) == 0) {
            *mode = tls_modes[i].mode;
            return true;
        }
    return error_set(err, ERROR_USAGE,
                     "ssl-mode is DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY");
}

static bool check_options(const struct dsn *dsn, struct error *err)
{
    for (const struct dsn_option *option = dsn->options; option; option = option->next) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_SIZE(known_options); i++)
            is_known = is_known || strcasecmp(option->name, known_options[i]) == 0;
        if (!is_known) {
            error_set(err, ERROR_USAGE, "the DSN has an unknown option \"%s\"", option->name);
            return error_hint(err, "known are socket, ssl-mode, ssl-ca, ssl-cert, ssl-key and "
                                   "defaults-file");
        }
    }
    return true;
}

static void set_tls(MYSQL *mysql, const struct dsn *dsn, enum tls_mode mode)
{
    const char *ca = dsn_option(dsn, "ssl-ca");
    const char *cert = dsn_option(dsn, "ssl-cert");
    const char *key = dsn_option(dsn, "ssl-key");

#ifdef HAS_CONNECTOR_C
    /* The authority alone can be checked by some of its versions only: the stricter check serves.
     */
    const my_bool is_on = mode != TLS_DISABLED, is_checked = mode >= TLS_CA;
    (void)mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &is_on);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_checked);
#else
    static const unsigned modes[] = {
        [TLS_DISABLED] = SSL_MODE_DISABLED,        [TLS_PREFERRED] = SSL_MODE_PREFERRED,
        [TLS_REQUIRED] = SSL_MODE_REQUIRED,        [TLS_CA] = SSL_MODE_VERIFY_CA,
        [TLS_IDENTITY] = SSL_MODE_VERIFY_IDENTITY,
    };
    (void)mysql_options(mysql, MYSQL_OPT_SSL_MODE, &modes[mode]);
#endif
    if (ca)
        (void)mysql_options(mysql, MYSQL_OPT_SSL_CA, ca);
    if (cert)
        (void)mysql_options(mysql, MYSQL_OPT_SSL_CERT, cert);
    if (key)
        (void)mysql_options(mysql, MYSQL_OPT_SSL_KEY, key);
}

/* Dead peers are found by probes, not by a statement that takes long. */
static void set_keepalive(MYSQL *mysql)
{
#ifdef HAS_CONNECTOR_C
    const int socket = (int)mysql_get_socket(mysql);
#else
    const int socket = mysql->net.fd;
#endif
    const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET,  SO_KEEPALIVE,     1                   },
        {IPPROTO_TCP, TCP_KEEPIDLE,     KEEPALIVE_IDLE_S    },
        {IPPROTO_TCP, TCP_KEEPINTVL,    KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT,      KEEPALIVE_PROBES    },
        {IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS   },
    };

    /* A unix socket refuses these, and needs none. */
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        (void)setsockopt(socket, options[i].level, options[i].name, &options[i].value,
                         sizeof options[i].value);
}

static void set_options(MYSQL *mysql, const struct dsn *dsn, const char *purpose,
                        unsigned read_timeout_s)
{
    const unsigned connect_timeout = CONNECT_TIMEOUT_S, write_timeout = WRITE_TIMEOUT_S, off = 0,
                   tcp = MYSQL_PROTOCOL_TCP;
    const char *defaults = dsn_option(dsn, "defaults-file");
    char name[64];

    (void)mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    (void)mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read_timeout_s);
    (void)mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &write_timeout);
    (void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
    (void)mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    /* To the library "localhost" means its socket, whatever the port: here a port means TCP. */
    if (!dsn->socket && dsn->host && dsn->port)
        (void)mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    if (defaults)
        (void)mysql_options(mysql, MYSQL_READ_DEFAULT_FILE, defaults);
    /* With a password in the DSN nothing is missing that a file could add. */
    if (defaults || !dsn->password)
        (void)mysql_options(mysql, MYSQL_READ_DEFAULT_GROUP, "osc");
    (void)snprintf(name, sizeof name, "osc %s", purpose);
    (void)mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", name);
#ifndef HAS_CONNECTOR_C
    /* caching_sha2_password without TLS needs the server's key; Connector/C asks by itself. */
    const bool yes = true;
    (void)mysql_options(mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
#endif
    mysql_set_local_infile_handler(mysql, refuse_file, refuse_read, refuse_end, refuse_error, NULL);
}

static MYSQL *open_link(const struct dsn *dsn, const char *purpose, unsigned read_timeout_s,
                        struct error *err)
{
    enum tls_mode mode = TLS_PREFERRED;

    (void)pthread_once(&library_once, start_library);
    if (!check_options(dsn, err) || !read_tls_mode(dsn, &mode, err))
        return NULL;
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql) {
        error_set(err, ERROR_SYSTEM, "out of memory");
        return NULL;
    }
    set_options(mysql, dsn, purpose, read_timeout_s);
    set_tls(mysql, dsn, mode);
    if (!mysql_real_connect(mysql, dsn->socket ? NULL : dsn->host, dsn->user, dsn->password,
                            dsn->database, dsn->port, dsn->socket, 0)) {
        set_error(mysql, err);
        mysql_close(mysql);
        return NULL;
    }
    if (mode >= TLS_REQUIRED && !mysql_get_ssl_cipher(mysql)) {
        error_set(err, ERROR_DENIED, "the server offers no TLS, and the DSN requires it");
        mysql_close(mysql);
        return NULL;
    }
#ifdef HAS_CONNECTOR_C
    /* Only now: an option file may have said otherwise. */
    const my_bool no = 0;
    (void)mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
#endif
    set_keepalive(mysql);
    return mysql;
}

static bool connect_link(struct db *db, const struct dsn *dsn, const char *purpose,
                         struct error *err)
{
    MYSQL *mysql = open_link(dsn, purpose, READ_TIMEOUT_S, err);

    if (!mysql)
        return false;
    struct link *link = ARENA_NEW(db->arena, struct link);
    link->mysql = mysql;
    db->link = link;
    db->id = mysql_thread_id(mysql);
    return true;
}

static void close_link(struct db *db)
{
    struct link *link = db->link;

    if (link)
        mysql_close(link->mysql);
    db->link = NULL;
}

static void interrupt(struct db *db)
{
    struct error err = ERROR_INIT;
    char statement[48];
    MYSQL *mysql = open_link(db->dsn, "interrupt", CONNECT_TIMEOUT_S, &err);

    if (!mysql) {
        LOG(LOG_DEBUG, "interrupt failed", F("error", err.text));
        return;
    }
    (void)snprintf(statement, sizeof statement, "KILL QUERY %llu", (unsigned long long)db->id);
    if (mysql_query(mysql, statement))
        LOG(LOG_DEBUG, "interrupt failed", F("error", mysql_error(mysql)));
    mysql_close(mysql);
}

/* ------------------------------------------------------------ statements */

static bool exec_statement(struct db *db, const char *statement, uint64_t *affected,
                           struct error *err)
{
    struct link *link = db->link;

    if (mysql_real_query(link->mysql, statement, (unsigned long)strlen(statement)))
        return statement_error(db, err);
    MYSQL_RES *result = mysql_use_result(link->mysql);
    if (result) {
        while (mysql_fetch_row(result))
            ;
        const bool is_broken = mysql_errno(link->mysql) != 0;
        mysql_free_result(result);
        if (is_broken)
            return statement_error(db, err);
        *affected = 0;
        return true;
    }
    if (mysql_errno(link->mysql))
        return statement_error(db, err);
    *affected = mysql_affected_rows(link->mysql);
    return true;
}

static bool query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    struct link *link = db->link;

    if (mysql_real_query(link->mysql, statement, (unsigned long)strlen(statement)))
        return statement_error(db, err);
    MYSQL_RES *result = mysql_use_result(link->mysql);
    if (!result && mysql_errno(link->mysql))
        return statement_error(db, err);
    if (!result)
        bug("a statement without rows was sent as a query");
    rows->driver = result;
    rows->columns = mysql_num_fields(result);
    return true;
}

static bool next(struct rows *rows, struct error *err)
{
    static_assert(sizeof(unsigned long) == sizeof(size_t), "lengths are handed out as they are");
    MYSQL_RES *result = rows->driver;
    struct link *link = rows->db->link;
    MYSQL_ROW row = mysql_fetch_row(result);

    if (!row) {
        rows->values = NULL;
        return mysql_errno(link->mysql) ? statement_error(rows->db, err) : false;
    }
    rows->values = (const char *const *)row;
    rows->lengths = (const size_t *)(const void *)mysql_fetch_lengths(result);
    return true;
}

static void finish(struct rows *rows)
{
    mysql_free_result(rows->driver); /* reads away the rest */
}

/* --------------------------------------------------------------- quoting */

static bool is_utf8(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

    while (at < end) {
        const unsigned lead = *at++;
        const size_t more = lead < 0x80                   ? 0
                            : lead >= 0xC2 && lead < 0xE0 ? 1
                            : lead >= 0xE0 && lead < 0xF0 ? 2
                            : lead >= 0xF0 && lead < 0xF5 ? 3
                                                          : length;
        if (more > (size_t)(end - at))
            return false;
        for (size_t i = 0; i < more; i++)
            if ((at[i] & 0xC0) != 0x80)
                return false;
        if ((lead == 0xE0 && at[0] < 0xA0) || (lead == 0xED && at[0] > 0x9F) ||
            (lead == 0xF0 && at[0] < 0x90) || (lead == 0xF4 && at[0] > 0x8F))
            return false;
        at += more;
    }
    return true;
}

/*
 * Written for the session that setup makes, UTF-8 with backslash escapes,
 * whatever an option file told the library.  Bytes that are no text can only
 * be a binary value.
 */
static void add_literal(struct db *db UNUSED, struct text *out, const char *bytes, size_t length)
{
    static const char from[] = "\0\n\r\\'\"\032", to[] = "0nr\\'\"Z";

    if (!is_utf8(bytes, length)) {
        text_add(out, "X'");
        for (size_t i = 0; i < length; i++)
            text_printf(out, "%02X", (unsigned)(unsigned char)bytes[i]);
        text_add(out, "'");
        return;
    }
    text_add(out, "'");
    for (size_t i = 0; i < length; i++) {
        const char *special = memchr(from, bytes[i], sizeof from - 1);
        if (special)
            text_add_bytes(out, (const char[]){'\\', to[special - from]}, 2);
        else
            text_add_bytes(out, bytes + i, 1);
    }
    text_add(out, "'");
}

static void add_name(struct text *out, const char *name)
{
    text_add(out, "`");
    for (; *name; name++)
        text_add(out, *name == '`' ? "``" : (char[]){*name, '\0'});
    text_add(out, "`");
}

const struct db_driver mysql_driver = {
    .connect = connect_link,
    .close = close_link,
    .exec = exec_statement,
    .query = query,
    .next = next,
    .finish = finish,
    .add_literal = add_literal,
    .add_name = add_name,
    .interrupt = interrupt,
};
