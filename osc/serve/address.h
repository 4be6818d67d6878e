/*
 * Address: where --metrics-listen listens.
 *
 *   9187   127.0.0.1:9187   [::1]:9187   unix:/run/osc/metrics.sock
 *
 * A port alone is one of 127.0.0.1.  Port 0 is any that is free.
 */
#ifndef OSC_SERVE_ADDRESS_H
#define OSC_SERVE_ADDRESS_H

#include <stdbool.h>

#include "osc/base/error.h"
#include "osc/base/text.h"

struct address {
    int socket;        /* listens; whoever asked closes it */
    struct text shown; /* http://127.0.0.1:9187/           */
    const char *path;  /* of a unix socket, else NULL      */
    bool is_local;     /* nobody on another host gets here */
};

bool address_listen(const char *words, struct address *address, struct error *err) MUST_CHECK;

/*
 * Whether a browser that was told this name in its address bar may have it answered: a
 * page elsewhere can point its own name at 127.0.0.1, but an address it cannot.
 */
bool address_is_plain(const char *host);

#endif
