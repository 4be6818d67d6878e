/* The DSN: its password is nowhere but in its field, and what is shown leads to the same place. */
#include "osc/db/dsn.h"
#include "tests/fuzz/fuzz.h"

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    char *url = fuzz_string(&data, &size, true);
    struct dsn dsn, shown;
    struct error err = ERROR_INIT;

    if (dsn_parse(&dsn, url, arena, &err)) {
        must(dsn_parse(&shown, dsn.shown, arena, &err));
        must(is_same(dsn.user, shown.user) && is_same(dsn.host, shown.host));
        must(is_same(dsn.database, shown.database) && is_same(dsn.socket, shown.socket));
        must(dsn.port == shown.port && dsn.dialect == shown.dialect);
        must(!shown.password && strcmp(dsn.shown, shown.shown) == 0);
    } else {
        must(err.kind == ERROR_USAGE && *err.hint);
    }
    free(url);
    arena_free(arena);
    return 0;
}
