/*
 * What SHOW CREATE TABLE says, as it is read for the deferred indexes, for the
 * likeness of the shadow, and for the table's identity.
 */
#include "osc/db/dialect.h"
#include "osc/db/driver.h"
#include "osc/indexes_mysql.h"
#include "osc/likeness_mysql.h"
#include "osc/plan/identity_mysql.h"
#include "tests/fuzz/fuzz.h"

static char *shown; /* the server's answer: one row */

static bool one_row(struct db *db, struct rows *rows, const char *statement, struct error *err)
{
    (void)statement;
    (void)err;
    rows->db = db;
    rows->columns = 2;
    return true;
}

static bool next(struct rows *rows, struct error *err)
{
    static const char *values[2] = {"t"};
    static size_t lengths[2] = {1};

    (void)err;
    if (rows->driver)
        return false;
    values[1] = rows->driver = shown;
    lengths[1] = strlen(shown);
    rows->values = values;
    rows->lengths = lengths;
    return true;
}

static void finish(struct rows *rows)
{
    (void)rows;
}

static void try_definition(struct db *db, struct plan *plan, struct arena *arena)
{
    struct error err = ERROR_INIT;
    const char *definition = NULL;
    uint64_t value = 0;

    must(mysql_definition(db, "t", arena, &definition, &err));
    must(mysql_next_value(db, "t", &value, &err));
    must(definition_is_same(definition, definition));
    const struct deferral deferral = deferral_choose(plan, definition);
    const char *saved = deferral_save(&deferral, arena);
    struct deferral loaded;
    if (saved) {
        must(deferral_load(saved, arena, &loaded, &err));
        must(strcmp(loaded.definition, definition) == 0);
    }
    struct table source = {.name = "t", .definition = shown};
    plan->source = &source;
    must(likeness_check(plan, definition, &err) || err.kind == ERROR_REFUSED);
    (void)likeness_check_names(db, plan, definition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct column columns[] = {
        {.name = "a", .is_automatic = size & 1},
        {.name = "b"          }
    };
    const struct column *of_key[] = {&columns[1]};
    struct key keys[] = {
        {.name = "k", .n_columns = 1, .columns = of_key}
    };
    const struct table shadow = {.columns = columns, .n_columns = 2, .keys = keys, .n_keys = 1};
    struct facts facts = {.has_check_names_per_schema = true};
    struct plan plan = {
        .arena = arena, .facts = &facts, .key = keys, .shadow_key = of_key, .shadow = &shadow};
    struct db_driver driver = mysql_driver;
    driver.query = one_row;
    driver.next = next;
    driver.finish = finish;
    struct db db = {.driver = &driver, .dialect = &mysql_dialect, .facts = &facts, .arena = arena};

    shown = fuzz_string(&data, &size, true);
    try_definition(&db, &plan, arena);
    free(shown);
    arena_free(arena);
    return 0;
}
