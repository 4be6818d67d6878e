/*
 * Writers on a table of the scene, and the witness who judges afterwards.
 */
#ifndef OSC_TESTS_WRITERS_H
#define OSC_TESTS_WRITERS_H

#include "tests/support/scene.h"
#include "tests/support/traffic.h"

struct writers_wish {
    const char *table;         /* NULL: users */
    unsigned writers;          /* 0: four, and a reader */
    unsigned rate;             /* transactions a second of all of them */
    uint64_t rows;             /* the table is made with so many; 0: it is there */
    bool may_lose_connections; /* the server is going to be killed */
};

/* Fails the test when they cannot start. */
struct traffic *writers_start(struct scene *scene, const struct writers_wish *wish);

/* At a standstill: every acknowledged write is there once, or the test fails. */
void writers_check(struct traffic *traffic, const char *when);

/* Ends them: nothing may be lost, and no application may have seen an error. */
void writers_stop(struct traffic *traffic, const char *when);
/* The same, but for at most so many errors with this code of the server. */
void writers_stop_but_for(struct traffic *traffic, uint64_t most, const char *code,
                          const char *when);

#endif
