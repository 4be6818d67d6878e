#include "tests/support/protocol_private.h"
#include "tests/support/state_set.h"

enum { MOST_STATES = 1 << 18 };

enum mutant protocol_mutant;
const struct writer *protocol_writers;
static bool is_violated;
static struct state_set seen;

/* ---- the copier ---- */

static void read_page(const struct state *s, struct run *run, int c)
{
    for (int k = 0; k < KEYS; k++)
        if (s->source[k].is_there && s->source[k].page == c)
            run->read[c][k] = s->source[k];
}

/* A row in the way is left alone; one that an open transaction has changed is waited for. */
static bool write_page(struct state *s, struct run *run, int c)
{
    for (int k = 0; k < KEYS; k++)
        if (s->is_keyed && run->read[c][k].is_there && (s->run.holds & (1 << k)))
            return false;
    for (int k = 0; k < KEYS; k++) {
        if (run->read[c][k].is_there && !s->shadow[k].is_there)
            s->shadow[k] = run->read[c][k];
        else if (run->read[c][k].is_there && !s->is_keyed)
            s->twin[k] = run->read[c][k];
        run->read[c][k] = (struct row){0};
    }
    return true;
}

static void record_chunk(struct state *s, struct run *run, int c)
{
    run->chunk[c] = CHUNK_DONE;
    if (!s->is_keyed)
        s->recorded |= (unsigned char)(1 << c);
}

static double step_chunk(const struct state *before, bool is_zombie, int c)
{
    struct state s = *before;
    struct run *run = is_zombie ? &s.zombie : &s.run;

    switch ((enum chunk_step)run->chunk[c]) {
    case CHUNK_IDLE:
        if (is_zombie)
            return 0; /* it ends what it has begun; with a new chunk it would be a run like ours */
        if (run->purge != PURGE_IDLE && !s.is_keyed && protocol_mutant != COPIES_PURGED)
            return 0;
        if (protocol_mutant == REGISTERS_LATE)
            read_page(&s, run, c);
        run->chunk[c] = CHUNK_REGISTERED;
        break;
    case CHUNK_REGISTERED:
        if (protocol_mutant != REGISTERS_LATE)
            read_page(&s, run, c);
        run->chunk[c] = CHUNK_READ;
        break;
    case CHUNK_READ:
        if (!write_page(&s, run, c))
            return 0;
        run->chunk[c] = CHUNK_WRITTEN;
        if (protocol_mutant != RECORDS_APART)
            record_chunk(&s, run, c);
        break;
    case CHUNK_WRITTEN: record_chunk(&s, run, c); break;
    case CHUNK_DONE: return 0;
    }
    return protocol_follow(&s);
}

/* ---- the end of being bare ---- */

static bool is_copying(const struct run *run)
{
    for (int c = 0; c < CHUNKS; c++)
        if (run->chunk[c] != CHUNK_IDLE && run->chunk[c] != CHUNK_DONE)
            return true;
    return false;
}

static unsigned char journalled_keys(const struct state *s)
{
    unsigned char keys = 0;

    for (int e = 0; e < ENTRIES; e++)
        if (s->entry[e] == ENTRY_VISIBLE)
            keys |= (unsigned char)(1 << s->entry_key[e]);
    return keys;
}

static void purge(struct state *s, struct run *run)
{
    for (int k = 0; k < KEYS; k++)
        if (run->purges & (1 << k))
            s->shadow[k] = s->twin[k] = (struct row){0};
    for (int e = 0; protocol_mutant == PURGES_ENTRIES && e < ENTRIES; e++)
        if (s->entry[e] == ENTRY_VISIBLE && (run->purges & (1 << s->entry_key[e])))
            s->entry[e] = ENTRY_FORGOTTEN;
    run->purge = PURGE_DONE;
    run->purges = 0;
}

/* A row that is there twice makes the index of the key fail. */
static void build_key(struct state *s)
{
    for (int k = 0; k < KEYS; k++)
        is_violated |= s->twin[k].is_there;
    s->is_keyed = 1;
    s->recorded = 0;
    s->run.purge = PURGE_IDLE;
}

