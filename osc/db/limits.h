/*
 * Limits: what a migration may do to the server and its replicas before it works
 * less, or rests.  0 or NULL: no such limit.
 */
#ifndef OSC_DB_LIMITS_H
#define OSC_DB_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum { MOST_THREADS = 64 }; /* that copy, or verify, side by side */

struct limits {
    uint64_t lag_ms;             /* of the slowest replica                                   */
    uint64_t commit_ms;          /* what a commit of one row takes                           */
    unsigned running;            /* sessions at work                                         */
    unsigned lock_waits;         /* sessions that wait for a lock                            */
    unsigned history;            /* versions of rows that InnoDB has still to purge          */
    unsigned checkpoint;         /* percent of the redo log that is not yet in the tables    */
    unsigned flow_control;       /* percent of the time that Galera keeps writers waiting    */
    uint64_t wal_rate;           /* bytes a second                                           */
    uint64_t slot_bytes;         /* of WAL that a replication slot keeps                     */
    unsigned load;               /* percent: processes that want a processor, by processors  */
    uint64_t min_free;           /* bytes that are to stay free on the server's disks        */
    const char *query;           /* rest while its first value is neither 0 nor false        */
    const char *flag_file;       /* rest while it exists                                     */
    const char *http;            /* rest unless it answers 2xx                               */
    const char *const *replicas; /* URLs of those that the server does not name */
    size_t n_replicas;
};

#endif
