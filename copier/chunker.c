#include "copier/chunker.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "osc/db/dialect.h"
#include "osc/db/limits.h"

enum { MOST_STRETCHES = 256, NO_STRETCH = MOST_STRETCHES };

/* Positions from..to are still to be handed out; done_from is where a later run would start. */
struct stretch {
    uint64_t from, to, done_from;
    bool is_used_up;  /* nothing left to hand out */
    bool is_finished; /* and all of it copied */
};

/* A chunk that was handed out and is not done yet (keys that are not numbers). */
struct open_chunk {
    uint64_t id;        /* 0: free */
    const char **after; /* malloced copies; NULL: from the start */
};

struct chunker {
    const struct plan *plan;
    const struct copy_dialect *dialect;
    bool is_numeric;
    pthread_mutex_t lock;
    pthread_cond_t found; /* a bound was found */
    uint64_t next_id GUARDED_BY(lock);
    struct stretch stretches[MOST_STRETCHES] GUARDED_BY(lock);
    size_t n_stretches GUARDED_BY(lock);
    size_t mine[MOST_THREADS] GUARDED_BY(lock); /* stretch of each worker, or NO_STRETCH */
    /* keys that are not numbers: */
    struct open_chunk open[MOST_STRETCHES] GUARDED_BY(lock);
    const char **after GUARDED_BY(lock); /* where the next chunk begins */
    bool is_searching GUARDED_BY(lock);  /* somebody is finding the next bound */
    bool is_at_end GUARDED_BY(lock);
};

/* ---- bounds that outlive an arena ---- */

static const char **keep_bound(const struct chunker *chunker, const char **literals)
{
    if (!literals)
        return NULL;
    const size_t n = chunker->plan->key->n_columns;
    char **kept = must_alloc(sizeof *kept * n);
    for (size_t i = 0; i < n; i++) {
        const size_t size = strlen(literals[i]) + 1;
        kept[i] = memcpy(must_alloc(size), literals[i], size);
    }
    return (const char **)kept;
}

static void drop_bound(const struct chunker *chunker, const char **literals)
{
    if (!literals)
        return;
    for (size_t i = 0; i < chunker->plan->key->n_columns; i++)
        free((char *)(uintptr_t)literals[i]);
    free(literals);
}

/* ---- start and watermark ---- */

static void cut_into_stretches(struct chunker *chunker, uint64_t first, uint64_t last, unsigned n)
{
    const uint64_t each = (last - first) / n;
    uint64_t from = first;

    for (unsigned i = 0; i < n && from <= last; i++) {
        const bool is_final = i + 1 == n || last - from <= each;
        const uint64_t to = is_final ? last : from + each;
        chunker->stretches[chunker->n_stretches++] =
            (struct stretch){.from = from, .to = to, .done_from = from};
        if (is_final)
            break;
        from = to + 1;
    }
}

static bool read_position(const json_t *text, uint64_t *position)
{
    const char *digits = json_string_value(text);
    char *end = NULL;

    if (!digits || *digits < '0' || *digits > '9')
        return false;
    errno = 0;
    *position = strtoull(digits, &end, 10);
    return !errno && !*end;
}

static bool read_stretches(struct chunker *chunker, const json_t *list)
{
    size_t i;
    json_t *pair;

    json_array_foreach(list, i, pair)
    {
        uint64_t from, to;
        if (i >= MOST_STRETCHES || !read_position(json_array_get(pair, 0), &from) ||
            !read_position(json_array_get(pair, 1), &to) || from > to)
            return false;
        chunker->stretches[chunker->n_stretches++] =
            (struct stretch){.from = from, .to = to, .done_from = from};
    }
    return true;
}

static bool read_bound(struct chunker *chunker, const json_t *list)
{
    const size_t n = chunker->plan->key->n_columns;
    const char **literals = must_alloc(sizeof *literals * n);
    bool good = json_array_size(list) == 0 || json_array_size(list) == n;

    for (size_t i = 0; good && i < json_array_size(list); i++) {
        literals[i] = json_string_value(json_array_get(list, i));
        good = literals[i] != NULL;
    }
    if (good && json_array_size(list))
        chunker->after = keep_bound(chunker, literals);
    free(literals);
    return good;
}

/* An earlier run may have found the keys denser, or less so: its way is kept. */
static bool read_watermark(struct chunker *chunker, const char *watermark, struct error *err)
{
    json_t *json = json_loads(watermark, 0, NULL);
    const json_t *stretches = json_object_get(json, "stretches");
    const json_t *after = json_object_get(json, "after");
    chunker->is_numeric = stretches != NULL;
    bool good = chunker->is_numeric ? json_is_array(stretches) && read_stretches(chunker, stretches)
                                    : json_is_array(after) && read_bound(chunker, after);

    json_decref(json);
    return good
               ? true
               : error_set(err, ERROR_SYSTEM, "the stored watermark cannot be read: %s", watermark);
}

