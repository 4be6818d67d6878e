#include "traffic_address.h"

#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void take_part(char *to, size_t size, const char *from, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < size; i++) {
        if (from[i] == '%' && i + 2 < length && hex_digit(from[i + 1]) >= 0 &&
            hex_digit(from[i + 2]) >= 0) {
            to[used++] = (char)(hex_digit(from[i + 1]) * 16 + hex_digit(from[i + 2]));
            i += 2;
        } else {
            to[used++] = from[i];
        }
    }
    to[used] = '\0';
}

void address_parse(struct address *a, const char *dsn)
{
    *a = (struct address){.port = 3306, .host = "127.0.0.1", .user = "root"};
    const char *rest = strstr(dsn, "://") + 3;
    const size_t authority = strcspn(rest, "/?");
    const char *path = rest + authority;
    const char *at = NULL;
    for (const char *c = rest; c < path; c++)
        if (*c == '@')
            at = c;
    if (at) {
        const size_t length = (size_t)(at - rest);
        const char *colon = memchr(rest, ':', length);
        take_part(a->user, sizeof(a->user), rest, colon ? (size_t)(colon - rest) : length);
        if (colon)
            take_part(a->password, sizeof(a->password), colon + 1, (size_t)(at - colon - 1));
        rest = at + 1;
    }
    const size_t host = (size_t)(path - rest);
    const char *colon = memchr(rest, ':', host);
    if (host > 0)
        take_part(a->host, sizeof(a->host), rest, colon ? (size_t)(colon - rest) : host);
    if (colon)
        a->port = (unsigned)strtoul(colon + 1, NULL, 10);
    if (*path == '/') {
        path++;
        take_part(a->database, sizeof(a->database), path, strcspn(path, "?"));
    }
    const char *query = strchr(path, '?');
    const char *socket = query ? strstr(query, "socket=") : NULL;
    if (socket)
        take_part(a->socket, sizeof(a->socket), socket + 7, strcspn(socket + 7, "&"));
}
