/*
 * Others: who uses the table besides osc, on plain connections of their own, and
 * how long they had to wait.
 */
#ifndef OSC_TESTS_OTHERS_H
#define OSC_TESTS_OTHERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/scene.h"
#include "tests/support/traffic_link.h"

enum { OTHERS_ROWS = 300 };

/* Setup and teardown: a scene with t (id, v), in which v is the id. */
int others_open(void **state);
int others_close(void **state);

struct link arrives(const struct scene *s);
void does(struct link *link, const char *sql);
/* Somebody who writes the first row, adding 1000 to v, and then thinks about it. */
struct link begins_to_write(const struct scene *s);

/* Somebody whose statement takes long, or waits. */
struct busy {
    struct link link;
    const char *sql;
    enum reply reply;
    pthread_t thread;
};

void starts(struct busy *busy, struct link link, const char *sql);
enum reply ends(struct busy *busy);

/* The application: single writes to the other rows, the longest of which counts. */
struct application {
    struct link link;
    pthread_t thread;
    atomic_bool ends;
    uint64_t writes, longest_ms;
    bool failed;
    int row; /* the one it writes, where it is always the same */
};

void writes_go_on(struct application *app, const struct scene *s);
/* Ends it: no write has failed, or taken longer than one attempt may keep it waiting. */
void nobody_waited_long(struct application *app);
void every_write_is_there(struct scene *s, const struct application *app);

/* osc alter t "ADD COLUMN c int" that has come to `step` and stands still there. */
pid_t comes_to(struct scene *s, const char *step, const char *timeout, const char *kill);
bool has_column(struct scene *s);
/* Until osc has said so. */
void awaits(const struct scene *s, pid_t osc, const char *words);

#endif
