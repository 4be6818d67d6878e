#include "traffic_shape.h"
#include "traffic.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Keys are written with this much added: their order as text is the order of the ordinals. */
static const int64_t ordinal_shift = 1000000000000;
static const uint64_t writer_bit = UINT64_C(1) << 62;

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t generation_of_writer(unsigned writer, uint64_t count)
{
    return writer_bit | (uint64_t)writer << 52 | (count & ((UINT64_C(1) << 52) - 1));
}

int shape_column_with(const struct shape *shape, enum content content)
{
    for (int i = 0; shape->columns[i].name; i++)
        if (shape->columns[i].content == content)
            return i;
    return -1;
}

static void set_text(struct value *v, char *room, int length)
{
    if (length < 0 || length >= VALUE_ROOM)
        abort();
    *v = (struct value){.text = room, .length = (size_t)length};
}

static void make_email(uint64_t generation, char *room, struct value *v)
{
    int length;
    if (generation & writer_bit)
        length =
            snprintf(room, VALUE_ROOM, "w%03u.%016" PRIu64 "@example.org",
                     (unsigned)(generation >> 52 & 0x3ff), generation & ((UINT64_C(1) << 52) - 1));
    else
        length = snprintf(room, VALUE_ROOM, "user%013" PRIu64 "@example.com", generation);
    set_text(v, room, length);
}

/* Each has its own, as mix() gives no number twice, and they are in no order. */
static void make_address(uint64_t generation, char *room, struct value *v)
{
    set_text(v, room, snprintf(room, VALUE_ROOM, "u%016" PRIx64 "@example.com", mix(generation)));
}

static const char *const awkward[] = {
    "O'Brien",
    "back\\slash",
    "\"quoted\"",
    "100%",
    "na\xc3\xafve ",
    "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
    "\xf0\x9f\x98\x80",
    "tab\there",
    "line\nbreak",
    "; DROP --",
    "\\N",
    "`tick`",
    "$1 ?",
    "{brace}",
    "''",
    " lead",
    "trail ",
    "\xc3\x85ngstr\xc3\xb6m",
    "NULL",
    "x",
    "%s%d",
    "\\",
    "/* no */",
    "plain",
};

static void make_words(uint64_t hash, size_t least, char *room, struct value *v)
{
    size_t used = 0;
    while (used < least || used == 0) {
        hash = mix(hash);
        const char *word = awkward[hash % (sizeof(awkward) / sizeof(awkward[0]))];
        used += (size_t)snprintf(room + used, VALUE_ROOM - used, "%s%s", used ? " " : "", word);
    }
    set_text(v, room, (int)used);
}

static void make_time(uint64_t hash, char *room, struct value *v)
{
    const time_t at = (time_t)(1577836800 + hash % 150000000);
    struct tm parts;
    gmtime_r(&at, &parts);
    set_text(v, room, (int)strftime(room, VALUE_ROOM, "%Y-%m-%d %H:%M:%S", &parts));
}

static void make_money(uint64_t hash, char *room, struct value *v)
{
    const int cents = (int)(hash % 20000001) - 10000000;
    set_text(v, room,
             snprintf(room, VALUE_ROOM, "%s%d.%02d", cents < 0 ? "-" : "", abs(cents) / 100,
                      abs(cents) % 100));
}

static void make_bytes(uint64_t hash, enum family family, char *room, struct value *v)
{
    const size_t count = hash % 40;
    int used = snprintf(room, VALUE_ROOM, "%s", family == FAMILY_POSTGRES ? "\\x" : "");
    for (size_t i = 0; i < count; i++) {
        hash = mix(hash);
        used += snprintf(room + used, VALUE_ROOM - (size_t)used,
                         family == FAMILY_POSTGRES ? "%02x" : "%02X", (unsigned)(hash & 0xff));
    }
    set_text(v, room, used);
}

void shape_value(const struct target *target, size_t column, uint64_t generation, char *room,
                 struct value *v)
{
    const struct shape_column *c = &target->shape->columns[column];
    const uint64_t hash = mix(generation ^ (uint64_t)(column + 1) << 56);
    if (c->nullable && hash % 7 == 0) {
        *v = (struct value){0};
        return;
    }
    switch (c->content) {
    case CONTENT_EMAIL: make_email(generation, room, v); return;
    case CONTENT_ADDRESS: make_address(generation, room, v); return;
    case CONTENT_NAME:
        if (hash % 11 == 1)
            set_text(v, room, snprintf(room, VALUE_ROOM, "%s", ""));
        else
            make_words(hash, 1 + hash % 20, room, v);
        return;
    case CONTENT_BIO: make_words(hash, 100 + hash % 80, room, v); return;
    case CONTENT_MONEY: make_money(hash >> 3, room, v); return;
    case CONTENT_TIME: make_time(hash >> 3, room, v); return;
    case CONTENT_BYTES: make_bytes(hash >> 3, target->family, room, v); return;
    case CONTENT_SMALL:
        set_text(v, room, snprintf(room, VALUE_ROOM, "%d", (int)(hash >> 3) % 8));
        break;
    default:
        set_text(v, room, snprintf(room, VALUE_ROOM, "%" PRIu64, (hash >> 3) % 1000000000));
        break;
    }
    v->number = true;
}

