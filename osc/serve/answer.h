/*
 * Answer: what a path of the listener says.
 */
#ifndef OSC_SERVE_ANSWER_H
#define OSC_SERVE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "osc/serve/watched.h"

struct answer {
    unsigned status;
    void *bytes;
    size_t length;
    bool is_ours; /* bytes are to be freed */
    struct {
        const char *name, *value;
    } headers[8];
    char policy[400]; /* Content-Security-Policy of the page */
};

/* False: there is nothing at this path. */
bool answer_find(struct answer *answer, const char *path, const struct watched *watched);
void answer_refusal(struct answer *answer, unsigned status, const char *words);

#endif
