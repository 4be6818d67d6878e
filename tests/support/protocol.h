/*
 * The protocol as a small model: two keys, two chunks of pages, one replay, two
 * application transactions, and once a crash (or a process that stands still)
 * after which another run takes over.  Whenever no writer is under way, every
 * chunk is copied and the journal is empty, as under the lock of the cutover,
 * the shadow must be the source.
 *
 * Once a row is left out by replay, as if another row had its unique value still.
 *
 * A bare shadow has no index at first: no chunk finds a row in its way, and each
 * leaves a record.  At a moment when no chunk runs, be all of them done or not,
 * journalled rows are purged and the key is built, which a row that is there
 * twice must not meet; from then on everything is as with a key from the start.
 *
 * Breadth does not matter, completeness does: a depth-first search over packed
 * states with a set of those seen.
 */
#ifndef OSC_TESTS_PROTOCOL_H
#define OSC_TESTS_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>

enum { PROTOCOL_WRITERS = 2, PROTOCOL_OPS = 2 };

/*
 * MOVE changes the row and its page; TOUCH_MOVE changes only the page (a no-op update); REKEY gives
 * the row of `key` the other key, which must be free; SWAP exchanges the keys of both rows.
 */
enum op_kind {
    OP_NONE,
    OP_INSERT,
    OP_UPDATE,
    OP_MOVE,
    OP_TOUCH_MOVE,
    OP_DELETE,
    OP_REKEY,
    OP_SWAP
};

/* An operation that finds no row, or one in its way, does nothing. */
struct op {
    enum op_kind kind;
    int key, page; /* page: where an inserted or moved row goes */
};

struct writer {
    struct op ops[PROTOCOL_OPS];
    bool aborts;
};

/* Each drops one condition of triggers/README.md. */
enum mutant {
    NONE,
    NO_GRACE,                     /* replay does not wait for chunks that run */
    ONLY_NEW_KEYS,                /* the old key of an update is not journalled */
    FORGETS_UNREAD,               /* everything visible is forgotten, not only what was read */
    REGISTERS_LATE,               /* a chunk registers after it has read */
    COLLECTS_FIRST,               /* replay looks for chunks before it reads its batch */
    SKIPS_TOUCHES,                /* an update that changes no value is not journalled */
    SWAPS_HALF,                   /* of an exchange only one key is journalled */
    JOURNALS_AT_ONCE,             /* entries are visible before their transaction commits */
    FORGETS_FIRST,                /* entries are deleted in a transaction before that of the rows */
    ZOMBIE_COPIES,                /* the copier of the former run is not fenced off */
    ZOMBIE_REPLAYS,               /* nor its replay */
    FORGETS_LEFT_OUT,             /* the entry of a row that was kept out goes with the others */
    MARKS_EARLY,                  /* the watermark passes a chunk that is not committed */
    BARE_MUTANTS,                 /* those of a bare shadow: */
    RECORDS_APART = BARE_MUTANTS, /* a chunk's record is committed after its rows */
    FORGETS_RECORDS,              /* another run goes by a watermark that may be behind */
    PURGES_NOTHING,               /* the key is built over rows that were copied twice */
    PURGES_EARLY,                 /* the journal is read for it while chunks run */
    PURGES_ENTRIES,               /* what was purged is forgotten, and never replayed */
    COPIES_PURGED,                /* chunks go on between the purge and the key */
    REPLAYS_BARE,                 /* replay does not wait for the key */
    ZOMBIE_PURGES,                /* the purge of the former run is not fenced off */
    MUTANTS,
};

/* The rows at the beginning: both keys on page 0, one on each page, only key 0 there, on page 1. */
enum { PROTOCOL_LAYOUTS = 4 };

struct exploration {
    bool is_violated; /* some interleaving ends with a wrong shadow; the search stops there */
    size_t states;
    double interleavings;
};

/* All interleavings of these writers with osc, from every layout. */
struct exploration protocol_explore(const struct writer writers[PROTOCOL_WRITERS], bool is_bare,
                                    enum mutant mutant);

#endif
