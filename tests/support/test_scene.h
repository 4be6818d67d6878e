/*
 * Traffic on one server, brought to a standstill so that a test can spoil its table.
 */
#ifndef OSC_TESTS_TEST_SCENE_H
#define OSC_TESTS_TEST_SCENE_H

#include <stddef.h>

#include "test_server.h"
#include "traffic.h"
#include "traffic_link.h"

enum { ROWS = 2000 };

struct scene { /* traffic on one server, at a standstill */
    struct traffic *traffic;
    struct link link; /* ours, for the mischief */
    char value[200];  /* the first value of the last query */
};

extern const struct test_server *server; /* the one under test */

void wait_ms(long ms);
bool is_postgres(void);
void open_scene(struct scene *s);
/* Runs what the format makes, and keeps the first value of its last row. */
void sql(struct scene *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct traffic *begin(const struct traffic_options *options);
/* Waits until this counter has grown by `more`; a minute without that is a failure. */
#define await_more(traffic, counter, more)                                                         \
    await_counter(traffic, offsetof(struct traffic_counters, counter), more)
void await_counter(struct traffic *t, size_t offset, uint64_t more);
/* Lets one operation run on a fresh table until enough of it has been done. */
void play(struct scene *s, const char *mix, uint64_t commits, double rate);
struct traffic_verdict look(const struct scene *s);
uint64_t differences(const struct traffic_verdict *v);
void show(const struct traffic_verdict *v);
/* The verdict must show exactly one difference, of this kind, with the row's key. */
void expect_one(struct scene *s, const char *kind, const char *key);
void end(struct scene *s);

/* The tests of the traffic itself, on the server under test; how many failed. */
int test_traffic(void);

#endif
