"""The ways to change a table: osc, the server's own statements, the peers. Each returns what else is known of it."""
import json, os, re, shutil, subprocess, sys, time

from servers import OSC, install, run

KEEPS_SCHEMA = ("insert", "pg_repack", "pg_repack-ordered")  # these do the work of a change, and change nothing
ON_REQUEST = ("pg_repack-ordered",)  # only where --ways names it
IDLE_ONLY = ("copy", "insert", "osc-unverified")  # they keep writers out, or are no way to change a table in use


def by_osc(*options):
    def way(server, table, alter):
        began, steps = time.monotonic(), {}

        def heard(line):
            step = re.search(r" step=(\S+) number=", line)
            if step:
                steps[step.group(1)] = round(time.monotonic() - began, 2)

        predicted = prediction(server, table, alter)
        began = time.monotonic()
        _, peak = run([OSC, "alter", table, alter, "--strategy=copy", "--after=drop", "--dsn", server.url, *options], heard)
        return {"seconds": time.monotonic() - began, "peak_mib": peak, "steps": steps, **predicted}
    return way


def prediction(server, table, alter):
    plan = json.loads(run([OSC, "plan", table, alter, "--strategy=copy", "--json", "--dsn", server.url])[0])
    return {"predicted_s": plan["seconds_estimate"],
            "size": {k: plan[k] for k in ("rows_estimate", "data_bytes", "index_bytes")}}


def by_server(ending):
    def way(server, table, alter):
        server.sql(f"ALTER TABLE {table} {alter}{ending}")
    return way


def by_insert(server, table, alter):
    """What copies row by row into a table with all its indexes, in the best case: one statement, no capture, no checks."""
    if server.kind == "postgres":
        server.sql(f"CREATE TABLE fresh (LIKE {table} INCLUDING ALL)", f"ALTER TABLE fresh {alter}",
                   f"INSERT INTO fresh OVERRIDING SYSTEM VALUE SELECT * FROM {table}", "DROP TABLE fresh")
    else:
        server.sql(f"CREATE TABLE fresh LIKE {table}", f"INSERT INTO fresh SELECT * FROM {table}", "DROP TABLE fresh")


def by_pt_osc(server, table, alter):
    settings = ["--set-vars", "explain_format=TRADITIONAL"] if server.name == "mysql" else []
    run(["pt-online-schema-change", "--alter", alter, "--execute", "--recursion-method=none", "--no-version-check",
         *settings, f"h=127.0.0.1,P={server.port()},u=root,D=bench,t={table}"])


def by_pg_repack(*options):
    def way(server, table, alter):
        run(["pg_repack", "-h", "127.0.0.1", "-p", server.port(), "-U", "postgres", "-d", "postgres", "-t", table, *options])
    return way


def has_pt_osc():
    return shutil.which("pt-online-schema-change") or install("percona-toolkit")


def has_pg_repack(server):
    """It is a library of the server, too: only Debian's own server has it."""
    major = server.version().split(".")[0]
    library = f"/usr/lib/postgresql/{major}/lib/pg_repack.so"
    if server.name != "postgres" or not (os.path.exists(library) or install(f"postgresql-{major}-repack")):
        return False
    server.sql("CREATE EXTENSION IF NOT EXISTS pg_repack")
    return True


def ways_of(server, asked):
    """All ways of this server that are there, or those asked for; a peer that cannot be had is left out, and said so."""
    known = {"osc": by_osc(), "osc-unverified": by_osc("--verify=none")}
    if server.kind == "mysql":
        known |= {"copy": by_server(", ALGORITHM=COPY"), "inplace": by_server(", FORCE, ALGORITHM=INPLACE"),
                  "insert": by_insert, "pt-osc": by_pt_osc}
        peer, is_there = "pt-osc", has_pt_osc
    else:
        known |= {"rewrite": by_server(""), "insert": by_insert, "pg_repack": by_pg_repack("-n"),
                  "pg_repack-ordered": by_pg_repack("-o", "id")}
        peer, is_there = "pg_repack", lambda: has_pg_repack(server)
    known = {name: way for name, way in known.items() if (name in asked if asked else name not in ON_REQUEST)}
    if any(name.startswith(peer) for name in known) and not is_there():
        known = {name: way for name, way in known.items() if not name.startswith(peer)}
        print(f"{server.name}: {peer} is not to be had for it, left out", file=sys.stderr)
    return known
