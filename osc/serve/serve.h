/*
 * Serve: lets others watch a migration while it runs.
 *
 * Over HTTP (--metrics-listen) and as a file for node_exporter (--metrics-file).
 * Reads what is counted, asks no server, and is never waited for by the migration.
 */
#ifndef OSC_SERVE_SERVE_H
#define OSC_SERVE_SERVE_H

#include "osc/migrate.h"

struct serve;

/* Before anything is changed: a port that is taken ends it here.  NULL on failure. */
struct serve *serve_start(const struct request *request, struct error *err) MUST_CHECK;

/* The migration has ended, well or not; that is told to those who listen. */
void serve_stop(struct serve *serve, bool is_good);

#endif
