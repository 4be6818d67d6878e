#include <string.h>

#include "osc/db/driver.h"

/* Policy reads the kind; only this table knows the codes.  The first row that is a prefix wins. */
static const struct {
    const char *code;
    enum error_kind kind;
} error_kinds[] = {
    {"40001", ERROR_TRANSIENT}, /* serialization failure */
    {"40P01", ERROR_TRANSIENT}, /* deadlock */
    {"40003", ERROR_LOST     }, /* completion unknown */
    {"40",    ERROR_TRANSIENT},
    {"55P03", ERROR_TRANSIENT}, /* lock not available */
    {"55006", ERROR_TRANSIENT}, /* object in use */
    {"57014", ERROR_TRANSIENT}, /* query cancelled */
    {"53300", ERROR_TRANSIENT}, /* too many connections */
    {"53100", ERROR_FULL     }, /* disk full */
    {"53400", ERROR_FULL     }, /* temp_file_limit */
    {"25P03", ERROR_LOST     }, /* idle in transaction for too long */
    {"25P04", ERROR_LOST     }, /* transaction timeout */
    {"57P01", ERROR_LOST     }, /* administrator's command */
    {"57P02", ERROR_LOST     }, /* crash of another process */
    {"57P03", ERROR_LOST     }, /* starting up or shutting down */
    {"57P04", ERROR_LOST     },
    {"57P05", ERROR_LOST     }, /* idle for too long */
    {"08",    ERROR_LOST     },
    {"23505", ERROR_CONFLICT }, /* unique */
    {"23P01", ERROR_CONFLICT }, /* exclusion */
    {"23",    ERROR_DATA     }, /* NOT NULL, CHECK, foreign key */
    {"22",    ERROR_DATA     },
    {"44000", ERROR_DATA     }, /* WITH CHECK OPTION */
    {"42P01", ERROR_MISSING  }, /* table */
    {"42703", ERROR_MISSING  }, /* column */
    {"42704", ERROR_MISSING  }, /* object */
    {"42883", ERROR_MISSING  }, /* function */
    {"3D000", ERROR_MISSING  }, /* database */
    {"3F000", ERROR_MISSING  }, /* schema */
    {"42P07", ERROR_CONFLICT }, /* a table that somebody else has just made, … */
    {"42710", ERROR_CONFLICT }, /* … or its row type */
    {"42501", ERROR_DENIED   },
    {"28",    ERROR_DENIED   },
    {"0L",    ERROR_DENIED   },
    {"0P",    ERROR_DENIED   },
};

enum error_kind postgres_error_kind(const char *code)
{
    for (size_t i = 0; i < ARRAY_SIZE(error_kinds); i++)
        if (strncmp(code, error_kinds[i].code, strlen(error_kinds[i].code)) == 0)
            return error_kinds[i].kind;
    return ERROR_SERVER;
}