static double step_purge(const struct state *before, bool is_zombie)
{
    struct state s = *before;
    struct run *run = is_zombie ? &s.zombie : &s.run;

    if (is_zombie ? run->purge != PURGE_READ : s.is_keyed)
        return 0;
    switch ((enum purge_step)run->purge) {
    case PURGE_IDLE:
        if (is_copying(run) && protocol_mutant != PURGES_EARLY)
            return 0;
        run->purges = protocol_mutant == PURGES_NOTHING ? 0 : journalled_keys(&s);
        run->purge = PURGE_READ;
        break;
    case PURGE_READ: purge(&s, run); break;
    case PURGE_DONE:
        if (is_copying(run))
            return 0;
        build_key(&s);
        break;
    }
    return protocol_follow(&s);
}

/* ---- replay ---- */

static unsigned char running_chunks(const struct run *run)
{
    unsigned char running = 0;

    for (int c = 0; c < CHUNKS; c++)
        if (run->chunk[c] == CHUNK_READ ||
            (run->chunk[c] == CHUNK_REGISTERED && protocol_mutant != REGISTERS_LATE))
            running |= (unsigned char)(1 << c);
    return running;
}

static bool read_batch(const struct state *s, struct run *run)
{
    bool any = false;

    for (int e = 0; e < ENTRIES; e++) {
        run->batch[e] = s->entry[e] == ENTRY_VISIBLE;
        any |= run->batch[e];
    }
    return any;
}

static unsigned char keys_of_batch(const struct state *s, const struct run *run)
{
    unsigned char keys = 0;

    for (int e = 0; e < ENTRIES; e++)
        if (run->batch[e])
            keys |= (unsigned char)(1 << s->entry_key[e]);
    return keys;
}

static void forget_batch(struct state *s, const struct run *run)
{
    for (int e = 0; e < ENTRIES; e++)
        if (run->batch[e] || (protocol_mutant == FORGETS_UNREAD && s->entry[e] == ENTRY_VISIBLE))
            s->entry[e] = ENTRY_FORGOTTEN;
}

static void end_batch(struct run *run)
{
    memset(run->batch, 0, sizeof run->batch);
    memset(run->image, 0, sizeof run->image);
    run->holds = run->replaces = run->waits_for = run->left_out = 0;
    run->replay = REPLAY_IDLE;
}

/* The rows of the batch as they are now; where a chunk was quicker its row is as new, and stays. */
static void insert_rows(const struct state *s, struct run *run)
{
    const unsigned char keys = keys_of_batch(s, run);

    for (int k = 0; k < KEYS; k++) {
        if (!(keys & (1 << k)) || (run->left_out & (1 << k)))
            continue;
        if (s->is_keyed && !(run->holds & (1 << k)) && s->shadow[k].is_there) {
            run->image[k] = s->shadow[k];
        } else {
            run->image[k] = s->source[k];
            run->holds |= (unsigned char)(1 << k);
        }
    }
    run->replay = REPLAY_INSERTED;
}

/* Of what was left out those stay whose row the source has and the shadow has not. */
static void keep_left_out(const struct state *s, struct run *run)
{
    for (int e = 0; e < ENTRIES; e++) {
        const int k = s->entry_key[e];
        const bool is_in_shadow = !(run->holds & (1 << k)) && s->shadow[k].is_there;
        if ((run->left_out & (1 << k)) && s->source[k].is_there && !is_in_shadow)
            run->batch[e] = 0;
    }
}

static void commit_batch(struct state *s, struct run *run)
{
    if (protocol_mutant != FORGETS_LEFT_OUT)
        keep_left_out(s, run);
    for (int k = 0; k < KEYS; k++) {
        if (!(run->holds & (1 << k)))
            continue;
        if (!s->is_keyed && !(run->replaces & (1 << k)) && s->shadow[k].is_there)
            s->twin[k] = s->shadow[k];
        s->shadow[k] = run->image[k];
    }
    forget_batch(s, run);
    end_batch(run);
}

