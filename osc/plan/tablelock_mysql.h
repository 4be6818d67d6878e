/*
 * Table locks, asked for so that the application hardly notices.
 *
 * A transaction that has read the table and then writes to it dies of a
 * deadlock (1213) when we wait for the table in between: its write queues
 * behind us, and we wait for its read.  So the lock is tried without waiting,
 * or, where that cannot be said, only while nobody is in that position; we
 * queue only when the time for that is up.
 */
#ifndef OSC_PLAN_TABLELOCK_MYSQL_H
#define OSC_PLAN_TABLELOCK_MYSQL_H

#include "osc/plan/plan.h"

/*
 * LOCK TABLES `tables` (a list as SQL knows it: a WRITE, b WRITE): for
 * `timeout_ms` without queueing, then for as long in the queue.  ERROR_TRANSIENT
 * when the lock was not granted.  `first` is the table whose users we would wait
 * for, as schema and name.  A transaction is open afterwards: without one InnoDB
 * is not asked for the lock, and on MariaDB only InnoDB knows of a prepared transaction whose
 * connection is gone.  What is done under the lock becomes durable once, not statement by
 * statement.
 */
bool mysql_lock_tables(struct db *db, const char *tables, const struct table *first,
                       uint64_t timeout_ms, struct error *err) MUST_CHECK;

/* Never fails: what it gives back is gone with the connection anyway. */
void mysql_unlock_tables(struct db *db, const char *how); /* COMMIT or ROLLBACK */

/* Statements that wait for table locks give up after this time (whole seconds, at least one). */
bool mysql_wait_at_most(struct db *db, uint64_t timeout_ms, struct error *err) MUST_CHECK;

#endif
