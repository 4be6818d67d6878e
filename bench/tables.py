"""The tables that bench/compare and bench/limits work on."""
import subprocess

from servers import TRAFFIC

# Made by the traffic program: the shape, and the table's name.
SHAPES = {"users": ("people", "users"), "random": ("people", "users"), "composite": ("composite", "parts"), "uuid": ("uuid", "sessions")}
# users in random physical order, rows of 8 KB in two blobs, 20 narrow columns, 8 secondary indexes
TABLES = ["users", "random", "wide", "narrow", "composite", "uuid", "indexes"]


def series(kind, rows):
    if kind == "postgres":
        return f"FROM generate_series(1, {rows}) AS s(i)"
    return f"""FROM (SELECT a.i + 1000 * b.i + 1000000 * c.i + 1 AS i FROM digits AS c JOIN digits AS b JOIN digits AS a
      WHERE c.i <= {rows // 1000000} AND b.i <= {rows // 1000} AND a.i + 1000 * b.i + 1000000 * c.i < {rows}) AS s"""


def many(pattern, n):
    return ", ".join(pattern.format(k) for k in range(1, n + 1))


def own_table(table, kind, rows):
    """Statements that make one of the tables the traffic program does not know."""
    postgres = kind == "postgres"
    blob = "bytea" if postgres else "blob"
    noise = "decode(repeat(md5(s.i::text), 128), 'hex')" if postgres else "UNHEX(REPEAT(SHA2(s.i, 256), 128))"
    if postgres:
        noise = f"{noise} || {noise}"
    columns, values = {
        "wide": (f"status int NOT NULL, body {blob} NOT NULL, more {blob} NOT NULL", f"s.i % 7, {noise}, {noise}"),
        "narrow": ("status int NOT NULL, " + many("c{} int NOT NULL", 18), "s.i % 7, " + many("s.i * {} % 100003", 18)),
        "indexes": ("status int NOT NULL, " + many("c{} int NOT NULL", 8), "s.i % 7, " + many("s.i % 1000003 * {} * 79 % 1000003", 8)),
    }[table]
    made = [f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} (id bigint PRIMARY KEY, {columns})"]
    if table == "wide" and postgres:
        made += ["ALTER TABLE wide ALTER body SET STORAGE EXTERNAL, ALTER more SET STORAGE EXTERNAL"]  # as if it did not compress
    made += [f"INSERT INTO {table} SELECT s.i, {values} {series(kind, rows)}"]
    if table == "indexes":
        made += [f"CREATE INDEX {table}_{k} ON {table} (c{k})" for k in range(1, 9)]
    return made


def is_for(table, server):
    return table != "random" or server.kind == "postgres"  # elsewhere rows lie in the order of their key


def rows_of(table, rows):
    return max(rows // 20, 1) if table == "wide" else rows


def make(server, table, rows):
    """Makes it, and returns its name on the server."""
    shape, name = SHAPES.get(table, (None, table))
    if shape:
        subprocess.run([TRAFFIC, "--dsn", server.url, "--shape", shape, "--create", str(rows), "--create-only"], check=True,
                       stdout=subprocess.DEVNULL)
    else:
        server.sql(*own_table(table, server.kind, rows_of(table, rows)))
    if table == "random":
        server.sql("CREATE TEMPORARY TABLE mixed AS SELECT * FROM users ORDER BY md5(id::text)", "TRUNCATE users",
                   "INSERT INTO users OVERRIDING SYSTEM VALUE SELECT * FROM mixed")
    server.sql(f"VACUUM ANALYZE {name}" if server.kind == "postgres" else f"ANALYZE TABLE {name}")
    return name


def alters(table, kind):
    """A change that makes every row be written anew: there, and back."""
    if kind == "postgres" and table != "uuid":
        return "ALTER COLUMN status TYPE bigint", "ALTER COLUMN status TYPE int"
    if kind == "postgres":
        return "ALTER COLUMN version TYPE numeric(20)", "ALTER COLUMN version TYPE bigint"
    return "ADD COLUMN phone VARCHAR(20) NOT NULL DEFAULT ''", "DROP COLUMN phone"
