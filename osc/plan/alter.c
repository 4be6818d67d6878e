#include "osc/plan/alter.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "osc/base/text.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_STRING, TOKEN_SIGN, TOKEN_BROKEN };

struct token {
    enum token_kind kind;
    const char *start;
    size_t length;
};

struct lexer {
    const char *at;
    const struct alter_rules *rules;
    const char *problem;
};

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Behind the comment that starts at `at`, or `at` when none does. */
static const char *behind_comment(struct lexer *lexer, const char *at)
{
    const bool dashes = at[0] == '-' && at[1] == '-' &&
                        (!lexer->rules->has_backquotes || !at[2] || isspace((unsigned char)at[2]));

    if (dashes || (at[0] == '#' && lexer->rules->has_backquotes))
        return at + strcspn(at, "\n");
    if (at[0] == '/' && at[1] == '*') {
        int depth = 0;
        /* The server would run what is in it, unseen by us. */
        if (lexer->rules->has_backquotes && (at[2] == '!' || (at[2] == 'M' && at[3] == '!')))
            lexer->problem = "an executable comment hides clauses from osc: write them out";
        for (; *at; at++) {
            if (at[0] == '/' && at[1] == '*' && (depth == 0 || !lexer->rules->has_backquotes)) {
                depth++;
                at++;
            } else if (at[0] == '*' && at[1] == '/') {
                at++;
                if (--depth == 0)
                    return at + 1;
            }
        }
        lexer->problem = "a comment is not closed";
    }
    return at;
}

static const char *behind_blanks(struct lexer *lexer, const char *at)
{
    for (;;) {
        at += strspn(at, " \t\r\n\f\v");
        const char *behind = behind_comment(lexer, at);
        if (behind == at)
            return at;
        at = behind;
    }
}

/* Behind the closing quote; doubled quotes and, where the server has them, backslashes are inside.
 */
static const char *behind_quoted(struct lexer *lexer, const char *at, bool backslashes)
{
    const char quote = *at;

    for (at++; *at; at++) {
        if (*at == '\\' && backslashes && at[1])
            at++;
        else if (*at == quote && at[1] == quote)
            at++;
        else if (*at == quote)
            return at + 1;
    }
    lexer->problem = "a quote is not closed";
    return at;
}

/* $tag$ … $tag$ of PostgreSQL; NULL when this is none. */
static const char *behind_dollars(struct lexer *lexer, const char *at)
{
    const char *tag_end = at + 1;

    while (isalnum((unsigned char)*tag_end) || *tag_end == '_')
        tag_end++;
    if (*tag_end != '$' || isdigit((unsigned char)at[1]))
        return NULL;
    const size_t length = (size_t)(tag_end + 1 - at);
    for (const char *end = tag_end + 1; (end = strchr(end, '$')); end++)
        if (strncmp(end, at, length) == 0)
            return end + length;
    lexer->problem = "a dollar quote is not closed";
    return at + strlen(at);
}

static struct token next_token(struct lexer *lexer)
{
    const char *at = behind_blanks(lexer, lexer->at);
    struct token token = {.kind = TOKEN_SIGN, .start = at, .length = 1};
    const bool backquotes = lexer->rules->has_backquotes;
    const char *end = at + 1;

    if (!*at) {
        token.kind = lexer->problem ? TOKEN_BROKEN : TOKEN_END;
        end = at;
    } else if (*at == '\'' || (*at == '"' && backquotes)) {
        token.kind = TOKEN_STRING;
        end = behind_quoted(lexer, at, backquotes);
    } else if ((*at == 'e' || *at == 'E') && at[1] == '\'' && !backquotes) {
        token.kind = TOKEN_STRING;
        end = behind_quoted(lexer, at + 1, true);
    } else if (*at == '"' || (*at == '`' && backquotes)) {
        token.kind = TOKEN_QUOTED;
        end = behind_quoted(lexer, at, false);
    } else if (*at == '$' && !backquotes && behind_dollars(lexer, at)) {
        token.kind = TOKEN_STRING;
        end = behind_dollars(lexer, at);
    } else if (is_word_byte(*at)) {
        token.kind = TOKEN_WORD;
        while (is_word_byte(*end))
            end++;
    }
    token.length = (size_t)(end - at);
    lexer->at = end;
    if (lexer->problem)
        token.kind = TOKEN_BROKEN;
    return token;
}

