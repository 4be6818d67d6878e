#include "tests/support/protocol_private.h"

static void journal(struct state *s, int writer, int op, int which, int key)
{
    const int e = (writer * OPS + op) * 2 + which;

    s->entry[e] = protocol_mutant == JOURNALS_AT_ONCE ? ENTRY_VISIBLE : ENTRY_PENDING;
    s->entry_key[e] = (unsigned char)key;
}

/* Does the operation find what it needs? */
static bool finds(const struct op *op, const struct row *rows)
{
    const bool has_row = rows[op->key].is_there, has_other = rows[1 - op->key].is_there;

    switch (op->kind) {
    case OP_NONE: return false;
    case OP_INSERT: return !has_row;
    case OP_REKEY: return has_row && !has_other;
    case OP_SWAP: return has_row && has_other;
    default: return has_row;
    }
}

static void journal_op(struct state *s, int w, int n, const struct op *op)
{
    const bool is_key_change = op->kind == OP_REKEY || op->kind == OP_SWAP;

    if (!(op->kind == OP_REKEY && protocol_mutant == ONLY_NEW_KEYS) &&
        !(op->kind == OP_TOUCH_MOVE && protocol_mutant == SKIPS_TOUCHES))
        journal(s, w, n, 0, op->key);
    if (is_key_change && !(op->kind == OP_SWAP && protocol_mutant == SWAPS_HALF))
        journal(s, w, n, 1, 1 - op->key);
}

static void change(const struct op *op, struct row *rows, int version)
{
    struct row *row = &rows[op->key], *other = &rows[1 - op->key];
    const struct row before = *row;

    switch (op->kind) {
    case OP_DELETE: *row = (struct row){0}; return;
    case OP_REKEY:
    case OP_SWAP:
        *row = *other;
        *other = before;
        other->version = (unsigned char)version;
        return;
    default:
        row->is_there = 1;
        if (op->kind != OP_TOUCH_MOVE)
            row->version = (unsigned char)version;
        if (op->kind != OP_UPDATE)
            row->page = (unsigned char)op->page;
    }
}

double protocol_write(const struct state *before, int w)
{
    struct state s = *before;
    const int n = s.pc[w];
    const struct op *op = &protocol_writers[w].ops[n];
    const int keys = op->kind == OP_REKEY || op->kind == OP_SWAP ? BOTH : 1 << op->key;

    if (op->kind != OP_NONE && (s.wrote[1 - w] & keys))
        return 0; /* waits for the other writer */
    for (int k = 0; k < KEYS; k++)
        if (!(s.wrote[w] & (1 << k)))
            s.pending[w][k] = s.source[k];
    s.pc[w]++;
    if (finds(op, s.pending[w])) {
        s.wrote[w] |= (unsigned char)keys;
        journal_op(&s, w, n, op);
        change(op, s.pending[w], 10 + w * OPS + n);
    }
    return protocol_follow(&s);
}

double protocol_end_writer(const struct state *before, int w)
{
    struct state s = *before;

    for (int e = w * OPS * 2; e < (w + 1) * OPS * 2; e++)
        if (s.entry[e] == ENTRY_PENDING)
            s.entry[e] = protocol_writers[w].aborts ? ENTRY_NONE : ENTRY_VISIBLE;
    for (int k = 0; k < KEYS; k++) {
        if (!protocol_writers[w].aborts && (s.wrote[w] & (1 << k)))
            s.source[k] = s.pending[w][k];
        s.pending[w][k] = (struct row){0};
    }
    s.wrote[w] = 0;
    s.pc[w]++;
    return protocol_follow(&s);
}
