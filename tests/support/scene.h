/*
 * Scene: one private database, osc as a process of its own, and SQL behind its
 * back.  The helpers fail the test themselves, so that a test reads like a
 * sentence.
 *
 * The server comes from OSC_TEST_DSN (a URL without a database), which
 * tests/support/on-server sets.
 */
#ifndef OSC_TESTS_SCENE_H
#define OSC_TESTS_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "osc/db/db.h"

struct scene {
    char dsn[600];       /* of the scene's own database */
    char schema[64];     /* where tables are made: the database, or public */
    char directory[200]; /* failpoints */
    bool is_postgres;
    struct db *db;
    struct arena *arena;
    struct dsn parsed, server;
    const char *fault;  /* NULL, or OSC_FAULT of the next osc */
    const char *mutant; /* NULL, or the mutant that the next osc runs with */
};

struct outcome {
    int status;      /* exit code; 128 + signal when killed */
    long peak_kb;    /* the most memory that it had */
    char *out, *err; /* what it printed; NUL-terminated */
};

struct scene *scene_open(const char *name);
void scene_close(struct scene *scene);
/* From now on its database is the one of that name on this server. */
void scene_move(struct scene *scene, const char *server);

/* Runs statements (printf style); fails the test on error. */
void scene_sql(struct scene *scene, const char *format, ...) PRINTF(2, 3);
void scene_script(struct scene *scene, const char *statements); /* separated by ; */
/* A table (id, v) with an index on v and the rows (1, 1), (2, 2), … */
void scene_make_numbers(struct scene *scene, const char *table, unsigned rows);
bool scene_try_sql(struct scene *scene, const char *statement); /* false on error */
/* The one value; "" for NULL or no row. */
const char *scene_value(struct scene *scene, const char *format, ...) PRINTF(2, 3);
uint64_t scene_number(struct scene *scene, const char *format, ...) PRINTF(2, 3);
/* The MySQL family's waits for a table of ours: a query that counts them, whatever others say. */
const char *scene_waits(const struct scene *scene);
/* Until the query counts something. */
void scene_await_some(struct scene *scene, const char *query);

/* Text that differs: what PostgreSQL wants, or what the MySQL family wants. */
const char *scene_pick(const struct scene *scene, const char *postgres, const char *mysql);

/* osc COMMAND …, with --dsn added.  The list ends with NULL. */
struct outcome scene_osc(struct scene *scene, const char *command, ...) __attribute__((sentinel));
pid_t scene_start(struct scene *scene, const char *command, ...) __attribute__((sentinel));
struct outcome scene_wait(struct scene *scene, pid_t pid);
void outcome_free(struct outcome *outcome);

/* Exit code as wanted, or the test fails and shows what osc said. */
void assert_exit(struct outcome outcome, int status);
/* The same, and its error text contains `words`. */
void assert_says(struct outcome outcome, int status, const char *words);

/* Database calls of the last osc, which ran with the fault "c:0". */
unsigned scene_calls(const struct scene *scene);

/* Failpoints: osc halts where `name` is; released by scene_release(). */
void scene_hold(struct scene *scene, const char *name);
void scene_kill_at(struct scene *scene, const char *name); /* dies there as by kill -9 */
void scene_await(struct scene *scene, const char *name);   /* until it halts there */
bool scene_has_reached(const struct scene *scene, const char *name);
void scene_release(struct scene *scene, const char *name);

/* Nothing that osc makes is left in the database but its state table and, if kept, retired tables.
 */
void assert_nothing_left(struct scene *scene, bool retired_is_kept);

#endif
