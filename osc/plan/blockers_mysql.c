#include "osc/db/dialect.h"
#include "osc/plan/blockers.h"

/* How they begin: maintenance and DDL, the users and the programs of backups. */
#define MAINTENANCE                                                                                \
    "'^[[:space:]]*(ALTER|CREATE|DROP|TRUNCATE|RENAME|OPTIMIZE|ANALYZE|REPAIR|CHECK|LOCK|FLUSH|"   \
    "BACKUP)[[:space:]]'"
#define BACKUP_USERS "'^(mariabackup|xtrabackup|mysqlbackup|mysqldump|backup)'"
#define BACKUP_PROGRAMS                                                                            \
    "'^(mysqldump|mariadb-dump|mysqlpump|mydumper|mariabackup|mariadb-backup|xtrabackup|"          \
    "mysqlbackup|mysqlsh)'"
/* Every dump puts this comment into its statements. */
#define DUMP "'SELECT /*!40001 SQL_NO_CACHE */'"

/*
 * A lock whose thread is gone belongs to a prepared transaction.  Global locks
 * are those of backups.  Somebody who waits counts when what he wants keeps
 * others out: everybody queues behind him.  A transaction that is young will end soon; a
 * backup counts from its first moment.
 */
static const char by_performance_schema[] =
    "SELECT COALESCE(h.PROCESSLIST_ID, 0), COALESCE(h.PROCESSLIST_USER, ''),\n"
    " COALESCE(h.PROCESSLIST_HOST, ''),\n"
    " CAST(COALESCE(x.TIMER_WAIT / 1000000000, h.PROCESSLIST_TIME * 1000, 0) AS UNSIGNED) AS age,\n"
    " CASE WHEN h.THREAD_ID IS NULL OR x.XA_STATE = 'PREPARED'\n"
    "   THEN 'prepared XA transaction (XA RECOVER lists it)'\n"
    "  WHEN NOT l.holds THEN 'waiting for it'\n"
    "  WHEN h.PROCESSLIST_COMMAND = 'Sleep' AND l.is_global\n"
    "   THEN 'idle with a lock on the whole server'\n"
    "  WHEN h.PROCESSLIST_COMMAND = 'Sleep' AND l.is_strong THEN 'idle with a table lock'\n"
    "  WHEN h.PROCESSLIST_COMMAND = 'Sleep' THEN 'idle in transaction'\n"
    "  ELSE COALESCE(NULLIF(h.PROCESSLIST_STATE, ''), 'active') END,\n"
    " COALESCE(LEFT(h.PROCESSLIST_INFO, 1000), ''),\n"
    " CASE WHEN h.THREAD_ID IS NULL OR x.XA_STATE = 'PREPARED' THEN 'prepared transaction'\n"
    "  WHEN h.TYPE <> 'FOREGROUND' OR h.PROCESSLIST_USER IS NULL\n"
    "   OR h.PROCESSLIST_USER IN ('system user', 'event_scheduler')\n"
    "   OR h.PROCESSLIST_COMMAND LIKE 'Binlog Dump%' THEN 'replication or the server itself'\n"
    "  WHEN l.is_global OR LOCATE(" DUMP ", h.PROCESSLIST_INFO) = 1\n"
    "   OR h.PROCESSLIST_USER REGEXP " BACKUP_USERS "\n"
    "   OR a.ATTR_VALUE REGEXP " BACKUP_PROGRAMS " THEN 'backup'\n"
    "  WHEN a.ATTR_VALUE LIKE 'osc %' THEN 'osc'\n"
    "  WHEN l.is_strong OR h.PROCESSLIST_INFO REGEXP " MAINTENANCE "\n"
    "   THEN 'maintenance, DDL or LOCK TABLES'\n"
    "  ELSE '' END\n"
    "FROM (SELECT OWNER_THREAD_ID, MAX(LOCK_STATUS = 'GRANTED') AS holds,\n"
    "  MAX(LOCK_TYPE NOT IN ('SHARED_READ', 'SHARED_WRITE', 'SHARED', 'SHARED_HIGH_PRIO',\n"
    "   'SHARED_WRITE_LOW_PRIO')) AS is_strong, MAX(OBJECT_TYPE <> 'TABLE') AS is_global\n"
    " FROM performance_schema.metadata_locks\n"
    " WHERE OBJECT_TYPE = 'TABLE' AND OBJECT_SCHEMA = {schema} AND OBJECT_NAME IN ({names})\n"
    "  OR OBJECT_TYPE IN ('GLOBAL', 'BACKUP LOCK') AND LOCK_TYPE = 'SHARED'\n"
    " GROUP BY OWNER_THREAD_ID) AS l\n"
    "LEFT JOIN performance_schema.threads AS h ON h.THREAD_ID = l.OWNER_THREAD_ID\n"
    "LEFT JOIN performance_schema.events_transactions_current AS x\n"
    " ON x.THREAD_ID = l.OWNER_THREAD_ID AND x.STATE = 'ACTIVE'\n"
    "LEFT JOIN performance_schema.session_connect_attrs AS a\n"
    " ON a.PROCESSLIST_ID = h.PROCESSLIST_ID AND a.ATTR_NAME = 'program_name'\n"
    "WHERE (h.THREAD_ID IS NULL OR h.PROCESSLIST_ID <> CONNECTION_ID())\n"
    " AND (l.holds OR l.is_strong)\n"
    " AND (h.THREAD_ID IS NULL OR l.is_global OR COALESCE(x.TIMER_WAIT / 1000000000,\n"
    "  h.PROCESSLIST_TIME * 1000, 0) >= {older})\n"
    "ORDER BY age DESC";

