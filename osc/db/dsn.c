#include "osc/db/dsn.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "osc/base/text.h"
#include "osc/db/dialect.h"

static const struct {
    const char *scheme;
    const struct dialect *dialect;
} schemes[] = {
    {"mysql",      &mysql_dialect   },
    {"mariadb",    &mysql_dialect   },
    {"postgres",   &postgres_dialect},
    {"postgresql", &postgres_dialect},
};

#define EXAMPLES "for example mysql://user@host:3306/database or postgres://user@host:5432/database"

/*
 * No error here shows a piece of the URL: when it cannot be taken apart, any
 * piece may be the password.
 */
static bool refuse(struct error *err, const char *reason)
{
    error_set(err, ERROR_USAGE, "this DSN cannot be read: %s", reason);
    return error_hint(
        err, "write it as scheme://user:password@host:port/database?option=value, " EXAMPLES
             "; in a user name or password write @ as %%40, / as %%2F, : as %%3A, ? as %%3F "
             "and %% as %%25");
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Percent-decodes [bytes, bytes + length); NULL when the escapes are wrong. */
static const char *decode(struct arena *arena, const char *bytes, size_t length)
{
    char *out = arena_copy(arena, bytes, length);
    char *to = out;

    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '%') {
            *to++ = bytes[i];
            continue;
        }
        const int high = i + 1 < length ? hex_digit(bytes[i + 1]) : -1;
        const int low = i + 2 < length ? hex_digit(bytes[i + 2]) : -1;
        if (high < 0 || low < 0 || !(high | low))
            return NULL;
        *to++ = (char)(high << 4 | low);
        i += 2;
    }
    *to = '\0';
    return out;
}

/* Misspelt ones too. */
static bool is_secret(const char *name)
{
    return strcasestr(name, "pass") || strcasestr(name, "pwd") || strcasestr(name, "secret");
}

/* Reads name=value&name=value…; adds what people may see to `shown`. */
static bool parse_options(struct dsn *dsn, const char *query, struct arena *arena,
                          struct text *shown, struct error *err)
{
    struct dsn_option **tail = &dsn->options;
    char separator = '?';

    while (*query) {
        const size_t length = strcspn(query, "&");
        const char *equals = memchr(query, '=', length);
        if (!equals || equals == query)
            return refuse(err, "an option is not written as name=value");
        const size_t name_length = (size_t)(equals - query);
        struct dsn_option *option = ARENA_NEW(arena, struct dsn_option);
        option->name = decode(arena, query, name_length);
        option->value = decode(arena, equals + 1, length - name_length - 1);
        if (!option->name || !option->value)
            return refuse(err, "an option has a malformed %-escape");
        if (strchr(option->name, '@'))
            return refuse(err, "an option's name has an @ in it");
        if (strcasecmp(option->name, "password") == 0)
            dsn->password = option->value;
        if (!is_secret(option->name)) {
            text_printf(shown, "%c%.*s", separator, (int)length, query);
            separator = '&';
        }
        *tail = option;
        tail = &option->next;
        query += length + (query[length] == '&');
    }
    return true;
}

static bool parse_port(struct dsn *dsn, const char *digits, size_t length, struct error *err)
{
    unsigned port = 0;

    if (length > 5 || strspn(digits, "0123456789") < length)
        return refuse(err, "the port is not a number");
    for (size_t i = 0; i < length; i++)
        port = port * 10 + (unsigned)(digits[i] - '0');
    if (length && (port < 1 || port > 65535))
        return refuse(err, "the port is not between 1 and 65535");
    dsn->port = port;
    return true;
}

/* host, host:port, [v6], [v6]:port; lists of them keep the first (libpq reads the URL itself). */
static bool parse_hosts(struct dsn *dsn, const char *hosts, size_t length, struct arena *arena,
                        struct error *err)
{
    const char *end = hosts + length;

