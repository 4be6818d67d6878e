#include "tests/support/db_fake.h"

#include "tests/unit/unit.h"

enum { MOST_COLUMNS = 16, LONGEST = 400 };

static const struct fake_answer *script;

/* One answer is read at a time, on whatever connection. */
static struct {
    char line[LONGEST];
    const char *values[MOST_COLUMNS];
    size_t lengths[MOST_COLUMNS];
    const char *rest, *names;
} answer;

static const struct fake_answer *answer_to(const char *statement)
{
    for (const struct fake_answer *a = script; a->words; a++)
        if (strstr(statement, a->words))
            return a;
    fail_msg("nobody has an answer to: %s", statement);
    return NULL;
}

/* The values of one line; how many. */
static unsigned split(const char *from)
{
    unsigned n = 0;

    (void)snprintf(answer.line, sizeof answer.line, "%.*s", (int)strcspn(from, "\n"), from);
    for (char *at = answer.line; n < MOST_COLUMNS; n++) {
        char *end = at + strcspn(at, "|");
        const bool is_last = !*end;
        *end = '\0';
        answer.values[n] = strcmp(at, "~") == 0 ? NULL : at;
        answer.lengths[n] = strlen(at);
        at = end + 1;
        if (is_last)
            return n + 1;
    }
    return n;
}

static bool fails(const struct fake_answer *a, struct error *err)
{
    if (a->error == ERROR_NONE)
        return false;
    error_set(err, a->error, "made to fail");
    (void)snprintf(err->code, sizeof err->code, "%s", a->code ? a->code : "");
    return true;
}

static bool fake_exec(struct db *db, const char *statement, uint64_t *affected, struct error *err)
{
    (void)db;
    *affected = 0;
    return !fails(answer_to(statement), err);
}

static bool fake_query(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    const struct fake_answer *a = answer_to(statement);

    (void)db;
    if (fails(a, err))
        return false;
    answer.names = a->names;
    answer.rest = a->rows ? a->rows : "";
    rows->columns = split(a->names ? a->names : answer.rest);
    return true;
}

static bool fake_next(struct rows *rows, struct error *err)
{
    (void)err;
    if (!*answer.rest)
        return false;
    rows->columns = split(answer.rest);
    answer.rest += strcspn(answer.rest, "\n");
    answer.rest += *answer.rest == '\n';
    rows->values = answer.values;
    rows->lengths = answer.lengths;
    return true;
}

static const char *fake_name(const struct rows *rows, unsigned column)
{
    (void)rows;
    (void)split(answer.names);
    return answer.values[column];
}

static void fake_finish(struct rows *rows)
{
    (void)rows;
}

static bool fake_connect(struct db *db, const struct dsn *dsn, const char *purpose,
                         struct error *err)
{
    (void)db, (void)purpose;
    return strcmp(dsn->host, "dead") != 0 || error_set(err, ERROR_LOST, "nobody answers");
}

static void fake_disconnect(struct db *db)
{
    (void)db;
}

const struct db_driver fake_driver = {
    .connect = fake_connect,
    .close = fake_disconnect,
    .exec = fake_exec,
    .query = fake_query,
    .next = fake_next,
    .name = fake_name,
    .finish = fake_finish,
    .add_literal = mysql_add_literal,
    .add_name = mysql_add_name,
};

void fake_open(struct db *db, const struct dialect *dialect, const struct fake_answer *answers)
{
    *db = (struct db){.driver = &fake_driver, .dialect = dialect, .arena = arena_new()};
    script = answers;
}

void fake_close(struct db *db)
{
    arena_free(db->arena);
}
