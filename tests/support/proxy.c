#include "tests/support/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_PAIRS = 200, TICK_MS = 5, PIECE = 65536 };

struct pair {
    int client, server; /* -1: free */
    bool is_prepared;   /* has sent what the swallowing waits for */
    bool is_greeted;    /* has had the first words of the server */
    bool is_doomed;     /* the next bytes of the server are the reply to swallow */
};

struct proxy {
    unsigned port;
    atomic_uint server_port;
    int listener;
    pthread_t thread;
    pthread_mutex_t lock; /* after, text, is_armed, has_swallowed */
    char after[100], text[100];
    bool is_armed, has_swallowed;
    atomic_bool is_frozen, wants_cut, wants_end, renames;
    struct pair pairs[MOST_PAIRS];
};

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void close_pair(struct pair *pair)
{
    if (pair->client >= 0)
        (void)close(pair->client);
    if (pair->server >= 0)
        (void)close(pair->server);
    *pair = (struct pair){.client = -1, .server = -1};
}

static void admit(struct proxy *proxy)
{
    const struct sockaddr_in address = loopback(atomic_load(&proxy->server_port));
    const int now = 1, client = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);
    size_t i = 0;

    while (i < MOST_PAIRS && proxy->pairs[i].client >= 0)
        i++;
    if (client < 0 || i == MOST_PAIRS) {
        if (client >= 0)
            (void)close(client);
        return;
    }
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    proxy->pairs[i] = (struct pair){.client = client, .server = server};
    if (server < 0 || connect(server, (const struct sockaddr *)&address, sizeof address) != 0) {
        close_pair(&proxy->pairs[i]);
        return;
    }
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
    (void)setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
}

static bool pass_on(int to, const char *bytes, size_t n)
{
    while (n) {
        const ssize_t sent = send(to, bytes, n, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Both protocols put five bytes before a statement; a short one comes in one piece. */
static bool begins_with(const char *bytes, size_t n, const char *text)
{
    return n >= 5 + strlen(text) && memcmp(bytes + 5, text, strlen(text)) == 0;
}

static void look(struct proxy *proxy, struct pair *pair, const char *bytes, size_t n)
{
    (void)pthread_mutex_lock(&proxy->lock);
    if (proxy->is_armed) {
        const bool is_ready = pair->is_prepared || !*proxy->after;
        pair->is_doomed = is_ready && begins_with(bytes, n, proxy->text);
        proxy->is_armed = !pair->is_doomed;
        pair->is_prepared = is_ready || memmem(bytes, n, proxy->after, strlen(proxy->after));
    }
    (void)pthread_mutex_unlock(&proxy->lock);
}

static void swallow(struct proxy *proxy, struct pair *pair)
{
    close_pair(pair);
    (void)pthread_mutex_lock(&proxy->lock);
    proxy->has_swallowed = true;
    (void)pthread_mutex_unlock(&proxy->lock);
}

/* The greeting: four bytes of header, the protocol, the version and its zero, four of the id. */
static void give_another_id(char *bytes, size_t n)
{
    const size_t at = 5 + strnlen(bytes + 5, n - 5) + 1;

    if (at < n)
        bytes[at] = (char)(bytes[at] ^ 0x55);
}

static void move(struct proxy *proxy, struct pair *pair, bool from_client)
{
    static _Thread_local char bytes[PIECE];
    const ssize_t n = recv(from_client ? pair->client : pair->server, bytes, sizeof bytes, 0);

    if (n <= 0) {
        close_pair(pair);
        return;
    }
    if (!from_client && !pair->is_greeted && atomic_load(&proxy->renames) && n > 5)
        give_another_id(bytes, (size_t)n);
    pair->is_greeted = pair->is_greeted || !from_client;
    if (from_client)
        look(proxy, pair, bytes, (size_t)n);
    else if (pair->is_doomed) {
        swallow(proxy, pair);
        return;
    }
    if (!pass_on(from_client ? pair->server : pair->client, bytes, (size_t)n))
        close_pair(pair);
}

static void turn(struct proxy *proxy)
{
    struct pollfd polled[1 + 2 * MOST_PAIRS] = {
        {.fd = proxy->listener, .events = POLLIN}
    };

    for (size_t i = 0; i < MOST_PAIRS; i++) { /* poll() passes over descriptor -1 */
        polled[1 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].client, .events = POLLIN};
        polled[2 + 2 * i] = (struct pollfd){.fd = proxy->pairs[i].server, .events = POLLIN};
    }
    if (poll(polled, 1 + 2 * MOST_PAIRS, TICK_MS) <= 0 || atomic_load(&proxy->is_frozen))
        return;
    for (size_t i = 0; i < MOST_PAIRS; i++) {
        struct pair *pair = &proxy->pairs[i];
        if (pair->client >= 0 && polled[1 + 2 * i].revents)
            move(proxy, pair, true);
        if (pair->client >= 0 && polled[2 + 2 * i].revents)
            move(proxy, pair, false);
    }
    if (polled[0].revents)
        admit(proxy);
}

static void *run(void *argument)
{
    struct proxy *proxy = argument;
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};

    while (!atomic_load(&proxy->wants_end)) {
        if (atomic_load(&proxy->is_frozen))
            (void)nanosleep(&tick, NULL);
        else
            turn(proxy);
        if (atomic_exchange(&proxy->wants_cut, false))
            for (size_t i = 0; i < MOST_PAIRS; i++)
                close_pair(&proxy->pairs[i]);
    }
    for (size_t i = 0; i < MOST_PAIRS; i++)
        close_pair(&proxy->pairs[i]);
    return NULL;
}

struct proxy *proxy_start(unsigned server_port)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;

    if (!proxy)
        return NULL;
    for (size_t i = 0; i < MOST_PAIRS; i++)
        proxy->pairs[i] = (struct pair){.client = -1, .server = -1};
    atomic_store(&proxy->server_port, server_port);
    (void)pthread_mutex_init(&proxy->lock, NULL);
    proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listener < 0 ||
        bind(proxy->listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(proxy->listener, 64) != 0 ||
        getsockname(proxy->listener, (struct sockaddr *)&address, &length) != 0 ||
        pthread_create(&proxy->thread, NULL, run, proxy) != 0) {
        free(proxy);
        return NULL;
    }
    proxy->port = ntohs(address.sin_port);
    return proxy;
}

