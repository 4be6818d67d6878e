#include <string.h>

#include "osc/base/human.h"
#include "osc/db/dialect.h"
#include "osc/plan/postgres.h"
#include "osc/plan/preflight_log.h"

enum { FEW_FILES = 64 << 20 /* not worth a word */ };

/*
 * Each question is a query; every row of its answer is one finding.  What we
 * do not know depends on the table is refused by the name the server gives it.
 */
struct question {
    const char *check;
    enum finding_level level;
    unsigned since; /* server version; 0: any */
    const char *query;
    const char *hint;
};

#define THIS "{class}"
#define CLASS_IN_DEPEND "'pg_catalog.pg_class'::pg_catalog.regclass"

static const struct question about_table[] = {
    {"kind",            FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s is a %s', {source}, CASE c.relkind\n"
     "  WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'\n"
     "  WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'relation of another kind' "
     "END)\n"
     "FROM pg_catalog.pg_class c WHERE c.oid = " THIS " AND c.relkind <> 'r'\n"
     "UNION ALL SELECT pg_catalog.format('%s is a temporary table', {source})\n"
     "FROM pg_catalog.pg_class c WHERE c.oid = " THIS " AND c.relpersistence = 't'\n"
     "UNION ALL SELECT pg_catalog.format('%s belongs to the server', {source})\n"
     "WHERE {schema_name} IN ('pg_catalog', 'information_schema', 'pg_toast')",                  "osc migrates ordinary tables only"    },
    {"partitions",      FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s is a partition of %s', {source},\n"
     "  h.inhparent::pg_catalog.regclass)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid\n"
     "WHERE c.oid = " THIS " AND c.relispartition",
     "partitions are not supported yet: detach it first, or use ALTER TABLE itself"                                                     },
    {"inheritance",     FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s inherits from %s', h.inhrelid::pg_catalog.regclass,\n"
     "  h.inhparent::pg_catalog.regclass)\n"
     "FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid\n"
     "WHERE " THIS " IN (h.inhrelid, h.inhparent) AND NOT c.relispartition\n"
     "AND NOT EXISTS (SELECT FROM pg_catalog.pg_class p WHERE p.oid = h.inhparent AND\n"
     "  p.relkind = 'p')",                                                                       "inheritance is not supported yet"     },
    {"storage",         FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s uses the access method %I', {source}, am.amname)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am am ON am.oid = c.relam\n"
     "WHERE c.oid = " THIS " AND am.amname <> 'heap'",
     "only heap tables can be copied by pages"                                                                                          },
    {"storage",         FINDING_NOTE,    0,
     "SELECT pg_catalog.format('%s is UNLOGGED: a crash of the server empties it, and the "
     "shadow',\n"
     "  {source}) FROM pg_catalog.pg_class c WHERE c.oid = " THIS " AND c.relpersistence = 'u'",
     ""                                                                                                                                 },
    {"typed-table",     FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s is a table of type %s', {source},\n"
     "  c.reloftype::pg_catalog.regtype)\n"
     "FROM pg_catalog.pg_class c WHERE c.oid = " THIS " AND c.reloftype <> 0",
     "ALTER TABLE … NOT OF makes it an ordinary table"                                                                                },
    {"indexes",         FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('index %s is not valid', i.indexrelid::pg_catalog.regclass)\n"
     "FROM pg_catalog.pg_index i WHERE i.indrelid = " THIS "\n"
     "AND NOT (i.indisvalid AND i.indisready AND i.indislive)",                                  "REINDEX INDEX CONCURRENTLY or drop it"},
    {"statistics",      FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('extended statistics %I are in schema %s', s.stxname,\n"
     "  s.stxnamespace::pg_catalog.regnamespace)\n"
     "FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_class c ON c.oid = s.stxrelid\n"
     "WHERE c.oid = " THIS " AND s.stxnamespace <> c.relnamespace",
     "ALTER STATISTICS … SET SCHEMA to that of the table"                                                                             },
    {"security-labels", FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('a security label of provider %L', l.provider)\n"
     "FROM pg_catalog.pg_seclabel l WHERE l.objoid = " THIS "\n"
     "AND l.classoid = " CLASS_IN_DEPEND,
     "security labels are not carried yet"                                                                                              },
    {"extension",       FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s belongs to extension %I', {source}, e.extname)\n"
     "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid\n"
     "WHERE d.classid = " CLASS_IN_DEPEND " AND d.objid = " THIS " AND d.deptype = 'e'",
     "tables of extensions are not supported"                                                                                           },
};

static const struct question about_dependents[] = {
    {"foreign-keys", FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('foreign key %I of %s refers to %s', c.conname,\n"
     "  c.conrelid::pg_catalog.regclass, c.confrelid::pg_catalog.regclass)\n"
     "FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND " THIS " IN (c.conrelid,\n"
     "  c.confrelid) ORDER BY c.conname",                                         "foreign keys are not carried yet: drop them first and add them again afterwards" },
    {"views",        FINDING_REFUSAL, 0,
     "SELECT DISTINCT pg_catalog.format('%s %s reads it', CASE c.relkind WHEN 'm' THEN\n"
     "  'materialized view' WHEN 'v' THEN 'view' ELSE 'a rule of' END,\n"
     "  r.ev_class::pg_catalog.regclass)\n"
     "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid\n"
     "JOIN pg_catalog.pg_class c ON c.oid = r.ev_class\n"
     "WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.ev_class <> " THIS "\n"
     "AND (d.refclassid, d.refobjid) IN (SELECT o.classid, o.oid FROM {ours} o)", "views are not carried yet: they would go on reading the old table"               },
    {"rules",        FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('rule %I', r.rulename) FROM pg_catalog.pg_rewrite r\n"
     "WHERE r.ev_class = " THIS " AND r.rulename <> '_RETURN'",
     "rules are not carried yet"                                                                                                                                    },
    {"policies",     FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('policy %I', p.polname) FROM pg_catalog.pg_policy p\n"
     "WHERE p.polrelid = " THIS "\n"
     "UNION ALL SELECT 'row-level security is enabled' FROM pg_catalog.pg_class c\n"
     "WHERE c.oid = " THIS " AND (c.relrowsecurity OR c.relforcerowsecurity)",
     "row-level security is not carried yet"                                                                                                                        },
    {"dependents",   FINDING_REFUSAL, 0,
     "SELECT DISTINCT pg_catalog.format('%s depends on it',\n"
     "  pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid))\n"
     "FROM pg_catalog.pg_depend d WHERE d.deptype IN ('n', 'a')\n"
     "AND (d.refclassid, d.refobjid) IN (SELECT o.classid, o.oid FROM {ours} o)\n"
     "AND CASE d.classid\n"
     "  WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass THEN false\n"
     "  WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass THEN NOT EXISTS (SELECT FROM\n"
     "    pg_catalog.pg_policy p WHERE p.oid = d.objid AND p.polrelid = " THIS ")\n"
     "  WHEN 'pg_catalog.pg_attrdef'::pg_catalog.regclass THEN NOT EXISTS (SELECT FROM\n"
     "    pg_catalog.pg_attrdef a WHERE a.oid = d.objid AND a.adrelid = " THIS ")\n"
     "  WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass THEN NOT EXISTS (SELECT FROM\n"
     "    pg_catalog.pg_constraint c WHERE c.oid = d.objid AND\n"
     "    (c.conrelid = " THIS " OR c.contype = 'f'))\n"
     "  WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass THEN NOT EXISTS (SELECT FROM\n"
     "    pg_catalog.pg_trigger t WHERE t.oid = d.objid AND t.tgrelid = " THIS ")\n"
     "  WHEN 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass THEN NOT EXISTS (SELECT FROM\n"
     "    pg_catalog.pg_statistic_ext s WHERE s.oid = d.objid AND s.stxrelid = " THIS ")\n"
     "  WHEN 'pg_catalog.pg_publication_rel'::pg_catalog.regclass THEN false\n"
     "  WHEN " CLASS_IN_DEPEND " THEN NOT EXISTS (SELECT FROM pg_catalog.pg_class c\n"
     "    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid WHERE c.oid = d.objid\n"
     "    AND (i.indrelid = " THIS " OR c.relkind IN ('S', 'v', 'm'))\n"
     "    OR c.oid = d.objid AND c.relispartition)\n"
     "    AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = d.objid\n"
     "      AND h.inhparent = " THIS ")\n"
     "  ELSE true END",                                                           "it would go on using the old table: drop it first and create it again afterwards"},
    {"sequences",    FINDING_REFUSAL, 0,
     "SELECT DISTINCT pg_catalog.format('%s uses the identity sequence %s',\n"
     "  pg_catalog.pg_describe_object(u.classid, u.objid, u.objsubid),\n"
     "  d.objid::pg_catalog.regclass)\n"
     "FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_depend u ON u.refobjid = d.objid\n"
     "  AND u.refclassid = d.classid AND u.deptype = 'n'\n"
     "WHERE d.refobjid = " THIS " AND d.refclassid = " CLASS_IN_DEPEND "\n"
     "AND d.classid = d.refclassid AND d.deptype = 'i'",                          "the sequence of an identity column is replaced with its table"                   },
    {"triggers",     FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('trigger %I calls %s, which you may not execute', t.tgname,\n"
     "  t.tgfoid::pg_catalog.regprocedure)\n"
     "FROM pg_catalog.pg_trigger t WHERE t.tgrelid = " THIS " AND NOT t.tgisinternal\n"
     "AND NOT pg_catalog.has_function_privilege(t.tgfoid, 'EXECUTE')",            "GRANT EXECUTE ON FUNCTION … TO you"                                            },
};

static const struct question about_replication[] = {
    {"publications",   FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('publication %I publishes it', p.pubname)\n"
     "FROM pg_catalog.pg_publication p LEFT JOIN pg_catalog.pg_publication_rel r\n"
     "  ON r.prpubid = p.oid AND r.prrelid = " THIS " WHERE p.puballtables OR r.oid IS NOT NULL",
     "publications are not carried yet: subscribers would lose the table"                           },
    {"publications",   FINDING_REFUSAL, 150000,
     "SELECT pg_catalog.format('publication %I publishes its schema', p.pubname)\n"
     "FROM pg_catalog.pg_publication p JOIN pg_catalog.pg_publication_namespace n\n"
     "  ON n.pnpubid = p.oid JOIN pg_catalog.pg_class c ON c.relnamespace = n.pnnspid\n"
     "WHERE c.oid = " THIS,
     "publications are not carried yet: subscribers would lose the table"                           },
    {"subscriptions",  FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s is filled by a subscription', {source})\n"
     "FROM pg_catalog.pg_subscription_rel s WHERE s.srrelid = " THIS " LIMIT 1",
     "the subscription would silently stop writing to it"                                           },
    {"event-triggers", FINDING_NOTE,    0,
     "SELECT pg_catalog.format('event trigger %I sees our CREATE, ALTER and DROP statements',\n"
     "  e.evtname) FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D'",                 ""},
};

static const struct question about_rights[] = {
    {"ownership",  FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s belongs to %I, and %I is no member of that role', {source},\n"
     "  r.rolname, CURRENT_USER)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n"
     "WHERE c.oid = " THIS " AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE')",
     "connect as the owner, or have its role granted to you"                                                                                                      },
    {"ownership",  FINDING_REFUSAL, 160000,
     "SELECT pg_catalog.format('%I may not give a table to %I', CURRENT_USER, r.rolname)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_roles r ON r.oid = c.relowner\n"
     "WHERE c.oid = " THIS " AND pg_catalog.pg_has_role(r.oid, 'USAGE')\n"
     "AND NOT pg_catalog.pg_has_role(r.oid, 'SET')",                                                "GRANT … TO … WITH SET TRUE"                              },
    {"privileges", FINDING_REFUSAL, 0,
     "SELECT DISTINCT pg_catalog.format('%I lacks %s on schema %I', w.role, r.name, n.nspname)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
     "CROSS JOIN LATERAL (VALUES (CURRENT_USER), (pg_catalog.pg_get_userbyid(c.relowner))) "
     "w(role)\n"
     "CROSS JOIN (VALUES ('CREATE'), ('USAGE')) r(name)\n"
     "WHERE c.oid = " THIS " AND NOT pg_catalog.has_schema_privilege(w.role, n.oid, r.name)",
     "GRANT USAGE, CREATE ON SCHEMA …"                                                                                                                          },
    {"privileges", FINDING_REFUSAL, 0,
     "SELECT DISTINCT pg_catalog.format('%I may not CREATE in tablespace %I', CURRENT_USER,\n"
     "  s.spcname)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace\n"
     "WHERE (c.oid = " THIS " OR c.oid IN (SELECT i.indexrelid FROM pg_catalog.pg_index i\n"
     "  WHERE i.indrelid = " THIS "))\n"
     "AND NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE')",                                "GRANT CREATE ON TABLESPACE …"                              },
    {"privileges", FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%I may not use the language plpgsql', CURRENT_USER)\n"
     "WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_language l WHERE l.lanname = 'plpgsql'\n"
     "  AND pg_catalog.has_language_privilege(l.oid, 'USAGE'))",                                    "CREATE EXTENSION plpgsql, or GRANT USAGE ON LANGUAGE plpgsql"},
 /* The swap looks for moments in which no transaction with an old snapshot runs. */
    {"privileges", FINDING_WARNING, 0,
     "SELECT pg_catalog.format('the sessions of %s are hidden from us: transactions of theirs at "
     "'\n"
     "  'REPEATABLE READ may be refused (40001) or see older rows at the swap',\n"
     "  pg_catalog.string_agg(pg_catalog.quote_ident(r.rolname), ', '))\n"
     "FROM pg_catalog.pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper\n"
     "AND pg_catalog.has_table_privilege(r.oid, " THIS ", 'SELECT, INSERT, UPDATE, DELETE')\n"
     "AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE')\n"
     "AND NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') HAVING pg_catalog.count(*) > 0", "GRANT pg_read_all_stats TO the user of the DSN"              },
    {"grants",     FINDING_REFUSAL, 0,
     "SELECT DISTINCT pg_catalog.format('%s on %s was granted by %I, who is not the owner',\n"
     "  x.privilege_type, c.oid::pg_catalog.regclass, pg_catalog.pg_get_userbyid(x.grantor))\n"
     "FROM pg_catalog.pg_class c CROSS JOIN LATERAL (SELECT c.relacl UNION ALL\n"
     "  SELECT a.attacl FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid) l(acl)\n"
     "CROSS JOIN LATERAL pg_catalog.aclexplode(l.acl) x\n"
     "WHERE (c.oid = " THIS " OR c.oid IN (SELECT d.objid FROM pg_catalog.pg_depend d\n"
     "  WHERE d.refobjid = " THIS " AND d.refclassid = " CLASS_IN_DEPEND "\n"
     "  AND d.classid = d.refclassid AND d.deptype = 'i')) AND x.grantor <> c.relowner",            "such grants are not carried yet: let the owner grant it"     },
};

static const struct question about_now[] = {
    {"leftovers",             FINDING_REFUSAL, 0,
     "SELECT pg_catalog.format('%s %I.%I exists already%s', CASE c.relkind WHEN 'r' THEN 'table'\n"
     "  WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' ELSE 'relation' END, n.nspname, c.relname,\n"
     "  CASE WHEN pg_catalog.obj_description(c.oid, 'pg_class') LIKE 'osc: %' THEN\n"
     "    ', made by an earlier run of osc' WHEN c.relname = {retired_name}\n"
     "    THEN ', perhaps kept by an earlier migration' END)\n"
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
     "WHERE n.nspname = {schema_name} AND c.relname IN ({shadow_name}, {retired_name},\n"
     "  {journal_name}, {chunks_name})\n"
     "UNION ALL SELECT pg_catalog.format('function %s exists already', "
     "p.oid::pg_catalog.regprocedure)\n"
     "FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace\n"
     "WHERE n.nspname = {schema_name} AND p.proname = {function_name}",                       "osc abort TABLE removes what is left; a kept table goes by osc finish or DROP TABLE"},
    {"wraparound",            FINDING_WARNING, 0,
     "SELECT pg_catalog.format('%s is %s transactions old: autovacuum will soon lock it against "
     "us',\n"
     "  {source}, pg_catalog.age(c.relfrozenxid)) FROM pg_catalog.pg_class c\n"
     "WHERE c.oid = " THIS " AND pg_catalog.age(c.relfrozenxid) > 0.9 *\n"
     "  pg_catalog.current_setting('autovacuum_freeze_max_age')::pg_catalog.int8",            "VACUUM (FREEZE) it first"                                                           },
    {"wraparound",            FINDING_WARNING, 0,
     "SELECT pg_catalog.format('process %s vacuums %s against wraparound and will not give way',\n"
     "  a.pid, {source}) FROM pg_catalog.pg_stat_activity a\n"
     "JOIN pg_catalog.pg_locks l ON l.pid = a.pid AND l.relation = " THIS "\n"
     "WHERE a.backend_type = 'autovacuum worker' AND a.query LIKE '%to prevent wraparound%'", "triggers can be installed once it has ended"                                        },
    {"prepared-transactions", FINDING_WARNING, 0,
     "SELECT pg_catalog.format('prepared transaction %L of %I holds %s since %s', p.gid, p.owner,\n"
     "  {source}, p.prepared::pg_catalog.timestamptz(0))\n" POSTGRES_PREPARED
     "AND l.relation = " THIS "\n"
     "GROUP BY p.gid, p.owner, p.prepared",                                                   "COMMIT PREPARED or ROLLBACK PREPARED it"                                            },
};

static bool ask(struct db *db, struct plan *plan, const struct question *question,
                const struct sql_env *env, struct error *err)
{
    AUTO(rows) rows = ROWS_INIT;

    if (question->since > plan->facts->number)
        return true;
    if (!sql_query(db, &rows, question->query, env, err))
        return error_prefix(err, "%s", question->check);
    while (rows_next(&rows, err))
        plan_find(plan, question->level, question->check, question->hint, "%s",
                  rows_text(&rows, 0));
    return err->kind == ERROR_NONE;
}

/* The table, its row type and the array of these: whatever hangs on one of them. */
static const char ours[] =
    "(SELECT " CLASS_IN_DEPEND " AS classid, " THIS "::pg_catalog.oid AS oid\n"
    " UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid\n"
    " FROM pg_catalog.pg_type t JOIN pg_catalog.pg_class c ON c.reltype IN (t.oid, t.typelem)\n"
    " WHERE c.oid = " THIS " AND c.reltype <> 0)";

static struct sql_env question_env(struct db *db, const struct plan *plan)
{
    struct sql_env env = {.arena = plan->arena};

    sql_bind_sql(&env, "class", postgres_oid(plan->source, plan->arena));
    sql_bind_sql(&env, "ours", sql_renders(plan->arena, ours, &env));
    sql_bind_literal(&env, db, "source", plan->source->quoted);
    sql_bind_literal(&env, db, "schema_name", plan->source->schema);
    sql_bind_literal(&env, db, "shadow_name", plan->names.shadow);
    sql_bind_literal(&env, db, "retired_name", plan->names.retired);
    sql_bind_literal(&env, db, "journal_name", plan->names.journal);
    sql_bind_literal(&env, db, "chunks_name", plan->names.chunks);
    sql_bind_literal(&env, db, "function_name", plan->names.function);
    return env;
}

static bool ask_all(struct db *db, struct plan *plan, const struct question *questions, size_t n,
                    struct error *err)
{
    const struct sql_env env = question_env(db, plan);

    for (size_t i = 0; i < n; i++) {
        if (plan->findings && strcmp(plan->findings->check, "kind") == 0)
            return true; /* not even a table: the rest makes no sense */
        if (!ask(db, plan, &questions[i], &env, err))
            return false;
    }
    return true;
}

static bool check_server(struct db *db, struct plan *plan, struct error *err)
{
    const char *reason = NULL;

    if (!plan->dialect->server->read_only(db, &reason, err))
        return false;
    if (reason)
        plan_find(plan, FINDING_REFUSAL, "server", "connect to the primary",
                  "the server takes no writes: %s", reason);
    return true;
}

/*
 * Checkpoints that follow one another make the application write whole pages again, and each new
 * file of WAL is filled and synced by whoever comes to it first.
 */
static bool check_log(struct db *db, struct plan *plan, struct error *err)
{
    uint64_t most = 0, may_list = 0, ready = 0;
    const unsigned wanted = preflight_log_wanted_gib(plan);
    const struct human bytes = human_bytes(preflight_log_bytes(plan));

    if (!db_value_u64(db, &most,
                      "SELECT pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_wal_size'))",
                      err) ||
        !db_value_u64(db, &may_list,
                      "SELECT (NOT pg_catalog.pg_is_in_recovery() AND\n"
                      "pg_catalog.has_function_privilege('pg_catalog.pg_ls_waldir()', 'EXECUTE'))"
                      "::pg_catalog.int4",
                      err))
        return false;
    if (most < preflight_log_wanted(plan))
        plan_find(
            plan, FINDING_NOTE, "wal",
            arena_printf(plan->arena,
                         "ALTER SYSTEM SET max_wal_size = '%uGB'; SELECT pg_reload_conf()", wanted),
            "about %s of WAL will be written, and max_wal_size is %s: checkpoints will follow "
            "one another",
            bytes.text, human_bytes(most).text);
    if (!may_list)
        return true;
    if (!db_value_u64(db, &ready,
                      "SELECT pg_catalog.count(*) *\n"
                      "  pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size'))\n"
                      "FROM pg_catalog.pg_ls_waldir() w WHERE w.name ~ '^[0-9A-F]{24}$'\n"
                      "AND w.name > pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn())",
                      err)) {
        if (err->kind == ERROR_LOST)
            return false; /* uncovered: the connection breaks at this very question */
        error_clear(err); /* uncovered: what is called PostgreSQL may keep its log elsewhere */
        return true;      /* uncovered: the same */
    }
    if (ready + FEW_FILES < preflight_log_bytes(plan) && ready < preflight_log_wanted(plan))
        plan_find(
            plan, FINDING_NOTE, "wal",
            arena_printf(plan->arena,
                         "ALTER SYSTEM SET min_wal_size = '%uGB'; SELECT pg_reload_conf(): from "
                         "then on checkpoints keep old files for reuse",
                         wanted),
            "about %s of WAL will be written, and files for %s of it are there: commits wait "
            "for each new one",
            bytes.text, human_bytes(ready).text);
    return true;
}

#define ASK(group)                                                                                 \
    static bool check_##group(struct db *db, struct plan *plan, struct error *err)                 \
    {                                                                                              \
        return ask_all(db, plan, about_##group, ARRAY_SIZE(about_##group), err);                   \
    }
ASK(table)
ASK(dependents)
ASK(replication)
ASK(rights)
ASK(now)

const struct check postgres_server_checks[] = {
    {"server", check_server},
    {NULL,     NULL        },
};

const struct check postgres_checks[] = {
    {"server",      check_server     },
    {"table",       check_table      },
    {"dependents",  check_dependents },
    {"replication", check_replication},
    {"rights",      check_rights     },
    {"wal",         check_log        },
    {"now",         check_now        },
    {NULL,          NULL             },
};
