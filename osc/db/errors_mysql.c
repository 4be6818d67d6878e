#include "osc/db/driver.h"

/* Policy reads the kind; only this table knows the numbers, the servers' and the libraries'. */
static const struct {
    unsigned first, last;
    enum error_kind kind;
} error_kinds[] = {
  /* rolled back or not begun: may be tried again */
    {1020, 1020, ERROR_TRANSIENT}, /* record has changed since last read (snapshot isolation) */
    {1040, 1040, ERROR_TRANSIENT}, /* too many connections */
    {1047, 1047, ERROR_TRANSIENT}, /* a Galera node that is not ready */
    {1203, 1203, ERROR_TRANSIENT}, /* too many connections of this user */
    {1205, 1206, ERROR_TRANSIENT}, /* lock wait timeout, lock table full */
    {1213, 1213, ERROR_TRANSIENT}, /* deadlock */
    {1226, 1226, ERROR_TRANSIENT}, /* the user's quota */
    {1317, 1317, ERROR_TRANSIENT}, /* the statement was interrupted */
    {1412, 1412, ERROR_TRANSIENT}, /* table definition has changed */
    {1613, 1614, ERROR_TRANSIENT}, /* a transaction branch was rolled back */
    {1615, 1615, ERROR_TRANSIENT}, /* to be prepared again */
    {1637, 1637, ERROR_TRANSIENT}, /* too many transactions */
    {1689, 1689, ERROR_TRANSIENT}, /* a wait for a lock was given up */
    {1969, 1969, ERROR_TRANSIENT}, /* statement timeout (MariaDB) */
    {3024, 3024, ERROR_TRANSIENT}, /* statement timeout (MySQL) */
    {3058, 3058, ERROR_TRANSIENT}, /* deadlock of named locks */
    {3101, 3101, ERROR_TRANSIENT}, /* group replication rolled the commit back */
    {3572, 3572, ERROR_TRANSIENT}, /* NOWAIT */
  /* unique keys */
    {1022, 1022, ERROR_CONFLICT },
    {1062, 1062, ERROR_CONFLICT },
    {1169, 1169, ERROR_CONFLICT },
    {1586, 1586, ERROR_CONFLICT },
    {1859, 1859, ERROR_CONFLICT },
 /* a value that does not fit */
    {1048, 1048, ERROR_DATA     }, /* NULL into NOT NULL */
    {1138, 1138, ERROR_DATA     }, /* the same, found by ALTER */
    {1216, 1217, ERROR_DATA     }, /* foreign key */
    {1263, 1265, ERROR_DATA     }, /* NULL, out of range, truncated */
    {1292, 1292, ERROR_DATA     }, /* wrong value */
    {1300, 1300, ERROR_DATA     }, /* invalid character string */
    {1364, 1367, ERROR_DATA     }, /* no default, division by zero, wrong value */
    {1406, 1406, ERROR_DATA     }, /* too long */
    {1411, 1411, ERROR_DATA     }, /* wrong value for a function */
    {1416, 1416, ERROR_DATA     }, /* geometry */
    {1425, 1427, ERROR_DATA     }, /* scale, precision */
    {1441, 1441, ERROR_DATA     }, /* datetime overflow */
    {1451, 1452, ERROR_DATA     }, /* foreign key, with its name */
    {1526, 1526, ERROR_DATA     }, /* no partition for this value */
    {1690, 1690, ERROR_DATA     }, /* out of range in an expression */
    {1748, 1748, ERROR_DATA     }, /* the row is of another partition */
    {1918, 1918, ERROR_DATA     }, /* conversion (MariaDB) */
    {1977, 1977, ERROR_DATA     }, /* between character sets (MariaDB) */
    {3140, 3158, ERROR_DATA     }, /* JSON */
    {3643, 3643, ERROR_DATA     }, /* spatial reference */
    {3751, 3752, ERROR_DATA     }, /* functional index */
    {3819, 3819, ERROR_DATA     }, /* CHECK */
    {3854, 3854, ERROR_DATA     }, /* between character sets */
    {3903, 3907, ERROR_DATA     }, /* multi-valued index */
    {4025, 4025, ERROR_DATA     }, /* CHECK (MariaDB) */
  /* the connection is gone */
    {1053, 1053, ERROR_LOST     }, /* the server is going down */
    {1152, 1152, ERROR_LOST     }, /* aborted */
    {1156, 1161, ERROR_LOST     }, /* packets, also what a dying server says out of turn */
    {1184, 1184, ERROR_LOST     }, /* aborted, as by a failing init_connect */
    {1927, 1927, ERROR_LOST     }, /* killed (MariaDB) */
    {2001, 2006, ERROR_LOST     }, /* cannot reach the server, gone away */
    {2012, 2013, ERROR_LOST     },
    {2055, 2055, ERROR_LOST     },
    {3169, 3169, ERROR_LOST     }, /* killed (MySQL) */
    {4031, 4031, ERROR_LOST     }, /* idle for too long */
    {5014, 5014, ERROR_LOST     }, /* Connector/C: timed out */
  /* no room */
    {3,    3,    ERROR_FULL     }, /* error writing a file */
    {20,   20,   ERROR_FULL     }, /* disk is full writing a file */
    {1021, 1021, ERROR_FULL     }, /* disk full */
    {1026, 1026, ERROR_FULL     }, /* error writing a file */
    {1114, 1114, ERROR_FULL     }, /* the table is full */
    {1878, 1878, ERROR_FULL     }, /* a temporary file cannot be written */
  /* names */
    {1049, 1049, ERROR_MISSING  },
    {1051, 1051, ERROR_MISSING  },
    {1054, 1054, ERROR_MISSING  },
    {1109, 1109, ERROR_MISSING  }, /* a table that a plugin made */
    {1146, 1146, ERROR_MISSING  },
    {1176, 1176, ERROR_MISSING  },
    {1305, 1305, ERROR_MISSING  },
    {1360, 1360, ERROR_MISSING  },
    {1932, 1932, ERROR_MISSING  },
 /* rights */
    {1044, 1045, ERROR_DENIED   },
    {1095, 1095, ERROR_DENIED   }, /* not the owner of the thread */
    {1130, 1131, ERROR_DENIED   },
    {1142, 1143, ERROR_DENIED   },
    {1227, 1227, ERROR_DENIED   },
    {1370, 1370, ERROR_DENIED   },
    {1410, 1410, ERROR_DENIED   },
    {1419, 1419, ERROR_DENIED   }, /* triggers while binary logging is on need more */
    {1698, 1698, ERROR_DENIED   },
    {1820, 1820, ERROR_DENIED   }, /* the password has expired */
    {1862, 1862, ERROR_DENIED   },
    {2026, 2026, ERROR_DENIED   }, /* TLS */
    {2059, 2061, ERROR_DENIED   }, /* a way to log in that the library does not have */
    {3118, 3118, ERROR_DENIED   }, /* the account is locked */
    {3955, 3955, ERROR_DENIED   },
    {4151, 4151, ERROR_DENIED   }, /* the account is locked (MariaDB) */
};

enum error_kind mysql_error_kind(unsigned number)
{
    for (size_t i = 0; i < ARRAY_SIZE(error_kinds); i++)
        if (number >= error_kinds[i].first && number <= error_kinds[i].last)
            return error_kinds[i].kind;
    return ERROR_SERVER;
}
