#include "osc/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"

void text_release(struct text *text)
{
    if (text->size)
        free(text->bytes);
    *text = (struct text)TEXT_INIT;
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->size)
        text->bytes[0] = '\0';
}

static void reserve(struct text *text, size_t more)
{
    const size_t needed = text->length + more + 1;

    if (needed <= text->size)
        return;
    size_t size = text->size ? text->size * 2 : 256;
    while (size < needed)
        size *= 2;
    text->bytes = must_realloc(text->size ? text->bytes : NULL, size);
    text->size = size;
    text->bytes[text->length] = '\0';
}

void text_add_bytes(struct text *text, const char *bytes, size_t length)
{
    reserve(text, length);
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
    text_add_bytes(text, string, strlen(string));
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        bug("bad format: %s", format);
    reserve(text, (size_t)length);
    (void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
    va_end(again);
    text->length += (size_t)length;
}
