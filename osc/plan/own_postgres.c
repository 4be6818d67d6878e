#include "osc/plan/postgres.h"

const char postgres_stranger[] =
    "SELECT pg_catalog.format('%s %I.%I belongs to %I', CASE c.relkind WHEN 'r' THEN 'table'\n"
    "  ELSE 'relation' END, n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner))\n"
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace\n"
    "WHERE n.nspname = {schema} AND c.relname = {name} AND (c.relkind <> 'r' OR c.relowner NOT IN\n"
    "  (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolsuper OR r.rolname = CURRENT_USER\n"
    "   UNION ALL SELECT l.relowner FROM pg_catalog.pg_class l\n"
    "     WHERE l.relnamespace = n.oid AND l.relname = {like}))";

const char postgres_revoke[] =
    "SELECT pg_catalog.string_agg(DISTINCT pg_catalog.format('REVOKE ALL ON %s %s FROM %s',\n"
    "  o.kind, o.what, CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE\n"
    "    pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END), '; ')\n"
    "FROM pg_catalog.pg_namespace n CROSS JOIN LATERAL (\n"
    "  SELECT 'TABLE', c.oid::pg_catalog.regclass::pg_catalog.text, c.relowner, c.relacl\n"
    "    FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = {name}\n"
    "  UNION ALL SELECT 'FUNCTION', p.oid::pg_catalog.regprocedure::pg_catalog.text, p.proowner,\n"
    "    COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))\n"
    "    FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid AND p.proname = {name}\n"
    "  ) o(kind, what, owner, acl)\n"
    "CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) x\n"
    "WHERE n.nspname = {schema} AND x.grantee <> o.owner";
