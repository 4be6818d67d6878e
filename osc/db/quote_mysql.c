#include <string.h>

#include "osc/db/driver.h"

static bool is_utf8(const char *bytes, size_t length)
{
    const unsigned char *at = (const unsigned char *)bytes, *end = at + length;

    while (at < end) {
        const unsigned lead = *at++;
        const size_t more = lead < 0x80                   ? 0
                            : lead >= 0xC2 && lead < 0xE0 ? 1
                            : lead >= 0xE0 && lead < 0xF0 ? 2
                            : lead >= 0xF0 && lead < 0xF5 ? 3
                                                          : length;
        if (more > (size_t)(end - at))
            return false;
        for (size_t i = 0; i < more; i++)
            if ((at[i] & 0xC0) != 0x80)
                return false;
        if ((lead == 0xE0 && at[0] < 0xA0) || (lead == 0xED && at[0] > 0x9F) ||
            (lead == 0xF0 && at[0] < 0x90) || (lead == 0xF4 && at[0] > 0x8F))
            return false;
        at += more;
    }
    return true;
}

/*
 * Written for the session that setup makes, UTF-8 with backslash escapes,
 * whatever an option file told the library.  Bytes that are no text can only
 * be a binary value.
 */
void mysql_add_literal(struct db *db UNUSED, struct text *out, const char *bytes, size_t length)
{
    static const char from[] = "\0\n\r\\'\"\032", to[] = "0nr\\'\"Z";

    if (!is_utf8(bytes, length)) {
        text_add(out, "X'");
        for (size_t i = 0; i < length; i++)
            text_printf(out, "%02X", (unsigned)(unsigned char)bytes[i]);
        text_add(out, "'");
        return;
    }
    text_add(out, "'");
    for (size_t i = 0; i < length; i++) {
        const char *special = memchr(from, bytes[i], sizeof from - 1);
        if (special)
            text_add_bytes(out, (const char[]){'\\', to[special - from]}, 2);
        else
            text_add_bytes(out, bytes + i, 1);
    }
    text_add(out, "'");
}

void mysql_add_name(struct text *out, const char *name)
{
    text_add(out, "`");
    for (; *name; name++)
        text_add(out, *name == '`' ? "``" : (char[]){*name, '\0'});
    text_add(out, "`");
}
