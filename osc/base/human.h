/*
 * Human: quantities as people read them.
 *
 *   human_count(2314000).text   "2.31M"
 */
#ifndef OSC_BASE_HUMAN_H
#define OSC_BASE_HUMAN_H

#include <stddef.h>
#include <stdint.h>

#include "osc/base/arena.h"
#include "osc/base/macro.h"
#include "osc/base/text.h"

struct human {
    char text[40];
};

struct human human_count(uint64_t count); /* 812, 1.23k, 45.6k, 2.31M          */
struct human human_bytes(uint64_t bytes); /* 812 B, 1.23 KiB, 45.6 GiB         */
struct human human_duration(uint64_t ms); /* 250 ms, 12 s, 4 m 10 s, 3 d 4 h   */
struct human human_eta(uint64_t seconds); /* no more precise than it can be    */
struct human human_setting(uint64_t ms);  /* as an option is written: 250ms, 2s, 5m */
size_t human_width(const char *utf8);     /* columns on a terminal             */

/* The first `width` columns of it, the last one an ellipsis when that is not all. */
const char *human_cut(const char *utf8, size_t width, struct arena *arena);

/* Adds `words` wrapped to `width` columns, each line but the first indented. */
void human_wrap(struct text *out, const char *words, size_t indent, size_t width);

#endif
