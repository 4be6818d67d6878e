/*
 * Textfile: the metrics in a file, for node_exporter's textfile collector.
 *
 * Whoever reads sees a whole one, the one before or the one after: it is
 * written beside its place and renamed.
 */
#ifndef OSC_SERVE_TEXTFILE_H
#define OSC_SERVE_TEXTFILE_H

#include "osc/base/error.h"
#include "osc/base/text.h"

bool textfile_write(const char *path, const struct text *text, struct error *err) MUST_CHECK;

#endif
