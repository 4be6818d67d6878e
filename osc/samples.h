/*
 * Samples: what osc advise --record has seen, kept for the next time.
 *
 * A file of lines in the operator's state directory, one for each server by its
 * address: nothing is written to the server for it.  Lines that make no sense
 * are passed over; what is older than eight weeks tells of another time.
 */
#ifndef OSC_SAMPLES_H
#define OSC_SAMPLES_H

#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/error.h"
#include "osc/db/dsn.h"

struct sample {
    int64_t at;     /* when it began, seconds since 1970 */
    double seconds; /* how long it took */
    double work;    /* in a second: what the server's dialect counts */
    double rows;    /* written */
};

/* ~/.local/state/osc/activity/postgres-db1-5432.jsonl; NULL where there is no home. */
const char *samples_file(const struct dsn *dsn, struct arena *arena);

/* Adds a line; makes the directory where there is none. */
bool samples_add(const char *path, const struct sample *sample, struct error *err) MUST_CHECK;

struct samples {
    struct sample *list; /* in the order of time */
    size_t n;
    size_t senseless; /* lines */
};

/* No file is no samples.  `now`: to know what is too old. */
bool samples_load(const char *path, int64_t now, struct arena *arena, struct samples *samples,
                  struct error *err) MUST_CHECK;

#endif
