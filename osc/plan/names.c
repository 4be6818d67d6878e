#include "osc/plan/names.h"

#include <inttypes.h>
#include <string.h>

uint64_t names_hash(const char *string)
{
    uint64_t hash = 14695981039346656037u;

    for (; *string; string++)
        hash = (hash ^ (unsigned char)*string) * 1099511628211u;
    return hash;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* What the server's limit counts: bytes, or UTF-8 characters. */
static size_t measure(const char *string, size_t bytes, const struct facts *facts)
{
    size_t count = 0;

    for (size_t i = 0; i < bytes; i++)
        count += !facts->names_in_characters || !is_continuation(string[i]);
    return count;
}

const char *names_with_suffix(const char *table, const char *suffix, const struct facts *facts,
                              struct arena *arena)
{
    const size_t limit = facts->max_name_bytes;
    size_t bytes = strlen(table);

    if (measure(table, bytes, facts) + strlen(suffix) <= limit)
        return arena_printf(arena, "%s%s", table, suffix);
    /* A name cut before a letter behind '~' gets the last sign there is, to sort behind it. */
    const char *mark = "~";
    const size_t room = limit - strlen(suffix) - strlen("~0000");
    while (measure(table, bytes, facts) > room || is_continuation(table[bytes]))
        bytes--;
    if (facts->names_in_characters && (unsigned char)table[bytes] >= '~')
        mark = "\xef\xbf\xbd";
    return arena_printf(arena, "%.*s%s%04" PRIx64 "%s", (int)bytes, table, mark,
                        names_hash(table) & 0xffff, suffix);
}

void names_derive(struct names *names, const char *table, const struct facts *facts,
                  struct arena *arena)
{
    names->shadow = names_with_suffix(table, "_osc_new", facts, arena);
    names->retired = names_with_suffix(table, "_osc_old", facts, arena);
    names->sentry = names->retired;
    names->journal = names_with_suffix(table, "_osc_journal", facts, arena);
    names->chunks = names_with_suffix(table, "_osc_chunks", facts, arena);
    names->plain = names_with_suffix(table, "_osc_plain", facts, arena);
    names->trigger_insert = names_with_suffix(table, "_osc_ins", facts, arena);
    names->trigger_update = names_with_suffix(table, "_osc_upd", facts, arena);
    names->trigger_delete = names_with_suffix(table, "_osc_del", facts, arena);
    names->function = names_with_suffix(table, "_osc_capture", facts, arena);
}
