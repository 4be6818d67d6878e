/*
 * Heartbeat: statements for one row that is written every HEARTBEAT_MS.  What a
 * commit of the application takes is seen by it, and how far a replica is.
 */
#ifndef OSC_DB_HEARTBEAT_H
#define OSC_DB_HEARTBEAT_H

enum { HEARTBEAT_MS = 250 };

struct heartbeat {
    const char *beat; /* writes the time                                     */
    const char *now;  /* queries: ms by the server's clock, now …            */
    const char *last; /* … and in the row, where there is one; elsewhere none */
};

#endif
