/*
 * Types of two columns as the server writes them, one per line, then a literal:
 * what conversion, comparison and messages make of them.
 */
#include "osc/plan/postgres.h"
#include "osc/plan/range.h"
#include "osc/plan/values_mysql.h"
#include "tests/fuzz/fuzz.h"

static struct column column_of(const char *type, struct arena *arena)
{
    char *name = arena_string(arena, type);

    name[strcspn(name, "( ")] = '\0';
    return (struct column){
        .name = "c",
        .quoted = "c",
        .type = type,
        .type_name = name,
        .charset = strstr(type, "char") ? "latin1" : "",
        .collation = strstr(type, "char") ? "latin1_bin" : "",
        .is_unsigned = strstr(type, "unsigned") != NULL,
    };
}

static void try_mysql(const struct column *from, const struct column *to, struct arena *arena)
{
    (void)mysql_assigned(from, to, "t.c", arena);
    (void)mysql_convert(from, to, "t.c", arena);
    (void)mysql_silent_loss(from, to, "t.c", arena);
    (void)mysql_same_bytes(from, "a", "b", arena);
    (void)mysql_literal_of(from, "t.c", arena);
    (void)mysql_declared_type(from, arena);
    /* Order without equality would be nonsense. */
    must(mysql_keeps_equality(from, to) || !mysql_keeps_order(from, to));
}

static void try_postgres(const struct column *from, const struct column *to, struct arena *arena)
{
    (void)postgres_convert(from, to, "t.c", arena);
    (void)postgres_silent_loss(from, to, "t.c", arena);
    (void)postgres_same_bytes(from, "a", "b", arena);
    (void)postgres_literal_of(from, "t.c", arena);
    (void)postgres_depends_on_zone(from, to);
    (void)postgres_keeps_equality(from, to);
    (void)postgres_keeps_order(from, to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *old = fuzz_string(&data, &size, false);
    char *new = fuzz_string(&data, &size, false);
    char *literal = fuzz_string(&data, &size, true);
    const struct column from = column_of(old, arena), to = column_of(new, arena);
    const struct column *of_key[] = {&from};
    const struct key key = {.n_columns = 1, .columns = of_key};
    const struct plan plan = {.key = &key};
    const char *literals[] = {literal};

    try_mysql(&from, &to, arena);
    try_postgres(&from, &to, arena);
    (void)bound_show(&plan, &(struct bound){literals}, arena);
    free(old);
    free(new);
    free(literal);
    arena_free(arena);
    return 0;
}