static bool is_word(const struct token *token, const char *word)
{
    return token->kind == TOKEN_WORD && token->length == strlen(word) &&
           strncasecmp(token->start, word, token->length) == 0;
}

static bool is_sign(const struct token *token, char sign)
{
    return token->kind == TOKEN_SIGN && *token->start == sign;
}

static bool is_end(const struct token *token)
{
    return token->kind == TOKEN_END || token->kind == TOKEN_BROKEN;
}

/* One clause: its tokens up to the next comma outside brackets. */
struct clause {
    struct token *tokens;
    size_t n;
    const char *end; /* behind the last token */
};

static bool next_clause(struct lexer *lexer, struct arena *arena, struct clause *clause)
{
    int depth = 0;
    size_t size = 16;

    clause->tokens = ARENA_ARRAY(arena, struct token, size);
    clause->n = 0;
    for (;;) {
        const struct token token = next_token(lexer);
        if (is_end(&token))
            return clause->n > 0;
        if (is_sign(&token, ',') && depth == 0)
            return true;
        depth += is_sign(&token, '(') || is_sign(&token, '[');
        depth -= is_sign(&token, ')') || is_sign(&token, ']');
        if (clause->n == size) {
            struct token *more = ARENA_ARRAY(arena, struct token, size * 2);
            memcpy(more, clause->tokens, size * sizeof *more);
            clause->tokens = more;
            size *= 2;
        }
        clause->tokens[clause->n++] = token;
        clause->end = token.start + token.length;
    }
}

/* The identifier as the server would store it. */
static const char *identifier(const struct token *token, const struct alter_rules *rules,
                              struct arena *arena)
{
    char *name = arena_copy(arena, token->start, token->length);

    if (token->kind == TOKEN_QUOTED) {
        const char quote = *name;
        char *to = name;
        for (const char *from = name + 1; from < name + token->length - 1; from++) {
            *to++ = *from;
            if (*from == quote)
                from++;
        }
        *to = '\0';
    } else if (!rules->has_backquotes) {
        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
    }
    return name;
}

static bool is_name(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED;
}

/* Token i of the clause; the end token behind the last. */
static const struct token *at(const struct clause *clause, size_t i)
{
    static const struct token end = {.kind = TOKEN_END, .start = ""};

    return i < clause->n ? &clause->tokens[i] : &end;
}

static bool starts_with(const struct clause *clause, const char *words)
{
    for (size_t i = 0; *words; i++) {
        const size_t length = strcspn(words, " ");
        if (at(clause, i)->kind != TOKEN_WORD || at(clause, i)->length != length ||
            strncasecmp(at(clause, i)->start, words, length) != 0)
            return false;
        words += length;
        words += *words == ' ';
    }
    return true;
}

static const struct {
    const char *words, *advice;
} forbidden[] = {
    {"ALTER TABLE",        "give only the clauses that follow ALTER TABLE name"               },
    {"RENAME TO",          "osc keeps the table's name; rename it with the server's own ALTER"},
    {"RENAME AS",          "osc keeps the table's name; rename it with the server's own ALTER"},
    {"SET SCHEMA",         "osc keeps the table's schema"                                     },
    {"EXCHANGE PARTITION", "partitions are not supported yet"                                 },
    {"ATTACH PARTITION",   "partitions are not supported yet"                                 },
    {"DETACH PARTITION",   "partitions are not supported yet"                                 },
};

static bool check_clause(const struct clause *clause, const struct alter_rules *rules,
                         struct error *err)
{
    if (!clause->n)
        return error_set(err, ERROR_USAGE, "the ALTER clauses: a comma with no clause before it");
    for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
        if (starts_with(clause, forbidden[i].words))
            return error_set(err, ERROR_USAGE, "the ALTER clauses may not contain %s: %s",
                             forbidden[i].words, forbidden[i].advice);
    /* "RENAME name" and "RENAME = name" of MySQL rename the table, too. */
    if (rules->has_backquotes && starts_with(clause, "RENAME") &&
        !is_word(at(clause, 1), "COLUMN") && !is_word(at(clause, 1), "INDEX") &&
        !is_word(at(clause, 1), "KEY"))
        return error_set(err, ERROR_USAGE, "the ALTER clauses may not rename the table");
    return true;
}

