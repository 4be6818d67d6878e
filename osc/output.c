#include "osc/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool flushed(bool written, struct error *err)
{
    if (written && fflush(stdout) == 0)
        return true;
    return error_set(err, ERROR_SYSTEM, "standard output cannot be written");
}

bool output_text(const struct text *text, struct error *err)
{
    return flushed(fwrite(text->bytes, 1, text->length, stdout) == text->length, err);
}

bool output_json(json_t *value, struct error *err)
{
    char *line = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(10));
    const bool written = line && printf("%s\n", line) > 0;

    free(line);
    json_decref(value);
    return flushed(written, err);
}

json_t *output_string(const char *string)
{
    json_t *value = string ? json_string(string) : json_null();

    if (value)
        return value;
    AUTO(text) ascii = TEXT_INIT;
    text_add(&ascii, string);
    for (char *byte = ascii.bytes; *byte; byte++)
        if (*byte & 0x80)
            *byte = '?';
    return json_string(ascii.bytes);
}
