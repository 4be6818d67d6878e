#include "osc/likeness_mysql.h"

#include <string.h>

#include "osc/indexes_mysql.h"

static const char constraint[] = "  CONSTRAINT `";

static bool is_constraint(const struct line *line)
{
    return line->length > strlen(constraint) &&
           strncmp(line->start, constraint, strlen(constraint)) == 0;
}

static bool is_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool has_line(const char *definition, const struct line *wanted)
{
    const char *at = definition_body(definition);
    struct line line;

    while (next_line(&at, &line))
        if (is_same(line.start, line.length, wanted->start, wanted->length))
            return true;
    return false;
}

bool likeness_check(const struct plan *plan, const char *definition, struct error *err)
{
    const char *at = definition_body(plan->source->definition);
    struct line line;

    while (next_line(&at, &line)) {
        if (is_constraint(&line) || has_line(definition, &line))
            continue;
        error_set(err, ERROR_REFUSED, "CREATE TABLE … LIKE does not carry this of %s: %.*s",
                  plan->source->name, (int)line.length, line.start + strspn(line.start, " "));
        return error_hint(err, "use the server's own ALTER");
    }
    return true;
}

/* CONSTRAINT `name` CHECK (…): what stands behind the name; NULL for another line. */
static const char *split_check(const struct line *line, struct arena *arena, const char **name)
{
    const char *behind = NULL;

    if (!is_constraint(line))
        return NULL;
    *name = quoted_name(line->start, line->start + line->length, arena, &behind);
    return *name && strncmp(behind, " CHECK ", 7) == 0 ? behind : NULL;
}

/* Constraints with the same words are alike: the first one not taken yet. */
struct name_pair *likeness_check_names(struct db *db, const struct plan *plan,
                                       const char *definition)
{
    const char *ours = definition_body(definition), *at = definition_body(plan->source->definition);
    struct name_pair *pairs = NULL;
    struct line line, mine;

    while (plan->facts->has_check_names_per_schema && next_line(&at, &line)) {
        const char *from = NULL, *to = NULL, *mine_at = ours;
        const char *words = split_check(&line, plan->arena, &from);
        while (words && next_line(&mine_at, &mine)) {
            const char *mine_words = split_check(&mine, plan->arena, &to);
            if (!mine_words ||
                !is_same(words, (size_t)(line.start + line.length - words), mine_words,
                         (size_t)(mine.start + mine.length - mine_words)))
                continue;
            struct name_pair *pair = ARENA_NEW(plan->arena, struct name_pair);
            *pair = (struct name_pair){from, db_quote_name(db, plan->arena, to), pairs};
            pairs = pair;
            break;
        }
    }
    return pairs;
}
