/*
 * The protocol as a small model, all interleavings of it: two keys, two chunks
 * of pages, one replay, two application transactions.  Whenever everybody is
 * done and the journal is empty, the shadow must be the source.  Each mutant
 * drops one condition of triggers/README.md and must be caught.
 *
 * Breadth does not matter, completeness does: a depth-first search over packed
 * states with a set of those seen.
 */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>

enum { KEYS = 2, CHUNKS = 2, WRITERS = 2, OPS = 2, ENTRIES = WRITERS * OPS * 2 };

enum op_kind { OP_NONE, OP_INSERT, OP_UPDATE, OP_MOVE, OP_TOUCH_MOVE, OP_DELETE, OP_REKEY };
/* MOVE changes the row and its page; TOUCH_MOVE changes only the page (a no-op update); REKEY gives
 * the row of `key` the other key, which must be free. */

struct op {
    enum op_kind kind;
    int key, page; /* page: where an inserted or moved row goes */
};

struct writer {
    struct op ops[OPS];
    bool aborts;
};

enum chunk_step { CHUNK_IDLE, CHUNK_REGISTERED, CHUNK_READ, CHUNK_DONE };
enum replay_step { REPLAY_IDLE, REPLAY_COLLECTED, REPLAY_READ, REPLAY_WAITED, REPLAY_DELETED };
enum entry_step { ENTRY_NONE, ENTRY_PENDING, ENTRY_VISIBLE, ENTRY_FORGOTTEN };

struct row {
    unsigned char is_there, version, page;
};

struct state {
    struct row source[KEYS];           /* committed */
    struct row pending[WRITERS][KEYS]; /* a writer's own view */
    unsigned char wrote[WRITERS];      /* keys it holds locks on */
    unsigned char pc[WRITERS];         /* 0…OPS: operations; OPS + 1: ended */
    unsigned char entry[ENTRIES], entry_key[ENTRIES];
    unsigned char chunk[CHUNKS];
    struct row image[CHUNKS][KEYS]; /* what the chunk read */
    struct row shadow[KEYS];
    unsigned char replay, batch[ENTRIES], waits_for, deleted;
};

static struct {
    bool no_grace, only_new_keys, forgets_unread, registers_late, collects_first, skips_touches;
} mutant;

static const struct writer *writers;
static bool is_violated;

/* ---- the set of states seen ---- */

static struct {
    struct state *slots;
    unsigned char *used;
    size_t size, n;
} seen;

static size_t slot_of(const struct state *s)
{
    uint64_t hash = 14695981039346656037u;
    const unsigned char *bytes = (const unsigned char *)s;

    for (size_t i = 0; i < sizeof *s; i++)
        hash = (hash ^ bytes[i]) * 1099511628211u;
    size_t slot = (size_t)(hash % seen.size);
    while (seen.used[slot] && memcmp(&seen.slots[slot], s, sizeof *s) != 0)
        slot = (slot + 1) % seen.size;
    return slot;
}

static bool is_new(const struct state *s)
{
    const size_t slot = slot_of(s);

    if (seen.used[slot])
        return false;
    seen.used[slot] = 1;
    seen.slots[slot] = *s;
    assert_true(++seen.n < seen.size * 3 / 4);
    return true;
}

static void explore(const struct state *s);

/* ---- the application ---- */

static void journal(struct state *s, int writer, int op, int which, int key)
{
    const int e = (writer * OPS + op) * 2 + which;

    s->entry[e] = ENTRY_PENDING;
    s->entry_key[e] = (unsigned char)key;
}

static bool is_locked(const struct state *s, int writer, int keys)
{
    return s->wrote[1 - writer] & keys;
}

static void write_once(const struct state *before, int w)
{
    struct state s = *before;
    const int n = s.pc[w];
    const struct op *op = &writers[w].ops[n];
    const int other = 1 - op->key;
    const int keys = op->kind == OP_REKEY ? 3 : 1 << op->key;

    if (op->kind != OP_NONE && is_locked(&s, w, keys))
        return; /* waits for the other writer */
    for (int k = 0; k < KEYS; k++)
        if (!(s.wrote[w] & (1 << k)))
            s.pending[w][k] = s.source[k];
    struct row *row = &s.pending[w][op->key];
    s.pc[w]++;
    if (op->kind == OP_NONE || (op->kind == OP_INSERT) == row->is_there ||
        (op->kind == OP_REKEY && s.pending[w][other].is_there)) {
        explore(&s); /* nothing to do: no such row, or one in the way */
        return;
    }
    s.wrote[w] |= (unsigned char)keys;
    if (op->kind != OP_INSERT && !(op->kind == OP_REKEY && mutant.only_new_keys) &&
        !(op->kind == OP_TOUCH_MOVE && mutant.skips_touches))
        journal(&s, w, n, 0, op->key);
    if (op->kind == OP_INSERT)
        journal(&s, w, n, 0, op->key);
    if (op->kind == OP_REKEY) {
        journal(&s, w, n, 1, other);
        s.pending[w][other] = *row;
        s.pending[w][other].version = (unsigned char)(10 + w * OPS + n);
        *row = (struct row){0};
    } else if (op->kind == OP_DELETE) {
        *row = (struct row){0};
    } else {
        row->is_there = 1;
        if (op->kind != OP_TOUCH_MOVE)
            row->version = (unsigned char)(10 + w * OPS + n);
        if (op->kind != OP_UPDATE)
            row->page = (unsigned char)op->page;
    }
    explore(&s);
}