/* Each of the rows may find another one in its way, whose entry is not in the batch. */
static double leave_one_out(const struct state *before, bool is_zombie)
{
    double ways = 0;

    for (int k = 0; k < KEYS && !before->was_left_out; k++) {
        struct state s = *before;
        struct run *run = is_zombie ? &s.zombie : &s.run;
        if (!(keys_of_batch(&s, run) & (1 << k)) || !s.source[k].is_there)
            continue;
        s.was_left_out = 1;
        run->left_out = (unsigned char)(1 << k);
        insert_rows(&s, run);
        ways += protocol_follow(&s);
    }
    return ways;
}

static bool may_begin_batch(const struct state *s, struct run *run)
{
    if (protocol_mutant == COLLECTS_FIRST && run->replay == REPLAY_IDLE) {
        run->waits_for = running_chunks(run);
        run->replay = REPLAY_COLLECTED;
        return true;
    }
    if (!read_batch(s, run))
        return false;
    run->replay = REPLAY_READ;
    return true;
}

static double step_replay(const struct state *before, bool is_zombie)
{
    struct state s = *before;
    struct run *run = is_zombie ? &s.zombie : &s.run;
    double ways = 0;

    if (!s.is_keyed && protocol_mutant != REPLAYS_BARE)
        return 0;
    switch ((enum replay_step)run->replay) {
    case REPLAY_IDLE:
    case REPLAY_COLLECTED:
        if (is_zombie || !may_begin_batch(&s, run))
            return 0;
        break;
    case REPLAY_READ:
        if (protocol_mutant != COLLECTS_FIRST)
            run->waits_for = running_chunks(run);
        run->replay = REPLAY_WAITED;
        break;
    case REPLAY_WAITED:
        if (protocol_mutant != NO_GRACE && (run->waits_for & running_chunks(run)))
            return 0;
        run->waits_for = 0;
        for (int k = 0; k < KEYS; k++)
            if ((keys_of_batch(&s, run) & (1 << k)) && s.shadow[k].is_there)
                run->holds |= (unsigned char)(1 << k);
        run->replaces = run->holds;
        run->replay = REPLAY_DELETED;
        break;
    case REPLAY_DELETED:
        if (protocol_mutant == FORGETS_FIRST)
            forget_batch(&s, run);
        else
            ways = leave_one_out(&s, is_zombie);
        insert_rows(&s, run);
        break;
    case REPLAY_INSERTED: commit_batch(&s, run); break;
    }
    return ways + protocol_follow(&s);
}

/* A deadlock, once: its transaction is rolled back, its batch is read anew. */
static double roll_back(const struct state *before)
{
    struct state s = *before;

    if (s.was_rolled_back || s.run.replay < REPLAY_DELETED)
        return 0;
    s.was_rolled_back = 1;
    end_batch(&s.run);
    return protocol_follow(&s);
}

/* ---- another run takes over ---- */

/* What the former run had in hand is rolled back, and its connections are gone: they were killed.
 */
static void fence_off(struct state *s)
{
    memset(&s->zombie, 0, sizeof s->zombie);
    if (protocol_mutant == ZOMBIE_COPIES) {
        memcpy(s->zombie.chunk, s->run.chunk, sizeof s->run.chunk);
        memcpy(s->zombie.read, s->run.read, sizeof s->run.read);
    } else if (protocol_mutant == ZOMBIE_PURGES) {
        s->zombie.purge = s->run.purge;
        s->zombie.purges = s->run.purges;
    } else if (protocol_mutant == ZOMBIE_REPLAYS) {
        s->zombie = s->run;
        s->zombie.purge = s->zombie.purges = 0;
        memset(s->zombie.chunk, 0, sizeof s->zombie.chunk);
        memset(s->zombie.read, 0, sizeof s->zombie.read);
    }
    memset(&s->run, 0, sizeof s->run);
}

