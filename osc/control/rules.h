/*
 * Rules: when a migration may work and when it may swap, as the operator has
 * laid down with --window, --cutover, --cutover-window and --postpone-flag-file.
 *
 * Two windows, because two things disturb: the backfill and the verifier load
 * the server for hours, the swap locks the table for a moment.
 */
#ifndef OSC_CONTROL_RULES_H
#define OSC_CONTROL_RULES_H

#include "osc/base/progress.h"
#include "osc/control/window.h"
#include "osc/options.h"

enum cutover_mode { CUTOVER_AUTO, CUTOVER_MANUAL, CUTOVER_AT };

struct rules {
    const struct zone *zone;
    bool has_window, has_cutover_window;
    struct window window, cutover_window;
    enum cutover_mode cutover;
    struct wall at; /* CUTOVER_AT */
    const char *flag_file;
};

/* ERROR_USAGE: an option says what nobody understands. */
bool rules_read(const struct options *options, struct arena *arena, struct rules *rules,
                struct error *err) MUST_CHECK;

/* A time without a date is the next such moment, and is from now on remembered with it. */
bool rules_settle(struct options *options, int64_t now, struct arena *arena,
                  struct error *err) MUST_CHECK;

enum errand { ERRAND_WORK, ERRAND_SWAP };

struct rest {
    enum rest_reason why; /* REST_NONE: it may be done */
    int64_t until;        /* 0: nobody knows */
};

/* `is_let_go`: an operator has said osc cutover, which is above all but a pause. */
struct rest rules_rest(const struct rules *rules, enum errand errand, bool is_paused,
                       bool is_let_go, int64_t now);

/* 2025-11-23 02:00 Europe/Berlin */
const char *rules_moment(const struct zone *zone, int64_t at, struct arena *arena);

/* For the option table: whether it can be understood. */
bool rules_check_window(const char *text, struct error *err) MUST_CHECK;
bool rules_check_cutover(const char *text, struct error *err) MUST_CHECK;
bool rules_check_zone(const char *text, struct error *err) MUST_CHECK;

#endif
