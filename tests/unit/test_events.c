/*
 * osc/EVENTS.md lists every event of the log: its name, levels and fields as the
 * source has them, and what it means in words of its own.
 *
 * OSC_GOLDEN=write writes the table; the meaning of a new event is to be filled in.
 */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>

#include "osc/base/arena.h"
#include "osc/base/text.h"

#define TOP GOLDEN_DIR "/../../"
#define PAGE TOP "osc/EVENTS.md"

enum { MOST_EVENTS = 400, MOST_FILES = 400 };

struct event {
    const char *name, *meaning;
    struct text levels, fields;
};

struct events {
    struct arena *arena;
    struct event list[MOST_EVENTS];
    size_t n;
};

static char *read_all(const char *path, struct arena *arena)
{
    AUTO(text) all = TEXT_INIT;
    char buffer[4096];
    size_t n;
    FILE *file = fopen(path, "r");

    if (!file)
        fail_msg("%s cannot be opened", path);
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(&all, buffer, n);
    assert_int_equal(fclose(file), 0);
    return arena_string(arena, all.bytes);
}

static struct event *event_named(struct events *events, const char *name)
{
    for (size_t i = 0; i < events->n; i++)
        if (strcmp(events->list[i].name, name) == 0)
            return &events->list[i];
    assert_true(events->n < MOST_EVENTS);
    events->list[events->n] =
        (struct event){.name = name, .meaning = "", .levels = TEXT_INIT, .fields = TEXT_INIT};
    return &events->list[events->n++];
}

/* A word of a list with commas, once. */
static void add_once(struct text *list, const char *word, size_t length)
{
    char wanted[100];

    (void)snprintf(wanted, sizeof wanted, "`%.*s`", (int)length, word);
    if (strstr(list->bytes, wanted))
        return;
    text_printf(list, "%s%s", list->length ? ", " : "", wanted);
}

/* Where the call ends: its semicolon outside of strings. */
static const char *end_of_call(const char *at)
{
    bool in_string = false;

    for (; *at && (in_string || *at != ';'); at++)
        if (*at == '\\')
            at++;
        else if (*at == '"')
            in_string = !in_string;
    return at;
}

static void read_levels(struct event *event, const char *at, const char *end)
{
    static const char *const levels[] = {"ERROR", "WARN", "INFO", "DEBUG"};
    static const char *const words[] = {"error", "warn", "info", "debug"};

    for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
        char wanted[20];
        (void)snprintf(wanted, sizeof wanted, "LOG_%s", levels[i]);
        const char *found = strstr(at, wanted);
        if (found && found < end)
            add_once(&event->levels, words[i], strlen(words[i]));
    }
}

/* F("name", …), FU, FR, and FS, whose name is "text". */
static void read_fields(struct event *event, const char *at, const char *end)
{
    for (; at < end; at++) {
        if (strncmp(at, " FS(", 4) == 0)
            add_once(&event->fields, "text", 4);
        if (*at != '(' || at[1] != '"' || !strchr("FUR", at[-1]))
            continue;
        add_once(&event->fields, at + 2, strcspn(at + 2, "\""));
    }
}

static void read_calls(struct events *events, const char *path)
{
    const char *source = read_all(path, events->arena);

    for (const char *at = source; (at = strstr(at, " LOG(")) != NULL; at++) {
        const char *end = end_of_call(at), *name = strchr(at, '"');
        /* Of the event itself no variable may decide. */
        if (!name || name > end || name[-1] != ' ')
            fail_msg("%s: the event is no constant: %.60s", path, at);
        const char *behind = strchr(name + 1, '"');
        struct event *event =
            event_named(events, arena_copy(events->arena, name + 1, (size_t)(behind - name) - 1));
        read_levels(event, at, name);
        read_fields(event, behind, end);
    }
}

static int in_order(const void *left, const void *right)
{
    const struct event *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static void read_source(struct events *events)
{
    static const char *const folders[] = {"osc",      "osc/base",    "osc/db",
                                          "osc/plan", "osc/control", "osc/serve",
                                          "copier",   "triggers",    "verifier"};

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        struct dirent **entries = NULL;
        const char *folder = arena_printf(events->arena, TOP "%s", folders[i]);
        const int n = scandir(folder, &entries, NULL, alphasort);
        for (int k = 0; k < n; k++) {
            const char *name = entries[k]->d_name;
            if (strlen(name) > 2 && strcmp(name + strlen(name) - 2, ".c") == 0)
                read_calls(events, arena_printf(events->arena, "%s/%s", folder, name));
            free(entries[k]);
        }
        free(entries);
    }
    qsort(events->list, events->n, sizeof *events->list, in_order);
}

/* The last cell of the event's row, "" where it has none. */
static const char *meaning_of(const char *page, const char *name, struct arena *arena)
{
    const char *row = strstr(page, arena_printf(arena, "\n| `%s` |", name));

    if (!row)
        return "";
    const size_t length = strcspn(row + 1, "\n");
    char *cells = arena_copy(arena, row + 1, length);
    char *last = strrchr(cells, '|');
    *last = '\0';
    last = strrchr(cells, '|');
    return last[2] ? arena_printf(arena, "%.*s", (int)strlen(last + 2) - 1, last + 2) : "";
}

static const char table_head[] = "| event | levels | fields | what it means |\n|---|---|---|---|\n";

static void the_page_lists_every_event(void **state)
{
    struct events events = {.arena = arena_new()};
    AUTO(text) table = TEXT_INIT;
    const char *mode = getenv("OSC_GOLDEN");

    (void)state;
    read_source(&events);
    assert_true(events.n > 40);
    char *page = read_all(PAGE, events.arena);
    text_add(&table, table_head);
    for (size_t i = 0; i < events.n; i++) {
        struct event *event = &events.list[i];
        event->meaning = meaning_of(page, event->name, events.arena);
        text_printf(&table, "| `%s` | %s | %s | %s |\n", event->name, event->levels.bytes,
                    event->fields.bytes, event->meaning);
        text_release(&event->levels);
        text_release(&event->fields);
    }
    char *found = strstr(page, table_head);
    assert_non_null(found);
    if (mode && strcmp(mode, "write") == 0) {
        FILE *file = fopen(PAGE, "w");
        assert_non_null(file);
        *found = '\0';
        (void)fprintf(file, "%s%s", page, table.bytes);
        assert_int_equal(fclose(file), 0);
    } else if (strcmp(found, table.bytes) != 0) {
        (void)fputs(table.bytes, stdout); /* longer than a message may be */
        fail_msg("osc/EVENTS.md lacks the table above; OSC_GOLDEN=write writes it");
    }
    for (size_t i = 0; i < events.n; i++)
        if (!*events.list[i].meaning)
            fail_msg("osc/EVENTS.md: say what '%s' means", events.list[i].name);
    arena_free(events.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_lists_every_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
