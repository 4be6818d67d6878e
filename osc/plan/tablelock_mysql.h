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
 * for, as schema and name.
 */
bool mysql_lock_tables(struct db *db, const char *tables, const struct table *first,
                       uint64_t timeout_ms, struct error *err) MUST_CHECK;

/* Never fails: what it gives back is gone with the connection anyway. */
void mysql_unlock_tables(struct db *db);

/*
 * Who has used `table` in a transaction that is older than `older_ms`: one line
 * each.  With `only_readers`, only those that would die if they wrote to it now.
 * Says nothing where the server does not let us see.
 */
bool mysql_table_users(struct db *db, const struct table *table, uint64_t older_ms,
                       bool only_readers, struct text *users, struct error *err) MUST_CHECK;

/* Statements that wait for table locks give up after this time (whole seconds, at least one). */
bool mysql_wait_at_most(struct db *db, uint64_t timeout_ms, struct error *err) MUST_CHECK;

#endif