    for (bool is_first = true; is_first || hosts < end; is_first = false) {
        const char *stop = memchr(hosts, ',', (size_t)(end - hosts));
        if (!stop)
            stop = end;
        const char *colon = NULL;
        const char *close = memchr(hosts, ']', (size_t)(stop - hosts));
        if (*hosts == '[' && !close)
            return refuse(err, "an address lacks its closing bracket");
        const char *after = *hosts == '[' ? close + 1 : hosts;
        colon = memchr(after, ':', (size_t)(stop - after));
        struct dsn one = {.port = 0};
        if (colon && !parse_port(&one, colon + 1, (size_t)(stop - colon - 1), err))
            return false;
        const char *host_end = *hosts == '[' ? close : colon ? colon : stop;
        const char *host_start = *hosts == '[' ? hosts + 1 : hosts;
        if (is_first && host_end > host_start) {
            dsn->host = decode(arena, host_start, (size_t)(host_end - host_start));
            if (!dsn->host)
                return refuse(err, "the host has a malformed %-escape");
        }
        if (is_first)
            dsn->port = one.port;
        hosts = stop + 1;
    }
    return true;
}

static bool parse_login(struct dsn *dsn, const char *login, size_t length, struct arena *arena,
                        struct text *shown, struct error *err)
{
    const char *colon = memchr(login, ':', length);
    const size_t user_length = colon ? (size_t)(colon - login) : length;

    if (user_length)
        dsn->user = decode(arena, login, user_length);
    if (user_length && !dsn->user)
        return refuse(err, "the user name has a malformed %-escape");
    if (colon)
        dsn->password = decode(arena, colon + 1, length - user_length - 1);
    if (colon && !dsn->password)
        return refuse(err, "the password has a malformed %-escape");
    text_add_bytes(shown, login, user_length);
    text_add(shown, "@");
    return true;
}

/* What stands between "://" and "?". */
static bool parse_place(struct dsn *dsn, const char *place, size_t length, struct arena *arena,
                        struct text *shown, struct error *err)
{
    const char *slash = memchr(place, '/', length);
    const size_t authority = slash ? (size_t)(slash - place) : length;
    const char *at = memchr(place, '@', authority);

    if (at ? memchr(at + 1, '@', (size_t)(place + length - at - 1)) : memchr(place, '@', length))
        return refuse(err, "there is an @ too many or in the wrong place");
    if (at && !parse_login(dsn, place, (size_t)(at - place), arena, shown, err))
        return false;
    const char *hosts = at ? at + 1 : place;
    if (!parse_hosts(dsn, hosts, (size_t)(place + authority - hosts), arena, err))
        return false;
    if (slash && slash + 1 < place + length) {
        dsn->database = decode(arena, slash + 1, (size_t)(place + length - slash - 1));
        if (!dsn->database)
            return refuse(err, "the database name has a malformed %-escape");
    }
    text_add_bytes(shown, hosts, (size_t)(place + length - hosts));
    return true;
}

/* The scheme that a URL begins with; NULL: none of ours. */
static const struct dialect *read_scheme(const char *url, const char **place)
{
    const char *colon = strstr(url, "://");

    for (size_t i = 0; colon && i < ARRAY_SIZE(schemes); i++) {
        const size_t length = strlen(schemes[i].scheme);
        *place = colon + 3;
        if (length == (size_t)(colon - url) && strncasecmp(schemes[i].scheme, url, length) == 0)
            return schemes[i].dialect;
    }
    return NULL;
}

bool dsn_looks_like(const char *word)
{
    const char *place;

    return read_scheme(word, &place) != NULL;
}

bool dsn_parse(struct dsn *dsn, const char *url, struct arena *arena, struct error *err)
{
    const char *place = NULL;
    struct dsn parsed = {.url = arena_string(arena, url), .dialect = read_scheme(url, &place)};
    AUTO(text) shown = TEXT_INIT;

    if (!parsed.dialect)
        return refuse(err, "it does not begin with mysql://, mariadb:// or postgres://");
    const size_t length = strcspn(place, "?");
    text_add_bytes(&shown, url, (size_t)(place - url));
    if (!parse_place(&parsed, place, length, arena, &shown, err) ||
        !parse_options(&parsed, place + length + (place[length] == '?'), arena, &shown, err))
        return false;
    parsed.socket = dsn_option(&parsed, "socket");
    parsed.shown = arena_copy(arena, shown.bytes, shown.length);
    *dsn = parsed;
    return true;
}

const char *dsn_option(const struct dsn *dsn, const char *name)
{
    for (const struct dsn_option *option = dsn->options; option; option = option->next)
        if (strcasecmp(option->name, name) == 0)
            return option->value;
    return NULL;
}