static void make_uuid(const struct target *target, int64_t ordinal, char *room, struct value *v)
{
    const uint64_t n = (uint64_t)(ordinal + ordinal_shift);
    const unsigned a = (unsigned)mix(n), b = (unsigned)(mix(n) >> 32) & 0xffff;
    if (target->family == FAMILY_POSTGRES)
        set_text(v, room, snprintf(room, VALUE_ROOM, "%08x-%04x-4000-8000-%012" PRIx64, a, b, n));
    else
        set_text(v, room, snprintf(room, VALUE_ROOM, "%08X%04X40008000%012" PRIX64, a, b, n));
}

static int64_t tenant_of(int64_t ordinal)
{
    return (ordinal + ordinal_shift) / 1000 % 2000000000 - 1000000000;
}

void shape_key(const struct target *target, size_t column, int64_t ordinal, bool respelled,
               char *room, struct value *v)
{
    switch (target->shape->columns[column].content) {
    case CONTENT_KEY_TENANT:
        set_text(v, room, snprintf(room, VALUE_ROOM, "%" PRId64, tenant_of(ordinal)));
        v->number = true;
        break;
    case CONTENT_KEY_CODE:
        set_text(v, room,
                 snprintf(room, VALUE_ROOM, "%s'%013" PRId64,
                          respelled ? "c\xc3\x96Xz" : "C\xc3\x96xZ", ordinal + ordinal_shift));
        break;
    case CONTENT_KEY_UUID: make_uuid(target, ordinal, room, v); break;
    default:
        set_text(v, room, snprintf(room, VALUE_ROOM, "%" PRId64, ordinal));
        v->number = true;
        break;
    }
}

static bool parse_ordinal(enum content content, const struct value *key, int64_t *ordinal)
{
    if (!key->text || key->length < 1 || key->length > 60)
        return false;
    char text[64];
    memcpy(text, key->text, key->length);
    text[key->length] = '\0';
    const char *from = text;
    if (content == CONTENT_KEY_UUID && key->length > 12)
        from = text + key->length - 12;
    if (content == CONTENT_KEY_CODE && key->length > 13)
        from = text + key->length - 13;
    char *end;
    *ordinal = strtoll(from, &end, content == CONTENT_KEY_UUID ? 16 : 10);
    if (content != CONTENT_KEY_INTEGER)
        *ordinal -= ordinal_shift;
    return end != from && *end == '\0';
}

bool shape_parse_key(const struct target *target, const struct value *keys, int64_t *ordinal,
                     bool *respelled)
{
    const size_t last = target->shape->key_count - 1;
    if (!parse_ordinal(target->shape->columns[last].content, &keys[last], ordinal))
        return false;
    for (int spelling = 0; spelling < 2; spelling++) {
        *respelled = spelling == 1;
        bool same = true;
        for (size_t i = 0; i <= last; i++) {
            char room[VALUE_ROOM];
            struct value v;
            shape_key(target, i, *ordinal, *respelled, room, &v);
            same = same && keys[i].text && v.length == keys[i].length &&
                   memcmp(v.text, keys[i].text, v.length) == 0;
        }
        if (same)
            return true;
    }
    return false;
}

static size_t significant(const struct value *v)
{
    size_t length = v->length;
    if (!memchr(v->text, '.', length))
        return length;
    while (v->text[length - 1] == '0')
        length--;
    return v->text[length - 1] == '.' ? length - 1 : length;
}

bool shape_same(enum content content, const struct value *a, const struct value *b)
{
    if (!a->text || !b->text)
        return !a->text && !b->text;
    const bool scaled = content == CONTENT_MONEY || content == CONTENT_TIME;
    const size_t left = scaled ? significant(a) : a->length;
    const size_t right = scaled ? significant(b) : b->length;
    return left == right && memcmp(a->text, b->text, left) == 0;
}

void target_table(const struct target *target, struct statement *s)
{
    if (target->schema) {
        statement_name(s, target->schema);
        statement_add(s, ".");
    }
    statement_name(s, target->table);
}

void target_column(const struct target *target, unsigned names, size_t column, struct statement *s)
{
    statement_name(s, target->names[names][column]);
}

void target_select(const struct target *target, unsigned names, struct statement *s)
{
    statement_add(s, "SELECT ");
    for (size_t i = 0; i < target->column_count; i++) {
        const char *read = target->shape->columns[i].read[target->family];
        const char *hole = read ? strstr(read, "%s") : NULL;
        const bool cast = target->family == FAMILY_POSTGRES; /* prepared results must not change */
        statement_add(s, i ? ", " : "");
        if (!target->used[i]) {
            statement_add(s, "NULL");
            continue;
        }
        if (hole)
            statement_bytes(s, read, (size_t)(hole - read));
        statement_add(s, cast ? "CAST(" : "");
        target_column(target, names, i, s);
        statement_add(s, cast ? " AS text)" : "");
        statement_add(s, hole ? hole + 2 : "");
    }
    statement_add(s, " FROM ");
    target_table(target, s);
}