/* In UTC, as our session is; a whole second is as exact as the server is here. */
#define AGE_OF_TRX                                                                                 \
    "TIMESTAMPDIFF(MICROSECOND, CONVERT_TZ(x.trx_started, 'SYSTEM', '+00:00'),\n"                  \
    "  UTC_TIMESTAMP(6)) / 1000"

/* MariaDB's plugin tells who holds; who waits for the table, his statement tells. */
static const char by_plugin[] =
    "SELECT p.ID, p.USER, p.HOST,\n"
    " CAST(COALESCE(" AGE_OF_TRX ", p.TIME * 1000) AS UNSIGNED) AS age,\n"
    " CASE WHEN p.COMMAND = 'Sleep' AND l.is_global THEN 'idle with a lock on the whole server'\n"
    "  WHEN p.COMMAND = 'Sleep' AND l.is_strong THEN 'idle with a table lock'\n"
    "  WHEN p.COMMAND = 'Sleep' THEN 'idle in transaction'\n"
    "  ELSE COALESCE(NULLIF(p.STATE, ''), 'active') END,\n"
    " COALESCE(LEFT(p.INFO, 1000), ''),\n"
    " CASE WHEN p.USER IN ('system user', 'event_scheduler') OR p.COMMAND LIKE 'Binlog Dump%'\n"
    "   OR p.COMMAND IN ('Daemon', 'Slave_SQL', 'Slave_IO', 'Slave_worker')\n"
    "   THEN 'replication or the server itself'\n"
    "  WHEN l.is_global OR LOCATE(" DUMP ", p.INFO) = 1 OR p.USER REGEXP " BACKUP_USERS "\n"
    "   THEN 'backup'\n"
    "  WHEN l.is_strong OR p.INFO REGEXP " MAINTENANCE " THEN 'maintenance, DDL or LOCK TABLES'\n"
    "  ELSE '' END\n"
    "FROM (SELECT THREAD_ID, MAX(LOCK_MODE NOT IN ('MDL_SHARED_READ', 'MDL_SHARED_WRITE',\n"
    "   'MDL_SHARED', 'MDL_SHARED_HIGH_PRIO')) AS is_strong,\n"
    "  MAX(LOCK_TYPE = 'Backup lock') AS is_global FROM information_schema.METADATA_LOCK_INFO\n"
    " WHERE LOCK_TYPE = 'Table metadata lock' AND TABLE_SCHEMA = {schema}\n"
    "  AND TABLE_NAME IN ({names})\n"
    "  OR LOCK_TYPE = 'Backup lock' AND LOCK_MODE IN ('MDL_BACKUP_FTWRL1', 'MDL_BACKUP_FTWRL2',\n"
    "   'MDL_BACKUP_START', 'MDL_BACKUP_FLUSH', 'MDL_BACKUP_WAIT_FLUSH', 'MDL_BACKUP_WAIT_DDL',\n"
    "   'MDL_BACKUP_WAIT_COMMIT') GROUP BY THREAD_ID) AS l\n"
    "JOIN information_schema.PROCESSLIST AS p ON p.ID = l.THREAD_ID\n"
    "LEFT JOIN information_schema.INNODB_TRX AS x ON x.trx_mysql_thread_id = p.ID\n"
    "WHERE p.ID <> CONNECTION_ID()\n"
    " AND (l.is_global OR COALESCE(" AGE_OF_TRX ", p.TIME * 1000) >= {older})\n"
    "UNION ALL SELECT p.ID, p.USER, p.HOST, p.TIME * 1000 AS age, 'waiting for it',\n"
    " COALESCE(LEFT(p.INFO, 1000), ''), 'maintenance, DDL or LOCK TABLES'\n"
    "FROM information_schema.PROCESSLIST AS p\n"
    "WHERE p.ID <> CONNECTION_ID() AND p.STATE = 'Waiting for table metadata lock'\n"
    " AND LOCATE({name}, p.INFO) > 0 AND p.INFO REGEXP " MAINTENANCE "\n"
    "HAVING age >= {older} ORDER BY age DESC";

