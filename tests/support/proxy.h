/*
 * Proxy: a TCP proxy in a thread of the test, between osc and its server, that
 * breaks the conversation where the test wants it broken.
 */
#ifndef OSC_TESTS_PROXY_H
#define OSC_TESTS_PROXY_H

#include <stdbool.h>

struct proxy;

/* Listens on a port of 127.0.0.1 and speaks to the server's port there; NULL on failure. */
struct proxy *proxy_start(unsigned server_port);
void proxy_stop(struct proxy *proxy);
unsigned proxy_port(const struct proxy *proxy);

/*
 * The next statement that begins with `text`, on a connection that has sent `after`
 * earlier (NULL: on any), reaches the server; its reply does not reach the client: both sides are
 * cut.  Once.
 */
void proxy_swallow(struct proxy *proxy, const char *after, const char *text);
bool proxy_has_swallowed(struct proxy *proxy);

/* While frozen not a byte is moved, and nobody is told. */
void proxy_freeze(struct proxy *proxy, bool frozen);

/*
 * From now on each new connection is told an id that is not the server's, as by a proxy with
 * connections of its own.  Of the MySQL family.
 */
void proxy_rename_connections(struct proxy *proxy);

/* New connections are led to another server; those that there are stay where they are. */
void proxy_lead_to(struct proxy *proxy, unsigned server_port);

/* Ends every connection that there is now. */
void proxy_cut(struct proxy *proxy);

#endif
