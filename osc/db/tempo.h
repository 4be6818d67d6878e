/*
 * Tempo: how hard to work beside others.  Pure arithmetic; throttle.h acts on it.
 *
 * Alone, everything goes at full speed.  In company one thread works at a time,
 * in short pieces, and rests between them; what part of the time it works grows
 * a little while commits are quick, and is cut when they are slow.
 */
#ifndef OSC_DB_TEMPO_H
#define OSC_DB_TEMPO_H

#include <stdbool.h>
#include <stdint.h>

struct tempo {
    bool is_alone;
    unsigned quiet_looks;           /* in a row */
    unsigned duty;                  /* percent of the time that is for work, in company */
    uint64_t usual_us;              /* what a commit takes when it is quick */
    unsigned commits, slow_commits; /* since the last look */
};

enum { TEMPO_LOOK_MS = 250 };

/* In company until a look says otherwise. */
void tempo_begin(struct tempo *tempo);

/* A look at the server: is anybody else at work there? */
void tempo_look(struct tempo *tempo, bool is_quiet);

/* A commit of ours waits for what those of the application wait for. */
void tempo_commit(struct tempo *tempo, uint64_t took_us);

/* After `worked_us` of work. */
uint64_t tempo_rest_us(const struct tempo *tempo, uint64_t worked_us);

#endif
