#include "osc/base/json.h"

#include "osc/base/text.h"

json_t *json_any_string(const char *string)
{
    json_t *value = json_string(string);

    if (value)
        return value;
    AUTO(text) ascii = TEXT_INIT;
    text_add(&ascii, string);
    for (char *byte = ascii.bytes; *byte; byte++)
        if (*byte & 0x80)
            *byte = '?';
    return json_string(ascii.bytes);
}