struct chunker *chunker_new(const struct plan *plan, const struct extent *extent, unsigned workers,
                            const char *watermark, struct error *err)
{
    struct chunker *chunker = must_alloc(sizeof *chunker);

    chunker->plan = plan;
    chunker->dialect = plan->dialect->copy;
    chunker->is_numeric = extent->is_numeric;
    chunker->next_id = 1;
    (void)pthread_mutex_init(&chunker->lock, NULL);
    (void)pthread_cond_init(&chunker->found, NULL);
    for (size_t i = 0; i < MOST_THREADS; i++)
        chunker->mine[i] = NO_STRETCH;
    if (watermark && *watermark) {
        if (!read_watermark(chunker, watermark, err)) {
            chunker_free(chunker);
            return NULL;
        }
    } else if (extent->is_numeric) {
        cut_into_stretches(chunker, extent->first, extent->last, workers);
    }
    return chunker;
}

void chunker_free(struct chunker *chunker)
{
    if (!chunker)
        return;
    drop_bound(chunker, chunker->after);
    for (size_t i = 0; i < MOST_STRETCHES; i++)
        drop_bound(chunker, chunker->open[i].after);
    (void)pthread_cond_destroy(&chunker->found);
    (void)pthread_mutex_destroy(&chunker->lock);
    free(chunker);
}

bool chunker_is_numeric(const struct chunker *chunker)
{
    return chunker->is_numeric;
}

static json_t *bound_json(const struct chunker *chunker, const char **literals)
{
    json_t *list = json_array();

    for (size_t i = 0; literals && i < chunker->plan->key->n_columns; i++)
        json_array_append_new(list, json_string(literals[i]));
    return list;
}

static json_t *stretches_json(const struct chunker *chunker)
{
    json_t *list = json_array();

    for (size_t i = 0; i < chunker->n_stretches; i++) {
        const struct stretch *s = &chunker->stretches[i];
        if (s->is_finished)
            continue;
        /* As text: JSON numbers end at 2^53 for many readers. */
        json_array_append_new(list, json_pack("[o,o]", json_sprintf("%" PRIu64, s->done_from),
                                              json_sprintf("%" PRIu64, s->to)));
    }
    return list;
}

const char *chunker_watermark(struct chunker *chunker, struct arena *arena)
{
    const struct open_chunk *oldest = NULL;

    pthread_mutex_lock(&chunker->lock);
    for (size_t i = 0; i < MOST_STRETCHES; i++)
        if (chunker->open[i].id && (!oldest || chunker->open[i].id < oldest->id))
            oldest = &chunker->open[i];
    json_t *json = chunker->is_numeric
                       ? json_pack("{s:o}", "stretches", stretches_json(chunker))
                       : json_pack("{s:o}", "after",
                                   bound_json(chunker, oldest ? oldest->after : chunker->after));
    pthread_mutex_unlock(&chunker->lock);
    char *dump = json_dumps(json, JSON_COMPACT);
    const char *watermark = arena_string(arena, dump);
    free(dump);
    json_decref(json);
    return watermark;
}

/* ---- numeric positions ---- */

static bool is_taken(const struct chunker *chunker, size_t stretch, unsigned except)
{
    for (unsigned worker = 0; worker < MOST_THREADS; worker++)
        if (worker != except && chunker->mine[worker] == stretch)
            return true;
    return false;
}

/* A stretch nobody works on, or the back half of the largest one. */
static bool find_stretch(struct chunker *chunker, unsigned worker, uint64_t size)
{
    struct stretch *largest = NULL;

    for (size_t i = 0; i < chunker->n_stretches; i++) {
        struct stretch *s = &chunker->stretches[i];
        if (s->is_used_up)
            continue;
        if (!is_taken(chunker, i, worker)) {
            chunker->mine[worker] = i;
            return true;
        }
        if (!largest || s->to - s->from > largest->to - largest->from)
            largest = s;
    }
    /* Its owner is done with less than two chunks before we would be. */
    if (!largest || (largest->to - largest->from) / 2 < size ||
        chunker->n_stretches == MOST_STRETCHES)
        return false;
    const uint64_t middle = largest->from + (largest->to - largest->from) / 2 + 1;
    const size_t added = chunker->n_stretches++;
    chunker->stretches[added] =
        (struct stretch){.from = middle, .to = largest->to, .done_from = middle};
    largest->to = middle - 1;
    chunker->mine[worker] = added;
    return true;
}

static bool take_positions(struct chunker *chunker, unsigned worker, uint64_t size,
                           struct chunk *chunk)
{
    bool found = true;

