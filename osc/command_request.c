#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "osc/command_bodies.h"

bool command_request(struct run *run, struct request *request, struct error *err)
{
    struct dsn *dsn = ARENA_NEW(run->arena, struct dsn);

    *request = (struct request){
        .options = &run->options,
        .dsn = dsn,
        .cancel = run->cancel,
        .progress = ARENA_NEW(run->arena, struct progress),
        .arena = run->arena,
    };
    if (!run->options.dsn) {
        (void)error_set(err, ERROR_USAGE, "which server? There is neither --dsn nor OSC_DSN");
        return error_hint(err, "--dsn postgres://user@host:5432/database, or mysql://… or "
                               "mariadb://…");
    }
    return dsn_parse(dsn, run->options.dsn, run->arena, err);
}

/*
 * One name, quoted ("a.b", `a.b`; the quote doubled inside) or plain, up to a dot.
 * Plain names are taken as they are: no server's case folding is imitated.
 */
static const char *take_name(struct text *name, const char *at)
{
    const char quote = *at == '"' || *at == '`' ? *at : '\0';
    const char *rest;

    if (!quote) {
        const size_t length = strcspn(at, ".");
        text_add_bytes(name, at, length);
        return at + length;
    }
    for (at++; *at; at = rest) {
        rest = at + 1;
        if (*at == quote && *rest != quote)
            return rest;
        if (*at == quote)
            rest++;
        text_add_bytes(name, at, 1);
    }
    return NULL;
}

bool command_table(struct run *run, const char *word, const char **schema, const char **table,
                   struct error *err)
{
    AUTO(text) first = TEXT_INIT;
    AUTO(text) second = TEXT_INIT;
    const char *rest = take_name(&first, word);
    const bool is_qualified = rest && *rest == '.';

    if (is_qualified)
        rest = take_name(&second, rest + 1);
    if (!rest || *rest || !first.length || (is_qualified && !second.length)) {
        (void)error_set(err, ERROR_USAGE, "'%s' is not the name of a table", word);
        return error_hint(err, "write table, schema.table, or '\"odd.name\"' for a name with dots");
    }
    *schema = is_qualified ? arena_string(run->arena, first.bytes) : NULL;
    *table = arena_string(run->arena, is_qualified ? second.bytes : first.bytes);
    return true;
}

static bool parse_id(const char *word, uint64_t *id)
{
    char *end;

    errno = 0;
    *id = strtoull(word, &end, 10);
    return !errno && !*end && *word >= '0' && *word <= '9' && *id;
}

bool command_id(struct run *run, const char **schema, const char **table, struct error *err)
{
    *schema = *table = NULL;
    if (!run->words.count || parse_id(run->words.list[0], &run->id))
        return true;
    if (!command_table(run, run->words.list[0], schema, table, err))
        return false;
    if (parse_id(*table, &run->id))
        *table = NULL;
    return true;
}
