/*
 * Fuzz: what the targets share.
 *
 * A target is one function over bytes.  Built by clang with OSC_FUZZ it runs
 * under libFuzzer; in every other build replay.c gives it the kept inputs.
 * Anything that aborts counts: sanitizers, bug(), and must() below.
 */
#ifndef OSC_TESTS_FUZZ_H
#define OSC_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that holds for every input. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The next line of the input as a string of its own (malloced); the last one takes all. */
static inline char *fuzz_string(const uint8_t **data, size_t *size, bool is_last)
{
    const uint8_t *end = is_last ? NULL : memchr(*data, '\n', *size);
    const size_t length = end ? (size_t)(end - *data) : *size;
    char *string = must_alloc(length + 1);

    if (length)
        memcpy(string, *data, length);
    *data += length + (end ? 1 : 0);
    *size -= length + (end ? 1 : 0);
    return string;
}

#endif
