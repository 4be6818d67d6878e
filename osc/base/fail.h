/*
 * Failpoints and mutants, for test builds only.
 *
 * FAILPOINT("name") marks a moment between two statements that a test wants
 * to hold still.  When the directory $OSC_FAILPOINTS holds a file "name", the
 * thread that arrives creates "name.hit" and waits until "name" is gone; a file
 * "name" whose first byte is 'k' kills the process instead (as kill -9 would).
 * MUTANT("name") is true when $OSC_MUTANT is that name: each mutant breaks one
 * condition of the protocol, and a test must notice.
 * OSC_FAULT=b:37 breaks the connection of the 37th database call before it runs,
 * a:37 after it ran but before the reply, k:37 and K:37 kill the process there;
 * c:0 only counts, into the file "calls" of $OSC_FAILPOINTS.
 * TUNED("SIZE", n) is $OSC_TUNE_SIZE where that is set, so that small tables
 * are cut into many pieces.
 * MOVED(now) is what stands in the file "clock" there, seconds since 1970.
 * All vanish from builds without OSC_TESTING.
 */
#ifndef OSC_BASE_FAIL_H
#define OSC_BASE_FAIL_H

#ifdef OSC_TESTING
#include <stdbool.h>
#include <stdint.h>

/* The number of this database call. */
unsigned fault_count(void);
/* What is to happen at call `number` ('b', 'a', 'k', 'K'), or 0. */
char fault_wanted(unsigned number);
void failpoint_reach(const char *name);
bool mutant_is(const char *name);
uint64_t tuned(const char *variable, uint64_t standard);
int64_t moved(int64_t now);
#define FAILPOINT(name) failpoint_reach(name)
#define MUTANT(name) mutant_is(name)
#define TUNED(name, standard) tuned("OSC_TUNE_" name, standard)
#define MOVED(now) moved(now)
#else
#define FAILPOINT(name) ((void)0)
#define MUTANT(name) false
#define TUNED(name, standard) (standard)
#define MOVED(now) (now)
#endif

#endif