/* While the shadow is bare, the records say to the chunk what is copied. */
static double take_over_bare(const struct state *before)
{
    struct state s = *before;

    s.is_taken_over = 1;
    fence_off(&s);
    for (int c = 0; c < CHUNKS; c++)
        s.run.chunk[c] = s.recorded & (1 << c) ? CHUNK_DONE : CHUNK_IDLE;
    return protocol_follow(&s);
}

/* The watermark may know of the chunks that were copied, or not yet. */
static double take_over(const struct state *before)
{
    double ways = 0;

    if (before->is_taken_over)
        return 0;
    if (!before->is_keyed && protocol_mutant != FORGETS_RECORDS)
        return take_over_bare(before);
    for (int known = 0; known < 1 << CHUNKS; known++) {
        struct state s = *before;
        s.is_taken_over = 1;
        fence_off(&s);
        bool is_possible = true;
        for (int c = 0; c < CHUNKS; c++)
            if (known & (1 << c)) {
                const int step = before->run.chunk[c];
                is_possible &=
                    step == CHUNK_DONE || (protocol_mutant == MARKS_EARLY && step == CHUNK_READ);
                s.run.chunk[c] = CHUNK_DONE;
            }
        if (is_possible)
            ways += protocol_follow(&s);
    }
    return ways;
}

/* ---- all interleavings ---- */

/* Could the cutover's lock be had now, and the tables be swapped? */
static bool is_settled(const struct state *s)
{
    for (int w = 0; w < WRITERS; w++)
        if (s->pc[w] > 0 && s->pc[w] <= OPS)
            return false;
    for (int c = 0; c < CHUNKS; c++)
        if (s->run.chunk[c] != CHUNK_DONE)
            return false;
    for (int e = 0; e < ENTRIES; e++)
        if (s->entry[e] == ENTRY_VISIBLE)
            return false;
    return s->is_keyed && s->run.replay == REPLAY_IDLE;
}

static bool is_right(const struct state *s)
{
    for (int k = 0; k < KEYS; k++)
        if (s->shadow[k].is_there != s->source[k].is_there ||
            (s->source[k].is_there && s->shadow[k].version != s->source[k].version))
            return false;
    return true;
}

double protocol_follow(const struct state *s)
{
    bool is_new;
    double ways = 0;
    struct seen_state *place = state_set_add(&seen, s, sizeof *s, &is_new);

    if (is_violated || !is_new)
        return place->ways;
    is_violated = is_settled(s) && !is_right(s);
    for (int w = 0; w < WRITERS; w++) {
        if (s->pc[w] < OPS)
            ways += protocol_write(s, w);
        else if (s->pc[w] == OPS)
            ways += protocol_end_writer(s, w);
    }
    for (int zombie = 0; zombie < 2; zombie++) {
        for (int c = 0; c < CHUNKS; c++)
            ways += step_chunk(s, zombie, c);
        ways += step_replay(s, zombie) + step_purge(s, zombie);
    }
    ways += roll_back(s) + take_over(s);
    place->ways = ways > 0 ? ways : 1;
    return place->ways;
}

static struct state start(int layout, bool is_bare)
{
    struct state s;

    memset(&s, 0, sizeof s);
    s.is_keyed = !is_bare;
    s.source[0] = (struct row){1, 1, layout == 3};
    if (layout != 2)
        s.source[1] = (struct row){1, 2, layout == 1};
    return s;
}

struct exploration protocol_explore(const struct writer of[WRITERS], bool is_bare, enum mutant with)
{
    struct exploration found = {.is_violated = false};

    protocol_writers = of;
    protocol_mutant = with;
    is_violated = false;
    seen =
        (struct state_set){.slots = calloc(MOST_STATES, sizeof *seen.slots), .size = MOST_STATES};
    for (int layout = 0; layout < PROTOCOL_LAYOUTS && !is_violated; layout++) {
        const struct state first = start(layout, is_bare);
        found.interleavings += protocol_follow(&first);
    }
    found.states = seen.n;
    found.is_violated = is_violated;
    free(seen.slots);
    return found;
}
