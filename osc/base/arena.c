#include "osc/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osc/base/error.h"
#include "osc/base/fail.h"

struct block {
    struct block *next;
    size_t size, used;
    max_align_t bytes[];
};

struct arena {
    struct block *blocks;
};

static const size_t standard_block_bytes = 8192;

static void *or_stop(void *memory)
{
    static const char text[] = "osc: out of memory; run 'osc status' to see what is left\n";

    if (!memory) { /* uncovered: memory does not end in a test */
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        _exit(1);
    }
    return memory;
}

void *must_alloc(size_t size)
{
    return or_stop(calloc(1, size ? size : 1));
}

void *must_realloc(void *old, size_t size)
{
    return or_stop(realloc(old, size ? size : 1));
}

struct arena *arena_new(void)
{
    return must_alloc(sizeof(struct arena));
}

static void free_blocks(struct block *block)
{
    while (block) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

void arena_free(struct arena *arena)
{
    if (arena)
        free_blocks(arena->blocks);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    free_blocks(arena->blocks);
    arena->blocks = NULL;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = sizeof(max_align_t);
    const size_t rounded = (size + align - 1) / align * align;
    struct block *block = arena->blocks;

    if (!block || block->size - block->used < rounded) {
        const size_t standard = TUNED("ARENA", standard_block_bytes);
        const size_t bytes = rounded > standard ? rounded : standard;
        block = must_alloc(sizeof *block + bytes);
        block->size = bytes;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    void *memory = (char *)block->bytes + block->used;
    block->used += rounded;
    return memory;
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);

    memcpy(copy, bytes, length);
    return copy;
}

char *arena_string(struct arena *arena, const char *string)
{
    return string ? arena_copy(arena, string, strlen(string)) : NULL;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        bug("bad format: %s", format);
    char *string = arena_alloc(arena, (size_t)length + 1);
    (void)vsnprintf(string, (size_t)length + 1, format, again);
    va_end(again);
    return string;
}
