#include "tests/support/case_file.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "osc/base/text.h"

void server_kind_set(struct server_kind *kind, const char *server, unsigned major)
{
    (void)snprintf(kind->name, sizeof kind->name, "%.*s", (int)strcspn(server, "0123456789"),
                   server);
    kind->major = major;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **case_names(const char *only, struct arena *arena, size_t *count)
{
    enum { MOST = 1000 };
    const char **names = ARENA_ARRAY(arena, const char *, MOST);
    DIR *directory = opendir(CASES_DIR);
    const struct dirent *entry;

    *count = 0;
    while (directory && (entry = readdir(directory)) && *count < MOST)
        if (entry->d_name[0] != '.' && (!only || strstr(entry->d_name, only)))
            names[(*count)++] = arena_string(arena, entry->d_name);
    if (directory)
        (void)closedir(directory);
    qsort(names, *count, sizeof *names, by_name);
    return names;
}

/* NULL when there is no such file. */
static const char *read_text(const char *path, struct arena *arena)
{
    AUTO(text) text = TEXT_INIT;
    char buffer[8192];
    size_t n;
    FILE *file = fopen(path, "r");

    if (!file)
        return NULL;
    while ((n = fread(buffer, 1, sizeof buffer, file)) > 0)
        text_add_bytes(&text, buffer, n);
    (void)fclose(file);
    while (text.length && strchr(" \n", text.bytes[text.length - 1]))
        text.length--;
    return arena_copy(arena, text.bytes, text.length);
}

static const char *variant(const char *name, const char *file, const char *server,
                           struct arena *arena)
{
    const size_t stem = strcspn(file, ".");

    return read_text(arena_printf(arena, "%s/%s/%.*s.%s%s", CASES_DIR, name, (int)stem, file,
                                  server, file + stem),
                     arena);
}

const char *case_text(const char *name, const char *file, const struct server_kind *kind,
                      struct arena *arena)
{
    const char *text = variant(name, file, kind->name, arena);

    if (!text && strcmp(kind->name, "mariadb") == 0)
        text = variant(name, file, "mysql", arena);
    return text ? text : read_text(arena_printf(arena, "%s/%s/%s", CASES_DIR, name, file), arena);
}

const char **case_lines(const char *text, struct arena *arena)
{
    size_t count = 2, n = 0;

    for (const char *at = text; *at; at++)
        count += *at == '\n';
    const char **lines = ARENA_ARRAY(arena, const char *, count);
    while (*text) {
        const size_t length = strcspn(text, "\n");
        if (length)
            lines[n++] = arena_copy(arena, text, length);
        text += length + (text[length] == '\n');
    }
    return lines;
}

static bool is_comment(const char *statement)
{
    for (;;) {
        statement += strspn(statement, " \n");
        if (!*statement)
            return true;
        if (strncmp(statement, "--", 2) != 0)
            return false;
        statement += strcspn(statement, "\n");
    }
}

const char **case_statements(const char *text, struct arena *arena)
{
    const char **lines = case_lines(text, arena);
    size_t count = 0, n = 0;
    AUTO(text) statement = TEXT_INIT;

    while (lines[count])
        count++;
    const char **statements = ARENA_ARRAY(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(lines[i]);
        const bool is_end = lines[i][length - 1] == ';';
        text_printf(&statement, "%.*s\n", (int)(is_end ? length - 1 : length), lines[i]);
        if (!is_end && i + 1 < count)
            continue;
        if (!is_comment(statement.bytes))
            statements[n++] = arena_string(arena, statement.bytes);
        text_clear(&statement);
    }
    return statements;
}

/* "postgres", "postgres>=17" */
static bool line_fits(const char *line, const struct server_kind *kind)
{
    const size_t length = strcspn(line, ">");

    return strlen(kind->name) == length && memcmp(line, kind->name, length) == 0 &&
           (!line[length] || kind->major >= strtoul(line + length + 2, NULL, 10));
}

bool case_is_for(const char *name, const struct server_kind *kind, struct arena *arena)
{
    const char *servers = case_text(name, "servers", kind, arena);

    if (!case_text(name, "table.sql", kind, arena) || !case_text(name, "alter.sql", kind, arena))
        return false;
    if (!servers)
        return true;
    for (const char **line = case_lines(servers, arena); *line; line++)
        if (line_fits(*line, kind))
            return true;
    return false;
}
