#include "osc/indexes_mysql.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *definition_body(const char *definition)
{
    const char *end = strchr(definition, '\n');

    return end ? end + 1 : "";
}

/* ---- lines ---- */

bool next_line(const char **at, struct line *line)
{
    if (!**at)
        return false;
    line->start = *at;
    line->length = strcspn(*at, "\n");
    *at += line->length + ((*at)[line->length] == '\n');
    if (line->length && line->start[line->length - 1] == ',')
        line->length--;
    return true;
}

static int compare_lines(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    const size_t shorter = left->length < right->length ? left->length : right->length;
    const int order = memcmp(left->start, right->start, shorter);

    return order ? order : (left->length > right->length) - (left->length < right->length);
}

static struct line *sorted_lines(const char *text, struct arena *arena, size_t *n)
{
    size_t size = 1;

    for (const char *at = text; *at; at++)
        size += *at == '\n';
    struct line *lines = ARENA_ARRAY(arena, struct line, size);
    for (*n = 0; next_line(&text, &lines[*n]);)
        ++*n;
    qsort(lines, *n, sizeof *lines, compare_lines);
    return lines;
}

bool definition_is_same(const char *a, const char *b)
{
    struct arena *arena = arena_new();
    size_t n_a, n_b;
    const struct line *left = sorted_lines(definition_body(a), arena, &n_a);
    const struct line *right = sorted_lines(definition_body(b), arena, &n_b);
    bool same = n_a == n_b;

    for (size_t i = 0; same && i < n_a; i++)
        same = compare_lines(&left[i], &right[i]) == 0;
    arena_free(arena);
    return same;
}

const char *definition_without_indexes(const char *definition, struct arena *arena)
{
    const char *at = definition_body(definition);
    AUTO(text) out = TEXT_INIT;
    struct line line;

    text_add(&out, "\n");
    while (next_line(&at, &line))
        if (strncmp(line.start, "  `", 3) == 0 || *line.start == ')')
            text_printf(&out, "%.*s\n", (int)line.length, line.start);
    return arena_string(arena, out.bytes);
}

/* ---- which indexes wait ---- */

const char *quoted_name(const char *at, const char *end, struct arena *arena, const char **behind)
{
    at = memchr(at, '`', (size_t)(end - at));
    if (!at)
        return NULL;
    char *name = arena_copy(arena, at + 1, (size_t)(end - at - 1)), *to = name;
    const char *from = name;
    for (; *from && !(from[0] == '`' && from[1] != '`'); from++) {
        *to++ = *from;
        from += *from == '`';
    }
    if (!*from)
        return NULL; /* not closed */
    *behind = at + 1 + (from - name) + 1;
    *to = '\0';
    return name;
}

/* FULLTEXT is left alone: a first one rebuilds the table, and no two are built at a time. */
static bool is_index(const struct line *line)
{
    static const char *const kinds[] = {"  KEY `", "  UNIQUE KEY `", "  SPATIAL KEY `"};

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (line->length > strlen(kinds[i]) &&
            strncmp(line->start, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

static const struct key *find_key(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->n_keys; i++)
        if (strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    return NULL;
}

/* Over exactly the columns that the migration key became. */
static bool is_migration_key(const struct plan *plan, const struct key *key)
{
    size_t found = 0;

    if (!key || key->n_columns != plan->key->n_columns)
        return false;
    for (size_t i = 0; i < key->n_columns; i++)
        for (size_t k = 0; k < plan->key->n_columns; k++)
            found += key->columns[i] == plan->shadow_key[k];
    return found == key->n_columns;
}

/* Does an index that stays begin with the AUTO_INCREMENT column already? */
static bool is_automatic_served(const struct plan *plan)
{
    const struct column *automatic = table_automatic(plan->shadow);

    for (size_t i = 0; automatic && i < plan->shadow->n_keys; i++) {
        const struct key *key = &plan->shadow->keys[i];
        if (key->columns[0] == automatic && (key->is_primary || is_migration_key(plan, key)))
            return true;
    }
    return !automatic;
}

static bool begins_with_automatic(const struct plan *plan, const char *behind_name, const char *end,
                                  struct arena *arena)
{
    const char *behind;
    const char *column = quoted_name(behind_name, end, arena, &behind);

    return column && strcasecmp(column, table_automatic(plan->shadow)->name) == 0;
}

struct deferral deferral_choose(const struct plan *plan, const char *definition)
{
    struct deferral deferral = {.definition = definition};
    struct index_line **last = &deferral.indexes;
    const char *at = definition_body(definition), *behind = NULL;
    bool needs_automatic = !is_automatic_served(plan);
    struct line line;

    while (next_line(&at, &line)) {
        if (!is_index(&line))
            continue;
        const char *end = line.start + line.length;
        const char *name = quoted_name(line.start, end, plan->arena, &behind);
        if (!name || is_migration_key(plan, find_key(plan->shadow, name)))
            continue;
        if (needs_automatic && begins_with_automatic(plan, behind, end, plan->arena)) {
            needs_automatic = false;
            continue;
        }
        *last = ARENA_NEW(plan->arena, struct index_line);
        (*last)->name = name;
        (*last)->text = arena_copy(plan->arena, line.start + 2, line.length - 2);
        last = &(*last)->next;
    }
    return deferral;
}

/* ---- as it is kept in the state ---- */

const char *deferral_save(const struct deferral *deferral, struct arena *arena)
{
    json_t *indexes = json_array();

    for (const struct index_line *index = deferral->indexes; index; index = index->next)
        json_array_append_new(indexes,
                              json_pack("{s:s, s:s}", "name", index->name, "text", index->text));
    json_t *whole = json_pack("{s:s, s:o}", "definition", deferral->definition, "indexes", indexes);
    char *text = json_dumps(whole, JSON_COMPACT);
    const char *saved = arena_string(arena, text);

    free(text);
    json_decref(whole);
    return saved;
}

/* NULL where `item` is not that, or lacks a member. */
static struct index_line *load_index(const json_t *item, struct arena *arena)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *text = json_string_value(json_object_get(item, "text"));

    if (!name || !text)
        return NULL;
    struct index_line *index = ARENA_NEW(arena, struct index_line);
    index->name = arena_string(arena, name);
    index->text = arena_string(arena, text);
    return index;
}

bool deferral_load(const char *saved, struct arena *arena, struct deferral *deferral,
                   struct error *err)
{
    json_t *whole = json_loads(saved, 0, NULL), *item;
    const json_t *indexes = json_object_get(whole, "indexes");
    const char *definition = json_string_value(json_object_get(whole, "definition"));
    struct deferral loaded = {.definition = arena_string(arena, definition)};
    struct index_line **last = &loaded.indexes;
    bool good = definition && json_is_array(indexes);
    size_t i;

    json_array_foreach(indexes, i, item)
    {
        *last = load_index(item, arena);
        good = good && *last;
        if (!good)
            break;
        last = &(*last)->next;
    }
    json_decref(whole);
    if (!good)
        return error_set(err, ERROR_SYSTEM, "the stored list of deferred indexes cannot be read");
    *deferral = loaded;
    return true;
}
