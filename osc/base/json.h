/*
 * JSON: strings of whatever bytes there are.
 */
#ifndef OSC_BASE_JSON_H
#define OSC_BASE_JSON_H

#include <jansson.h>

/* What is not UTF-8, which jansson refuses, becomes '?'. */
json_t *json_any_string(const char *string);

#endif
