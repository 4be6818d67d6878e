/*
 * Text: a growable byte buffer, always NUL-terminated.
 */
#ifndef OSC_BASE_TEXT_H
#define OSC_BASE_TEXT_H

#include <stddef.h>

#include "osc/base/macro.h"

struct text {
    char *bytes; /* "" until something is added */
    size_t length, size;
};

#define TEXT_INIT                                                                                  \
    {                                                                                              \
        .bytes = (char *)""                                                                        \
    }

void text_release(struct text *text);
void text_clear(struct text *text);
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_printf(struct text *text, const char *format, ...) PRINTF(2, 3);

#endif