bool alter_check(const char *alter, const struct alter_rules *rules, struct error *err)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    struct arena *arena = arena_new();
    struct clause clause;
    int depth = 0;
    bool good = true;

    if (next_token(&lexer).kind == TOKEN_END)
        good = error_set(err, ERROR_USAGE, "the ALTER clauses are empty");
    lexer.at = alter;
    for (struct token t = next_token(&lexer); good && !is_end(&t); t = next_token(&lexer)) {
        depth += is_sign(&t, '(') || is_sign(&t, '[');
        depth -= is_sign(&t, ')') || is_sign(&t, ']');
        if (is_sign(&t, ';'))
            good = error_set(err, ERROR_USAGE, "the ALTER clauses contain a semicolon");
        else if (depth < 0)
            good =
                error_set(err, ERROR_USAGE, "the ALTER clauses close a bracket they did not open");
    }
    if (good && lexer.problem)
        good = error_set(err, ERROR_USAGE, "the ALTER clauses: %s", lexer.problem);
    if (good && depth > 0)
        good = error_set(err, ERROR_USAGE, "the ALTER clauses: a bracket is not closed");
    lexer = (struct lexer){.at = alter, .rules = rules};
    while (good && next_clause(&lexer, arena, &clause))
        good = check_clause(&clause, rules, err);
    arena_free(arena);
    return good;
}

bool alter_has_clause(const char *alter, const struct alter_rules *rules, const char *words)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    struct arena *arena = arena_new();
    struct clause clause;
    bool found = false;

    while (!found && next_clause(&lexer, arena, &clause))
        found = starts_with(&clause, words);
    arena_free(arena);
    return found;
}

struct name_pair *alter_renames(const char *alter, const struct alter_rules *rules,
                                struct arena *arena)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    struct name_pair *first = NULL, **last = &first;
    struct clause clause;

    while (next_clause(&lexer, arena, &clause)) {
        size_t from = 1, to;
        if (starts_with(&clause, "CHANGE")) {
            from += is_word(at(&clause, from), "COLUMN");
            if (is_word(at(&clause, from), "IF") && is_word(at(&clause, from + 1), "EXISTS"))
                from += 2;
            to = from + 1;
        } else if (starts_with(&clause, "RENAME")) {
            if (starts_with(&clause, "RENAME INDEX") || starts_with(&clause, "RENAME KEY") ||
                starts_with(&clause, "RENAME CONSTRAINT"))
                continue;
            from += is_word(at(&clause, from), "COLUMN");
            if (is_word(at(&clause, from), "IF") && is_word(at(&clause, from + 1), "EXISTS"))
                from += 2;
            if (!is_word(at(&clause, from + 1), "TO"))
                continue;
            to = from + 2;
        } else {
            continue;
        }
        if (!is_name(at(&clause, from)) || !is_name(at(&clause, to)))
            continue;
        struct name_pair *pair = ARENA_NEW(arena, struct name_pair);
        pair->from = identifier(at(&clause, from), rules, arena);
        pair->to = identifier(at(&clause, to), rules, arena);
        *last = pair;
        last = &pair->next;
    }
    return first;
}

/* DROP x that is no column. */
static bool drops_other(const struct clause *clause)
{
    static const char *const others[] = {
        "DROP INDEX",     "DROP KEY",        "DROP PRIMARY",
        "DROP FOREIGN",   "DROP CONSTRAINT", "DROP CHECK",
        "DROP PARTITION", "DROP PERIOD FOR", "DROP SYSTEM VERSIONING"};

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (starts_with(clause, others[i]))
            return true;
    return false;
}

bool alter_drops(const char *alter, const struct alter_rules *rules, const char *column)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    struct arena *arena = arena_new();
    struct clause clause;
    bool found = false;

    while (!found && next_clause(&lexer, arena, &clause)) {
        if (!starts_with(&clause, "DROP") || drops_other(&clause))
            continue;
        size_t i = 1 + is_word(at(&clause, 1), "COLUMN");
        if (is_word(at(&clause, i), "IF") && is_word(at(&clause, i + 1), "EXISTS"))
            i += 2;
        const char *name = is_name(at(&clause, i)) ? identifier(at(&clause, i), rules, arena) : "";
        found = (rules->has_backquotes ? strcasecmp : strcmp)(name, column) == 0;
    }
    arena_free(arena);
    return found;
}

