/* The only file that includes mysql.h: MariaDB Connector/C or Oracle's libmysqlclient. */
#include <mysql.h>
#include <mysqld_error.h>

#include <ctype.h>
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

static const struct {
    const char *name;
    enum mysql_option option;
} tls_files[] = {
    {"ssl-ca",   MYSQL_OPT_SSL_CA  },
    {"ssl-cert", MYSQL_OPT_SSL_CERT},
    {"ssl-key",  MYSQL_OPT_SSL_KEY },
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
    /* MariaDB's library wraps what a server says that hangs up before TLS begins. */
    const char *wrapped = strstr(err->text, "cannot be verified: ");
    if (wrapped && isdigit((unsigned char)wrapped[strlen("cannot be verified: ")]))
        err->kind =
            mysql_error_kind((unsigned)strtoul(wrapped + strlen("cannot be verified: "), NULL, 10));
    /* "Got error 28 from storage engine": the engine's own number is in the text alone. */
    if (number == ER_GET_ERRNO && strstr(err->text, "No space left"))
        /* uncovered: which number a full disk gets is the server's choice */
        err->kind = ERROR_FULL;
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

#ifndef HAS_CONNECTOR_C
static const unsigned ssl_modes[] = {SSL_MODE_DISABLED, SSL_MODE_PREFERRED, SSL_MODE_REQUIRED,
                                     SSL_MODE_VERIFY_CA, SSL_MODE_VERIFY_IDENTITY};
#endif

static void set_tls(MYSQL *mysql, const struct dsn *dsn, enum tls_mode mode)
{
#ifdef HAS_CONNECTOR_C
    /* The authority alone can be checked by some of its versions only: the stricter check serves.
     */
    const my_bool is_on = mode != TLS_DISABLED, is_checked = mode >= TLS_CA;
    (void)mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &is_on);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_checked);
#else
    (void)mysql_options(mysql, MYSQL_OPT_SSL_MODE, &ssl_modes[mode]);
#endif
    for (size_t i = 0; i < ARRAY_SIZE(tls_files); i++) {
        const char *wanted = dsn_option(dsn, tls_files[i].name);
        if (wanted)
            (void)mysql_options(mysql, tls_files[i].option, wanted);
    }
}

/* Option files are read last, when the connection is made: they must not have softened the DSN. */
static bool check_tls(MYSQL *mysql, const struct dsn *dsn, enum tls_mode mode, struct error *err)
{
    if (mode >= TLS_REQUIRED && !mysql_get_ssl_cipher(mysql))
        return error_set(err, ERROR_DENIED, "the server offers no TLS, and the DSN requires it");
    bool is_kept = true;
#ifdef HAS_CONNECTOR_C
    my_bool is_checked = 0;
    (void)mysql_get_option(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_checked);
    is_kept = mode < TLS_CA || is_checked;
#else
    unsigned now = 0;
    (void)mysql_get_option(mysql, MYSQL_OPT_SSL_MODE, &now);
    is_kept = mode <= TLS_PREFERRED || now >= ssl_modes[mode];
#endif
    for (size_t i = 0; i < ARRAY_SIZE(tls_files); i++) {
        const char *wanted = dsn_option(dsn, tls_files[i].name), *used = NULL;
        (void)mysql_get_option(mysql, tls_files[i].option, &used);
        is_kept = is_kept && (!wanted || (used && strcmp(wanted, used) == 0));
    }
    if (is_kept)
        return true;
    error_set(err, ERROR_USAGE, "an option file contradicts the TLS options of the DSN");
    return error_hint(err, "keep the ssl options in one of them, or name another file by "
                           "?defaults-file=…");
}

/* Whatever an option file said. */
static void set_habits(MYSQL *mysql)
{
    const unsigned off = 0;

    (void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
#ifdef HAS_CONNECTOR_C
    const my_bool no = 0;
    (void)mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
#endif
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
    const unsigned connect_timeout = dsn->patience_s ? dsn->patience_s : CONNECT_TIMEOUT_S;
    const unsigned write_timeout = dsn->patience_s ? dsn->patience_s : WRITE_TIMEOUT_S;
    const unsigned tcp = MYSQL_PROTOCOL_TCP;
    const unsigned long packet = 1UL << 30;
    const char *defaults = dsn_option(dsn, "defaults-file");
    char name[64];

    (void)mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    (void)mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &read_timeout_s);
    (void)mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &write_timeout);
    (void)mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
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
}

static MYSQL *open_link(const struct dsn *dsn, const char *purpose, unsigned read_timeout_s,
                        struct error *err)
{
    enum tls_mode mode = TLS_PREFERRED;

    (void)pthread_once(&library_once, start_library);
    if (!check_options(dsn, err) || !read_tls_mode(dsn, &mode, err))
        return NULL;
    MYSQL *mysql = mysql_init(NULL);
    if (!mysql) { /* uncovered: memory does not end in a test */
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
    if (!check_tls(mysql, dsn, mode, err)) {
        mysql_close(mysql);
        return NULL;
    }
    set_habits(mysql);
    set_keepalive(mysql);
    return mysql;
}

static bool connect_link(struct db *db, const struct dsn *dsn, const char *purpose,
                         struct error *err)
{
    MYSQL *mysql = open_link(dsn, purpose, dsn->patience_s ? dsn->patience_s : READ_TIMEOUT_S, err);

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

    (void)snprintf(statement, sizeof statement, "KILL QUERY %llu", (unsigned long long)db->id);
    /* uncovered: the server goes away, or is full, just between its failure and ours */
    if (!mysql || mysql_query(mysql, statement))
        LOG(LOG_DEBUG, "interrupt failed", F("error", mysql ? mysql_error(mysql) : err.text));
    if (mysql)
        mysql_close(mysql);
}

/* ------------------------------------------------------------ statements */

/* NULL where there are no rows, or an error. */
static MYSQL_RES *send_statement(MYSQL *mysql, const char *statement)
{
    return mysql_real_query(mysql, statement, (unsigned long)strlen(statement)) == 0
               ? mysql_use_result(mysql)
               : NULL;
}

static bool exec_statement(struct db *db, const char *statement, uint64_t *affected,
                           struct error *err)
{
    struct link *link = db->link;

    MYSQL_RES *result = send_statement(link->mysql, statement);
    while (result && mysql_fetch_row(result))
        ;
    const bool is_broken = mysql_errno(link->mysql) != 0;
    *affected = result || is_broken ? 0 : mysql_affected_rows(link->mysql);
    mysql_free_result(result);
    return !is_broken || statement_error(db, err);
}

static bool query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    struct link *link = db->link;

    MYSQL_RES *result = send_statement(link->mysql, statement);
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

static const char *name(const struct rows *rows, unsigned column)
{
    return mysql_fetch_field_direct(rows->driver, column)->name;
}

static void finish(struct rows *rows)
{
    mysql_free_result(rows->driver); /* reads away the rest */
}

static void library(struct text *out)
{
#ifdef HAS_CONNECTOR_C
    text_printf(out, "MariaDB Connector/C %s", mysql_get_client_info());
#else
    text_printf(out, "libmysqlclient %s", mysql_get_client_info());
#endif
}

const struct db_driver mysql_driver = {
    .connect = connect_link,
    .close = close_link,
    .exec = exec_statement,
    .query = query,
    .next = next,
    .name = name,
    .finish = finish,
    .add_literal = mysql_add_literal,
    .add_name = mysql_add_name,
    .interrupt = interrupt,
    .library = library,
};
