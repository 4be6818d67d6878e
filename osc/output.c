#include "osc/output.h"

#include <stdio.h>
#include <stdlib.h>

#include "osc/base/json.h"

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
    return string ? json_any_string(string) : json_null();
}
