/*
 * Picture: all that a server tells of a table, as sorted lines: its definition,
 * what hangs on it, and every row to the byte.  Two tables are alike when their
 * pictures are.  Shares no code with osc's catalog and verifier.
 */
#ifndef OSC_TESTS_PICTURE_H
#define OSC_TESTS_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "osc/db/db.h"

struct picture {
    const char **lines;
    size_t n, size;
    uint64_t next_number; /* AUTO_INCREMENT; 0 where there is none */
};

/* `table` is in the connection's database, or the schema public.  Fails the test when it cannot. */
struct picture picture_take(struct db *db, const char *table, struct arena *arena);

/* Adds to `out` what is only in the one (-) or the other (+); empty when alike. */
void picture_compare(const struct picture *wanted, const struct picture *got, struct text *out);

#endif
