/*
 * Nearest: the word that was probably meant.
 */
#ifndef OSC_BASE_NEAREST_H
#define OSC_BASE_NEAREST_H

#include <stddef.h>

struct nearest {
    const char *word; /* NULL: none is near */
    size_t distance;
};

/* Keeps the candidate when it is nearer to `word` than those before. */
void nearest_consider(struct nearest *nearest, const char *candidate, const char *word);

#endif
