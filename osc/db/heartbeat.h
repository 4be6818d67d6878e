/*
 * Heartbeat: statements for one row that is written several times a second.
 * What a commit of the application takes is seen by it, and how far a replica is.
 */
#ifndef OSC_DB_HEARTBEAT_H
#define OSC_DB_HEARTBEAT_H

/* The shorter one where there are replicas: what they lag by is known no better than that. */
enum { HEARTBEAT_MS = 100, SLOW_HEARTBEAT_MS = 250 };

struct heartbeat {
    const char *beat; /* writes the time                                     */
    const char *now;  /* queries: ms by the server's clock, now …            */
    const char *last; /* … and in the row, where there is one; elsewhere none */
};

#endif