    pthread_mutex_lock(&chunker->lock);
    const size_t mine = chunker->mine[worker];
    if (mine == NO_STRETCH || chunker->stretches[mine].is_used_up)
        found = find_stretch(chunker, worker, size);
    if (found) {
        struct stretch *s = &chunker->stretches[chunker->mine[worker]];
        chunk->id = chunker->next_id++;
        chunk->from = s->from;
        chunk->to = s->to - s->from < size ? s->to : s->from + size - 1;
        s->is_used_up = chunk->to == s->to;
        if (!s->is_used_up)
            s->from = chunk->to + 1;
    }
    pthread_mutex_unlock(&chunker->lock);
    return found;
}

static void done_positions(struct chunker *chunker, unsigned worker, const struct chunk *chunk)
{
    struct stretch *s = &chunker->stretches[chunker->mine[worker]];

    s->is_finished = chunk->to == s->to;
    if (!s->is_finished)
        s->done_from = chunk->to + 1;
}

/* Only the owner hands out from the front of its stretch; others may have cut its back meanwhile.
 */
bool chunker_skip_gap(struct chunker *chunker, unsigned worker, struct db *db, struct error *err)
{
    uint64_t position = 0;
    bool found = false;

    pthread_mutex_lock(&chunker->lock);
    struct stretch *s = &chunker->stretches[chunker->mine[worker]];
    const uint64_t from = s->from, to = s->to;
    const bool is_used_up = s->is_used_up;
    pthread_mutex_unlock(&chunker->lock);
    if (is_used_up)
        return true;
    if (!chunker->dialect->seek(db, chunker->plan, from, to, &position, &found, err))
        return false; /* uncovered: a gap lies behind a chunk, and torture has one chunk */
    pthread_mutex_lock(&chunker->lock);
    if (found && position <= s->to)
        s->from = s->done_from = position;
    else
        s->is_used_up = s->is_finished = true;
    pthread_mutex_unlock(&chunker->lock);
    return true;
}

/* ---- keys that are not numbers ---- */

static struct open_chunk *open_slot(struct chunker *chunker, uint64_t id)
{
    for (size_t i = 0; i < MOST_STRETCHES; i++)
        if (chunker->open[i].id == id)
            return &chunker->open[i];
    bug("no slot for chunk %" PRIu64, id);
}

/* One worker at a time asks the server for the next bound; the lock is not held meanwhile. */
static bool take_keys(struct chunker *chunker, struct db *db, uint64_t size, struct chunk *chunk,
                      bool *found, struct error *err)
{
    pthread_mutex_lock(&chunker->lock);
    while (chunker->is_searching)
        (void)pthread_cond_wait(&chunker->found, &chunker->lock);
    *found = !chunker->is_at_end;
    if (!*found) {
        pthread_mutex_unlock(&chunker->lock);
        return true;
    }
    chunker->is_searching = true;
    pthread_mutex_unlock(&chunker->lock);

    const struct bound after = {.literals = chunker->after};
    const bool good =
        range_next(db, chunker->plan, &after, size, &chunk->through, chunk->arena, err);

    pthread_mutex_lock(&chunker->lock);
    if (good) {
        struct open_chunk *slot = open_slot(chunker, 0);
        slot->id = chunk->id = chunker->next_id++;
        slot->after = chunker->after; /* the slot owns it now, and it outlives the chunk */
        chunk->after.literals = slot->after;
        chunker->is_at_end = !chunk->through.literals;
        chunker->after = keep_bound(chunker, chunk->through.literals);
    }
    chunker->is_searching = false;
    pthread_cond_broadcast(&chunker->found);
    pthread_mutex_unlock(&chunker->lock);
    return good;
}

static void done_keys(struct chunker *chunker, const struct chunk *chunk)
{
    struct open_chunk *slot = open_slot(chunker, chunk->id);

    drop_bound(chunker, slot->after);
    *slot = (struct open_chunk){.id = 0};
}

bool chunker_take(struct chunker *chunker, unsigned worker, struct db *db, uint64_t size,
                  struct chunk *chunk, bool *found, struct error *err)
{
    arena_reset(chunk->arena);
    if (chunker->is_numeric) {
        *found = take_positions(chunker, worker, size, chunk);
        if (*found)
            chunk->range =
                chunker->dialect->positions(chunker->plan, chunk->from, chunk->to, chunk->arena);
        return true;
    }
    if (!take_keys(chunker, db, size, chunk, found, err))
        return false;
    if (*found)
        chunk->range = range_condition(chunker->plan, "t", chunker->plan->key->columns,
                                       &chunk->after, &chunk->through, chunk->arena);
    return true;
}

void chunker_done(struct chunker *chunker, unsigned worker, const struct chunk *chunk)
{
    pthread_mutex_lock(&chunker->lock);
    if (chunker->is_numeric)
        done_positions(chunker, worker, chunk);
    else
        done_keys(chunker, chunk);
    pthread_mutex_unlock(&chunker->lock);
}
