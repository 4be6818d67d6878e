/*
 * HTTP as a test speaks it: one request, the whole answer; also such as no browser sends.
 */
#ifndef OSC_TESTS_HTTP_H
#define OSC_TESTS_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "osc/base/text.h"

/* A port of 127.0.0.1 that nobody listens on now. */
unsigned http_free_port(void);

int http_connect(unsigned port); /* fails the test when nobody listens */

/* Sends the bytes as they are; false when the other side has closed. */
bool http_send(int connection, const char *bytes, size_t length);

/* Reads until the other side closes (true) or the time is up; closes the connection. */
bool http_drain(int connection, unsigned ms, struct text *answer);

/* A whole request, its answer with head and body; fails the test without one. */
void http_ask(unsigned port, const char *request, struct text *answer);
void http_get(unsigned port, const char *path, struct text *answer);

const char *http_body(const struct text *answer);

#endif
