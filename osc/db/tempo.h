/*
 * Tempo: how hard to work.  Pure arithmetic; throttle.h acts on it.
 *
 * Two things are in the way of full speed.  In *company* (somebody else is at
 * work on the server) one thread works at a time, and what part of the time it
 * works grows a little while commits are quick, and is cut when they are slow.
 * The *allowance* is for what may not pass a limit, the lag of a replica say: it
 * grows while the worst of these is well below its limit, stays close to it, and
 * halves for as long as it is beyond, down to nothing.
 */
#ifndef OSC_DB_TEMPO_H
#define OSC_DB_TEMPO_H

#include <stdbool.h>
#include <stdint.h>

struct tempo {
    unsigned threads;               /* at most */
    bool minds_company;             /* false: somebody chose the number of threads */
    bool is_alone;                  /* in company until a look says otherwise */
    unsigned quiet_looks;           /* in a row */
    unsigned duty;                  /* percent of one thread's time, in company */
    unsigned allowance;             /* percent of all threads' time, by the limits */
    unsigned looks_since_cut;       /* of the allowance */
    uint64_t usual_us;              /* what a commit takes when it is quick */
    unsigned commits, slow_commits; /* since the last look */
};

/* Statements of others, by a server that counts late, ours even after theirs. */
struct tempo_others {
    bool is_known;
    uint64_t most; /* that they can have sent */
};

enum { TEMPO_LOOK_MS = 250, TEMPO_FULL = 100, TEMPO_STOP = 1000 };

void tempo_begin(struct tempo *tempo, unsigned threads, bool minds_company);

/*
 * Every TEMPO_LOOK_MS: is nobody else at work there?  `strain` is the worst of what has a limit,
 * in percent of it; from TEMPO_STOP on there is to be no work, at once.
 */
void tempo_look(struct tempo *tempo, bool is_quiet, unsigned strain);

/* The strain alone, before any work: a small table is done before the others are looked at. */
void tempo_limit(struct tempo *tempo, unsigned strain);

/* What has a limit shows late what our work does to it: begin with little. */
void tempo_ease_in(struct tempo *tempo);

/* How many more have certainly been sent by others since the last look; `ours` are part of `all`,
 * or will be. */
uint64_t tempo_others(struct tempo_others *others, uint64_t all, uint64_t ours);

/* A commit of ours waits for what those of the application wait for. */
void tempo_commit(struct tempo *tempo, uint64_t took_us);

/* Percent of the time of all threads that is for work; 100: there is nothing in the way. */
unsigned tempo_power(const struct tempo *tempo);
/* The same without the limits. */
unsigned tempo_company(const struct tempo *tempo);
/* Threads at work side by side, for that. */
unsigned tempo_places(const struct tempo *tempo);

#endif
