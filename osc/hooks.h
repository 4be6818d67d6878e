/*
 * Hooks: the operator's programs, run at points of the story.
 *
 * A hook is an executable in --hooks DIR whose name is the point's.  It gets
 * the facts in its environment (OSC_HOOK_…), never a password, and a limited
 * time.  That one fails, or is missing, changes nothing; only before-cutover is
 * asked for its consent.
 */
#ifndef OSC_HOOKS_H
#define OSC_HOOKS_H

#include "osc/base/arena.h"
#include "osc/base/cancel.h"

enum hook_point {
    HOOK_BEFORE_STEP,
    HOOK_AFTER_STEP,
    HOOK_THROTTLED,
    HOOK_UNTHROTTLED,
    HOOK_BEFORE_CUTOVER,
    HOOK_AFTER_CUTOVER,
    HOOK_FAILED,
    HOOK_DONE,
    HOOK_POINTS,
};

struct hooks;

/* NULL for no directory; refuses one, or files in it, that anybody could have written. */
bool hooks_open(struct hooks **hooks, const char *directory, uint64_t limit_ms,
                struct error *err) MUST_CHECK;
void hooks_close(struct hooks *hooks); /* NULL is fine */

bool hooks_have(const struct hooks *hooks, enum hook_point point); /* NULL: none */

/* One fact: OSC_HOOK_<name>=value. */
struct hook_fact {
    const char *name, *value;
};

/* Facts as they become known; one said again is replaced. */
struct hook_facts {
    struct arena *arena;
    struct hook_fact list[40];
    size_t n;
};

void hook_fact(struct hook_facts *facts, const char *name, const char *format, ...) PRINTF(3, 4);

enum hook_answer {
    HOOK_YES,     /* exit code 0, or there is no such hook  */
    HOOK_NOT_NOW, /* 75, EX_TEMPFAIL of sysexits.h          */
    HOOK_NO,      /* anything else: also killed, or too late */
};

/* Runs it, if there is one; what it prints and how it ends is logged. */
enum hook_answer hooks_run(const struct hooks *hooks, enum hook_point point,
                           const struct hook_facts *facts, const struct cancel *cancel);

const char *hook_name(enum hook_point point);

#endif