void proxy_stop(struct proxy *proxy)
{
    atomic_store(&proxy->wants_end, true);
    (void)pthread_join(proxy->thread, NULL);
    (void)close(proxy->listener);
    (void)pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

unsigned proxy_port(const struct proxy *proxy)
{
    return proxy->port;
}

void proxy_swallow(struct proxy *proxy, const char *after, const char *text)
{
    (void)pthread_mutex_lock(&proxy->lock);
    (void)snprintf(proxy->after, sizeof proxy->after, "%s", after ? after : "");
    (void)snprintf(proxy->text, sizeof proxy->text, "%s", text);
    proxy->is_armed = true;
    proxy->has_swallowed = false;
    for (size_t i = 0; i < MOST_PAIRS; i++)
        proxy->pairs[i].is_prepared = false;
    (void)pthread_mutex_unlock(&proxy->lock);
}

bool proxy_has_swallowed(struct proxy *proxy)
{
    (void)pthread_mutex_lock(&proxy->lock);
    const bool has = proxy->has_swallowed;
    (void)pthread_mutex_unlock(&proxy->lock);
    return has;
}

void proxy_rename_connections(struct proxy *proxy)
{
    atomic_store(&proxy->renames, true);
}

void proxy_freeze(struct proxy *proxy, bool frozen)
{
    atomic_store(&proxy->is_frozen, frozen);
}

void proxy_lead_to(struct proxy *proxy, unsigned server_port)
{
    atomic_store(&proxy->server_port, server_port);
}

void proxy_cut(struct proxy *proxy)
{
    atomic_store(&proxy->wants_cut, true);
    while (atomic_load(&proxy->wants_cut))
        (void)usleep(1000);
}
