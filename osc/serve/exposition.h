/*
 * Exposition: everything that can be counted, in the text format of Prometheus.
 *
 * Every sample says which server and table it is of, so that the files of
 * several runs may lie side by side for node_exporter's textfile collector.
 */
#ifndef OSC_SERVE_EXPOSITION_H
#define OSC_SERVE_EXPOSITION_H

#include "osc/base/text.h"
#include "osc/serve/watched.h"

void exposition_print(const struct watched *watched, struct text *out);

#endif
