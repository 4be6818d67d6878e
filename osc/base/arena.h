/*
 * Arena: memory that is freed all at once.
 *
 * Data (names, plans, one chunk's strings) lives in arenas with a named
 * lifetime.  Running out of memory ends the process: recovery is the same as
 * after kill -9, which is tested.
 */
#ifndef OSC_BASE_ARENA_H
#define OSC_BASE_ARENA_H

#include <stddef.h>

#include "osc/base/macro.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
void arena_reset(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t size);                     /* zeroed */
char *arena_copy(struct arena *arena, const char *bytes, size_t length); /* adds a NUL */
char *arena_string(struct arena *arena, const char *string);             /* NULL stays NULL */
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF(2, 3);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (count)))

/* malloc and realloc that end the process when memory runs out. */
void *must_alloc(size_t size); /* zeroed */
void *must_realloc(void *old, size_t size);

#endif
