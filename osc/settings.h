/*
 * Settings: options from files, with the same names.
 *
 *   threads = 4
 *   window = "Mon-Fri 22:00-06:00"
 *   targets: { shop: { dsn = "postgres://osc@db1/shop" } }    # with --target shop
 *
 * The system's file, then the operator's, or the one that --config names
 * instead; the group of the target holds over the rest of its file.  The format
 * is libconfig's: numbers, "strings", lists and comments, and it tells the line
 * of each setting.
 */
#ifndef OSC_SETTINGS_H
#define OSC_SETTINGS_H

#include "osc/options.h"

enum { SETTINGS_FILES = 2 };

struct settings {
    struct settings_file {
        const char *path;
        bool is_there;
    } files[SETTINGS_FILES];
    size_t n;
    const char *concern; /* to be said once there is a log; NULL: none */
};

/* Fills what neither command line nor environment has said; settles where the files are. */
bool settings_read(struct settings *settings, struct options *options, unsigned command,
                   struct arena *arena, struct error *err) MUST_CHECK;

/* One file's text; `at` is how errors call it.  *has_target: it knows options->target. */
bool settings_take(const char *text, const char *at, enum origin from, unsigned command,
                   struct options *options, bool *has_target, struct arena *arena,
                   struct error *err) MUST_CHECK;

#endif