struct alter_using *alter_usings(const char *alter, const struct alter_rules *rules,
                                 struct arena *arena)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    struct alter_using *first = NULL, **last = &first;
    struct clause clause;

    while (next_clause(&lexer, arena, &clause)) {
        if (!starts_with(&clause, "ALTER"))
            continue;
        const size_t name = 1 + is_word(at(&clause, 1), "COLUMN");
        int depth = 0;
        for (size_t i = name + 1; i < clause.n; i++) {
            depth += is_sign(at(&clause, i), '(');
            depth -= is_sign(at(&clause, i), ')');
            if (depth || !is_word(at(&clause, i), "USING") || i + 1 == clause.n)
                continue;
            struct alter_using *using = ARENA_NEW(arena, struct alter_using);
            const char *start = at(&clause, i + 1)->start;
            using->column = identifier(at(&clause, name), rules, arena);
            using->expression = arena_copy(arena, start, (size_t)(clause.end - start));
            *last = using;
            last = &using->next;
            break;
        }
    }
    return first;
}

static const char *replacement(const struct token *token, const struct alter_rules *rules,
                               const struct name_pair *names, struct arena *arena)
{
    if (!is_name(token))
        return NULL;
    const char *name = identifier(token, rules, arena);
    for (; names; names = names->next)
        if (strcmp(names->from, name) == 0)
            return names->to;
    return NULL;
}

/* Does token i of the clause name a constraint or an index that exists or is to be? */
static bool names_object(const struct clause *clause, size_t i)
{
    const struct token *none = at(clause, clause->n);
    const struct token *before = i > 0 ? at(clause, i - 1) : none;
    const struct token *second = i > 1 ? at(clause, i - 2) : none;

    if (is_word(before, "EXISTS") && is_word(second, "IF"))
        return i > 2 && is_word(at(clause, i - 3), "CONSTRAINT");
    if (is_word(before, "INDEX") && is_word(second, "USING"))
        return !is_word(at(clause, i), "TABLESPACE");
    if (is_word(before, "TO"))
        return starts_with(clause, "RENAME CONSTRAINT");
    if (i == 2 && (starts_with(clause, "DROP CHECK") || starts_with(clause, "ALTER CHECK") ||
                   starts_with(clause, "CLUSTER ON")))
        return true;
    return is_word(before, "CONSTRAINT");
}

const char *alter_with_names(const char *alter, const struct alter_rules *rules,
                             const struct name_pair *names, struct arena *arena)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    AUTO(text) out = TEXT_INIT;
    struct clause clause;
    const char *done = alter;

    while (next_clause(&lexer, arena, &clause)) {
        for (size_t i = 0; i < clause.n; i++) {
            const struct token *token = at(&clause, i);
            const char *name =
                names_object(&clause, i) ? replacement(token, rules, names, arena) : NULL;
            if (!name)
                continue;
            text_add_bytes(&out, done, (size_t)(token->start - done));
            text_add(&out, name);
            done = token->start + token->length;
        }
    }
    text_add(&out, done);
    return arena_copy(arena, out.bytes, out.length);
}

const char *alter_with_table(const char *alter, const struct alter_rules *rules, const char *table,
                             const char *to, struct arena *arena)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    const struct name_pair name = {.from = table, .to = to};
    AUTO(text) out = TEXT_INIT;
    struct token token = next_token(&lexer);
    const char *done = alter;

    while (!is_end(&token)) {
        const struct token behind = next_token(&lexer);
        const char *new_name =
            is_sign(&behind, '.') ? replacement(&token, rules, &name, arena) : NULL;
        if (new_name) {
            text_add_bytes(&out, done, (size_t)(token.start - done));
            text_add(&out, new_name);
            done = token.start + token.length;
        }
        token = behind;
    }
    text_add(&out, done);
    return arena_copy(arena, out.bytes, out.length);
}

struct alter_part *alter_parts(const char *alter, const struct alter_rules *rules,
                               struct arena *arena)
{
    struct lexer lexer = {.at = alter, .rules = rules};
    struct alter_part *first = NULL, **last = &first, *open = NULL;
    struct clause clause;

    while (next_clause(&lexer, arena, &clause)) {
        const char *start = clause.tokens[0].start;
        const bool alone = starts_with(&clause, "RENAME");
        if (open && !alone) {
            open->clauses =
                arena_printf(arena, "%s, %.*s", open->clauses, (int)(clause.end - start), start);
            continue;
        }
        struct alter_part *part = ARENA_NEW(arena, struct alter_part);
        part->clauses = arena_copy(arena, start, (size_t)(clause.end - start));
        *last = part;
        last = &part->next;
        open = alone ? NULL : part;
    }
    return first;
}