static void end_writer(const struct state *before, int w)
{
    struct state s = *before;

    for (int e = w * OPS * 2; e < (w + 1) * OPS * 2; e++)
        if (s.entry[e] == ENTRY_PENDING)
            s.entry[e] = writers[w].aborts ? ENTRY_NONE : ENTRY_VISIBLE;
    for (int k = 0; k < KEYS; k++) {
        if (!writers[w].aborts && (s.wrote[w] & (1 << k)))
            s.source[k] = s.pending[w][k];
        s.pending[w][k] = (struct row){0};
    }
    s.wrote[w] = 0;
    s.pc[w]++;
    explore(&s);
}

/* ---- the copier ---- */

static void read_page(struct state *s, int c)
{
    for (int k = 0; k < KEYS; k++)
        if (s->source[k].is_there && s->source[k].page == c)
            s->image[c][k] = s->source[k];
}

static void step_chunk(const struct state *before, int c)
{
    struct state s = *before;

    switch ((enum chunk_step)s.chunk[c]) {
    case CHUNK_IDLE:
        if (mutant.registers_late)
            read_page(&s, c);
        s.chunk[c] = CHUNK_REGISTERED;
        break;
    case CHUNK_REGISTERED:
        if (!mutant.registers_late)
            read_page(&s, c);
        s.chunk[c] = CHUNK_READ;
        break;
    case CHUNK_READ:
        for (int k = 0; k < KEYS; k++) {
            if (s.image[c][k].is_there && !s.shadow[k].is_there)
                s.shadow[k] = s.image[c][k];
            s.image[c][k] = (struct row){0};
        }
        s.chunk[c] = CHUNK_DONE;
        break;
    case CHUNK_DONE: return;
    }
    explore(&s);
}

/* ---- replay ---- */

static unsigned char running_chunks(const struct state *s)
{
    unsigned char running = 0;

    for (int c = 0; c < CHUNKS; c++)
        if (s->chunk[c] == CHUNK_READ ||
            (s->chunk[c] == CHUNK_REGISTERED && !mutant.registers_late))
            running |= (unsigned char)(1 << c);
    return running;
}

static bool read_batch(struct state *s)
{
    bool any = false;

    for (int e = 0; e < ENTRIES; e++) {
        s->batch[e] = s->entry[e] == ENTRY_VISIBLE;
        any |= s->batch[e];
    }
    return any;
}

static bool is_in_batch(const struct state *s, int key)
{
    for (int e = 0; e < ENTRIES; e++)
        if (s->batch[e] && s->entry_key[e] == key)
            return true;
    return false;
}

static void insert_and_commit(struct state *s)
{
    for (int k = 0; k < KEYS; k++)
        if (is_in_batch(s, k) && s->shadow[k].is_there && !(s->deleted & (1 << k))) {
            s->replay = REPLAY_WAITED; /* a chunk was quicker: rolled back and done again */
            s->deleted = 0;
            return;
        }
    for (int k = 0; k < KEYS; k++)
        if (is_in_batch(s, k))
            s->shadow[k] = s->source[k];
    for (int e = 0; e < ENTRIES; e++) {
        if (s->batch[e] || (mutant.forgets_unread && s->entry[e] == ENTRY_VISIBLE))
            s->entry[e] = ENTRY_FORGOTTEN;
        s->batch[e] = 0;
    }
    s->replay = REPLAY_IDLE;
    s->deleted = 0;
}

static void step_replay(const struct state *before)
{
    struct state s = *before;

    switch ((enum replay_step)s.replay) {
    case REPLAY_IDLE:
        if (mutant.collects_first) {
            s.waits_for = running_chunks(&s);
            s.replay = REPLAY_COLLECTED;
        } else if (read_batch(&s)) {
            s.replay = REPLAY_READ;
        } else {
            return;
        }
        break;
    case REPLAY_COLLECTED:
        if (!read_batch(&s))
            s.replay = REPLAY_IDLE;
        else
            s.replay = REPLAY_READ;
        break;
    case REPLAY_READ:
        if (!mutant.collects_first)
            s.waits_for = running_chunks(&s);
        s.replay = REPLAY_WAITED;
        break;
    case REPLAY_WAITED:
        if (!mutant.no_grace && (s.waits_for & running_chunks(&s)))
            return;
        s.waits_for = 0;
        for (int k = 0; k < KEYS; k++)
            if (is_in_batch(&s, k) && s.shadow[k].is_there)
                s.deleted |= (unsigned char)(1 << k);
        s.replay = REPLAY_DELETED;
        break;
    case REPLAY_DELETED: insert_and_commit(&s); break;
    }
    explore(&s);
}