/* A transaction without a connection is a prepared one. */
#define SUSPECTS(processes)                                                                        \
    "SELECT COALESCE(p.ID, 0), COALESCE(p.USER, ''), COALESCE(p.HOST, ''),\n"                      \
    " CAST(" AGE_OF_TRX " AS UNSIGNED) AS age,\n"                                                  \
    " CASE WHEN p.ID IS NULL THEN 'prepared XA transaction (XA RECOVER lists it)'\n"               \
    "  WHEN p.COMMAND = 'Sleep' THEN 'idle in transaction'\n"                                      \
    "  ELSE COALESCE(NULLIF(p.STATE, ''), 'active') END,\n"                                        \
    " COALESCE(LEFT(p.INFO, 1000), ''), 'it may be innocent'\n"                                    \
    "FROM information_schema.INNODB_TRX AS x\n"                                                    \
    "LEFT JOIN " processes " AS p ON p.ID = x.trx_mysql_thread_id\n"                               \
    "WHERE (p.ID IS NULL OR p.ID <> CONNECTION_ID())\n"                                            \
    " AND (p.ID IS NOT NULL OR x.trx_mysql_thread_id = 0 AND x.trx_tables_locked > 0)\n"           \
    "HAVING age >= {older}\n"                                                                      \
    "UNION ALL SELECT p.ID, p.USER, p.HOST, p.TIME * 1000 AS age,\n"                               \
    " COALESCE(NULLIF(p.STATE, ''), 'active'), LEFT(p.INFO, 1000), 'it may be innocent'\n"         \
    "FROM " processes " AS p WHERE p.ID <> CONNECTION_ID()\n"                                      \
    " AND p.COMMAND = 'Query' AND LOCATE({name}, p.INFO) > 0 AND LOCATE('osc_state', p.INFO) = "   \
    "0\n"                                                                                          \
    " AND p.ID NOT IN (SELECT x.trx_mysql_thread_id FROM information_schema.INNODB_TRX AS x)\n"    \
    "HAVING age >= {older} ORDER BY age DESC"

/* Where a statement of anybody's has a character outside the plain, MySQL refuses to list any. */
static const char *suspects(const struct facts *facts)
{
    return facts->lists_processes_well ? SUSPECTS("performance_schema.processlist")
                                       : SUSPECTS("information_schema.PROCESSLIST");
}

static const char *holders(const struct facts *facts)
{
    return facts->sees_metadata_locks       ? by_performance_schema
           : facts->sees_metadata_lock_info ? by_plugin
                                            : NULL;
}

/* A moment after it was asked for: the connection has not gone far since. */
static bool kill_blocker(struct db *db, const struct blocker *blocker, uint64_t older_ms UNUSED,
                         struct error *err)
{
    return db_dialect(db)->server->kill(db, blocker->id, err);
}

const struct blocker_dialect mysql_blockers = {
    .holders = holders,
    .suspects = suspects,
    .kill = kill_blocker,
};
