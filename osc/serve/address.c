#include "osc/serve/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING = 64 };

static const char scheme[] = "unix:";

static bool malformed(const char *words, struct error *err)
{
    (void)error_set(err, ERROR_USAGE, "'%s' is not an address to listen on", words);
    return error_hint(err, "write 9187, 127.0.0.1:9187, [::1]:9187 or unix:/run/osc.sock");
}

static bool occupied(const char *words, int why, struct error *err)
{
    (void)error_set(err, ERROR_SYSTEM, "cannot listen on %s: %s", words, strerror(why));
    return error_hint(err, "nothing was changed; another port of --metrics-listen may be free");
}

/* ---- unix ---- */

/* One that nobody listens on any more is left over from a run that was killed. */
static void remove_stale(const struct sockaddr_un *un)
{
    struct stat status;
    const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe >= 0 && stat(un->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) &&
        connect(probe, (const struct sockaddr *)un, sizeof *un) != 0 && errno == ECONNREFUSED)
        (void)unlink(un->sun_path);
    if (probe >= 0)
        (void)close(probe);
}

static bool listen_unix(const char *words, struct address *address, struct error *err)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *path = words + strlen(scheme);

    if (!*path || strlen(path) >= sizeof un.sun_path)
        return malformed(words, err);
    memcpy(un.sun_path, path, strlen(path) + 1);
    remove_stale(&un);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The mode first: between bind and listen nobody can connect. */
    if (fd < 0 || bind(fd, (const struct sockaddr *)&un, sizeof un) != 0 ||
        chmod(path, 0660) != 0 || listen(fd, WAITING) != 0) {
        const int why = errno;
        if (fd >= 0)
            (void)close(fd);
        return occupied(words, why, err);
    }
    *address = (struct address){.socket = fd, .shown = TEXT_INIT, .path = path, .is_local = true};
    text_add(&address->shown, words);
    return true;
}

/* ---- TCP ---- */

static bool is_loopback(const struct sockaddr *at)
{
    const struct sockaddr_in6 *six = (const void *)at;
    const struct sockaddr_in *four = (const void *)at;

    return at->sa_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&six->sin6_addr)
                                     : ntohl(four->sin_addr.s_addr) >> 24 == 127;
}

/* Port 0 has become another one. */
static void describe(struct address *address)
{
    struct sockaddr_storage at = {.ss_family = AF_INET};
    socklen_t length = sizeof at;
    char host[64] = "", port[16] = "";

    (void)getsockname(address->socket, (struct sockaddr *)&at, &length);
    (void)getnameinfo((struct sockaddr *)&at, length, host, sizeof host, port, sizeof port,
                      NI_NUMERICHOST | NI_NUMERICSERV);
    address->is_local = is_loopback((struct sockaddr *)&at);
    text_printf(&address->shown, strchr(host, ':') ? "http://[%s]:%s/" : "http://%s:%s/", host,
                port);
}

static int open_socket(const struct addrinfo *at)
{
    const int yes = 1;
    const int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, WAITING) == 0)
        return fd;
    const int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

/* Splits HOST:PORT into `host` and the port that is returned; NULL when it is neither. */
static const char *split(const char *words, struct text *host)
{
    const char *colon = strrchr(words, ':');
    const char *port = colon ? colon + 1 : words;
    size_t length = colon ? (size_t)(colon - words) : 0;

    /* getaddrinfo() would take 65537 for 1. */
    if (!*port || strspn(port, "0123456789") != strlen(port) || strlen(port) > 5 ||
        strtoul(port, NULL, 10) > UINT16_MAX)
        return NULL;
    if (length >= 2 && words[0] == '[' && words[length - 1] == ']') {
        words++;
        length -= 2;
    } else if (memchr(words, ':', length)) {
        return NULL; /* 1:2:3 may be meant in two ways */
    }
    if (length)
        text_add_bytes(host, words, length);
    else
        text_add(host, "127.0.0.1");
    return port;
}

bool address_listen(const char *words, struct address *address, struct error *err)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    AUTO(text) host = TEXT_INIT;

    if (strncmp(words, scheme, strlen(scheme)) == 0)
        return listen_unix(words, address, err);
    const char *port = split(words, &host);
    if (!port || getaddrinfo(host.bytes, port, &wanted, &found) != 0)
        return malformed(words, err);
    const int fd = open_socket(found);
    const int why = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return occupied(words, why, err);
    *address = (struct address){.socket = fd, .shown = TEXT_INIT};
    describe(address);
    return true;
}

bool address_is_plain(const char *host)
{
    const char *colon = strrchr(host, ':');
    unsigned char bytes[sizeof(struct in6_addr)];
    char name[64];

    if (*host == '[')
        return true; /* no name begins so */
    const size_t length = colon ? (size_t)(colon - host) : strlen(host);
    if (length >= sizeof name)
        return false;
    memcpy(name, host, length);
    name[length] = '\0';
    return strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, bytes) == 1;
}
