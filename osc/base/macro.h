/*
 * Small language helpers used everywhere.
 */
#ifndef OSC_BASE_MACRO_H
#define OSC_BASE_MACRO_H

#include <assert.h>
#include <stddef.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define UNUSED __attribute__((unused))

/* AUTO(text) t = TEXT_INIT; is released by text_release(&t) on every way out of the block. */
#define AUTO(type) __attribute__((cleanup(type##_release))) struct type

/* Documentation of who guards a shared field; ThreadSanitizer is the proof. */
#define GUARDED_BY(lock)

#endif
