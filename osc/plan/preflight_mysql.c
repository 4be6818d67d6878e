#include "osc/plan/preflight_mysql.h"

#include "osc/plan/catalog_mysql.h"

const struct check mysql_server_checks[] = {
    {"read-only", check_read_only},
    {"replica",   check_replica  },
    {NULL,        NULL           },
};

const struct check mysql_checks[] = {
    {"version",          check_version         },
    {"read-only",        check_read_only       },
    {"replica",          check_replica         },
    {"cluster",          check_cluster         },
    {"binary-log",       check_binlog          },
    {"locks",            check_locks           },
    {"tablespace",       check_tablespace      },
    {"engines",          check_engines         },
    {"redo-log",         check_redo_log        },
    {"packets",          check_packets         },
    {"engine",           check_engine          },
    {"partitions",       check_partitions      },
    {"versioning",       check_versioning      },
    {"foreign-keys",     check_foreign_keys    },
    {"triggers",         check_triggers        },
    {"constraint-names", check_constraint_names},
    {"names",            check_names           },
    {"leftovers",        check_leftovers       },
    {"privileges",       check_privileges      },
    {"prepared",         check_prepared        },
    {NULL,               NULL                  },
};

struct sql_env preflight_env(struct db *db, const struct plan *plan, struct arena *arena)
{
    struct sql_env env = {.arena = arena, .outer = &plan->env};

    sql_bind_literal(&env, db, "in_schema", plan->source->schema);
    sql_bind_literal(&env, db, "on_table", plan->source->name);
    return env;
}
