"""Private servers of tests/support/lab, for bench/compare and bench/limits; and whose turn it is on a machine that others use too."""
import contextlib, os, re, subprocess, sys, tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAB = ROOT / "tests/support/lab"
OSC = os.environ.get("OSC_BINARY", str(ROOT / "build/osc"))
OSC_TEST = str(ROOT / "build/osc_test")  # halts where it is told to
TRAFFIC = str(ROOT / "build/tests/support/traffic")

BIG = {"postgres": "-c shared_buffers=2GB -c max_wal_size=8GB -c checkpoint_timeout=30min",
       "mysql": "--innodb-buffer-pool-size=2G"}
REDO = {"mysql": " --innodb-redo-log-capacity=2G", "mariadb": " --innodb-log-file-size=1G"}  # as one gives a server with such a cache
# As osc plan advises it, and used before: see fill_log().
ROOM = {"postgres": " -c min_wal_size=4GB", "mysql": " --innodb-redo-log-capacity=4G", "mariadb": " --innodb-log-file-size=4G --sync-binlog=1"}

DIGITS = """CREATE TABLE IF NOT EXISTS digits (i INT PRIMARY KEY);
INSERT IGNORE INTO digits WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999) SELECT i FROM n;"""


@contextlib.contextmanager
def turn(variable):
    """While another command, named by the environment, runs: OSC_BENCH_SHARED to prepare, OSC_BENCH_ALONE to measure."""
    holder = os.environ.get(variable)
    if not holder:
        yield
        return
    held = subprocess.Popen([holder, "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        held.stdout.readline()
        yield
    finally:
        held.stdin.close()
        held.wait()


def prepares():
    return turn("OSC_BENCH_SHARED")


def measures():
    return turn("OSC_BENCH_ALONE")


def run(command, heard=None):
    """Runs it to its end; returns its output and its peak memory in MiB. heard(line) is called for each line as it comes."""
    with tempfile.TemporaryFile("w+") as errors:
        child = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT if heard else errors)
        lines = []
        for line in child.stdout:
            lines.append(line)
            if heard:
                heard(line)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        output = "".join(lines)
        if child.returncode:
            raise RuntimeError(f"{Path(command[0]).name}: {(errors.read() or output).strip()[-600:]}")
        return output, usage.ru_maxrss // 1024


class Server:
    def __init__(self, name, work, has_log_room=False):
        self.name, self.dir = name, Path(work) / name
        self.kind = "postgres" if name.startswith("postgres") else "mysql"
        log = (ROOM if has_log_room else REDO).get(name.rstrip("0123456789"), "")
        options = dict(os.environ, LAB_OPTIONS=BIG[self.kind] + log)
        out = subprocess.run([LAB, "start", name, self.dir, "--die-with", str(os.getpid())], check=True, text=True,
                             stdout=subprocess.PIPE, env=options).stdout
        self.url = out.split()[-1]
        self.database = None
        if self.kind == "mysql":
            self.sql("CREATE DATABASE bench")
            self.url += "bench"
            self.database = "bench"
            self.sql(DIGITS)
        self.has_log_room = has_log_room
        if has_log_room:
            self.fill_log()

    def fill_log(self):
        """Once through the whole log: what is written to a file for the first time waits for the file system."""
        if self.kind == "postgres":
            self.sql("CREATE TABLE filling (i int)", *["INSERT INTO filling VALUES (1)", "SELECT pg_switch_wal()"] * 200,
                     "DROP TABLE filling")
        else:
            changes = ["UPDATE filling SET t = REPEAT(%d, 8000)" % (i % 10) for i in range(20)]
            self.sql("SET sql_log_bin = 0", "CREATE TABLE filling (i INT PRIMARY KEY, t TEXT)",
                     "INSERT INTO filling SELECT a.i * 20 + b.i, REPEAT('x', 8000) FROM digits AS a CROSS JOIN digits AS b WHERE b.i < 20",
                     *changes, "DROP TABLE filling")
        self.make_log_room()

    def make_log_room(self):
        """What earlier ways have used of it is used anew."""
        if self.has_log_room and self.kind == "postgres":
            self.sql("CHECKPOINT", "CHECKPOINT")

    def client(self, **how):
        """The server's own client, reading statements from its standard input."""
        arguments = ["-v", "ON_ERROR_STOP=1", "-qAtX"] if self.kind == "postgres" else ["-N", "--unbuffered"]
        arguments += [self.database] if self.database else []
        return subprocess.Popen([LAB, "client", self.dir, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                text=True, **how)

    def sql(self, *statements):
        text = ";\n".join(statements) + ";\n"
        client = self.client(stderr=subprocess.PIPE)
        out, errors = client.communicate(text)
        if client.returncode:
            sys.exit(f"{self.name}: {errors}\n{text[:500]}")
        return out.strip()

    def port(self):
        return re.search(r":(\d+)/", self.url).group(1)

    def version(self):
        return self.sql("SHOW server_version" if self.kind == "postgres" else "SELECT version()")

    def stop(self):
        subprocess.run([LAB, "stop", self.dir, "--now"], stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def server(name, work, has_log_room=False):
    it = Server(name, work, has_log_room)
    try:
        yield it
    finally:
        it.stop()


@contextlib.contextmanager
def workplace():
    with tempfile.TemporaryDirectory(prefix="osc-bench.") as work:
        os.chmod(work, 0o755)
        yield Path(work)


def install(*packages):
    """True where they are there now; without them something is left out, which is no failure."""
    setup = ROOT / "tests/support/setup"
    return subprocess.run([setup, "packages", *packages], stdout=sys.stderr).returncode == 0
