/*
 * Output: what a command answers on standard output, as text or as JSON.
 */
#ifndef OSC_OUTPUT_H
#define OSC_OUTPUT_H

#include <jansson.h>

#include "osc/base/error.h"
#include "osc/base/text.h"

bool output_text(const struct text *text, struct error *err) MUST_CHECK;

/* One value on one line; takes the value over. */
bool output_json(json_t *value, struct error *err) MUST_CHECK;

/* A JSON string, whatever the bytes are (what is not UTF-8 becomes '?'); NULL gives null. */
json_t *output_string(const char *string);

#endif