/* ---- all interleavings ---- */

static bool is_settled(const struct state *s)
{
    for (int w = 0; w < WRITERS; w++)
        if (s->pc[w] <= OPS)
            return false;
    for (int c = 0; c < CHUNKS; c++)
        if (s->chunk[c] != CHUNK_DONE)
            return false;
    for (int e = 0; e < ENTRIES; e++)
        if (s->entry[e] == ENTRY_VISIBLE)
            return false;
    return s->replay == REPLAY_IDLE;
}

static void explore(const struct state *s)
{
    if (is_violated || !is_new(s))
        return;
    if (is_settled(s))
        for (int k = 0; k < KEYS; k++)
            is_violated |= s->shadow[k].is_there != s->source[k].is_there ||
                           (s->source[k].is_there && s->shadow[k].version != s->source[k].version);
    for (int w = 0; w < WRITERS; w++) {
        if (s->pc[w] < OPS)
            write_once(s, w);
        else if (s->pc[w] == OPS)
            end_writer(s, w);
    }
    for (int c = 0; c < CHUNKS; c++)
        step_chunk(s, c);
    step_replay(s);
}

/* Both keys on page 0, one key on each page, or only key 0. */
static void start(struct state *s, int layout)
{
    memset(s, 0, sizeof *s);
    s->source[0] = (struct row){1, 1, layout == 3};
    if (layout != 2)
        s->source[1] = (struct row){1, 2, (unsigned char)(layout == 1)};
}

static const struct writer pairs[][WRITERS] = {
    {{{{OP_UPDATE, 0, 0}, {OP_DELETE, 1, 0}}, false},
     {{{OP_MOVE, 1, 1}, {OP_UPDATE, 0, 0}}, false}                                                      },
    {{{{OP_DELETE, 0, 0}, {OP_INSERT, 0, 1}}, false},    {{{OP_UPDATE, 1, 0}, {OP_NONE, 0, 0}}, true}   },
    {{{{OP_MOVE, 0, 1}, {OP_MOVE, 0, 0}}, false},        {{{OP_DELETE, 1, 0}, {OP_INSERT, 1, 0}}, false}},
    {{{{OP_DELETE, 1, 0}, {OP_REKEY, 0, 0}}, false},     {{{OP_INSERT, 0, 1}, {OP_NONE, 0, 0}}, false}  },
    {{{{OP_REKEY, 0, 0}, {OP_UPDATE, 1, 0}}, false},
     {{{OP_INSERT, 1, 1}, {OP_DELETE, 0, 0}}, false}                                                    },
    {{{{OP_TOUCH_MOVE, 1, 0}, {OP_NONE, 0, 0}}, false},
     {{{OP_TOUCH_MOVE, 0, 1}, {OP_NONE, 0, 0}}, false}                                                  },
    {{{{OP_TOUCH_MOVE, 1, 0}, {OP_UPDATE, 0, 0}}, true},
     {{{OP_MOVE, 1, 0}, {OP_DELETE, 0, 0}}, false}                                                      },
    {{{{OP_DELETE, 0, 0}, {OP_NONE, 0, 0}}, false},      {{{OP_UPDATE, 1, 0}, {OP_NONE, 0, 0}}, false}  },
};

/* True when some interleaving of some pair of writers ends with a wrong shadow. */
static bool finds_a_violation(void)
{
    seen.size = 1u << 21;
    seen.slots = calloc(seen.size, sizeof *seen.slots);
    seen.used = calloc(seen.size, 1);
    is_violated = false;
    for (size_t p = 0; p < sizeof pairs / sizeof *pairs && !is_violated; p++)
        for (int layout = 0; layout < 4 && !is_violated; layout++) {
            struct state s;
            memset(seen.used, 0, seen.size);
            seen.n = 0;
            writers = pairs[p];
            start(&s, layout);
            explore(&s);
        }
    free(seen.slots);
    free(seen.used);
    return is_violated;
}

static void the_protocol_holds(void **state)
{
    (void)state;
    memset(&mutant, 0, sizeof mutant);
    assert_false(finds_a_violation());
}

static void every_mutant_is_caught(void **state)
{
    (void)state;
    bool *const flags[] = {&mutant.no_grace,       &mutant.only_new_keys,  &mutant.forgets_unread,
                           &mutant.registers_late, &mutant.collects_first, &mutant.skips_touches};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        memset(&mutant, 0, sizeof mutant);
        *flags[i] = true;
        if (!finds_a_violation())
            fail_msg("mutant %zu is not caught", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_protocol_holds),
        cmocka_unit_test(every_mutant_is_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
