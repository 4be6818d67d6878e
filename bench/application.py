"""The application that a change must not disturb: the traffic program of the tests, with its witness."""
import json, signal, subprocess, time

from servers import TRAFFIC
from tables import SHAPES

SETTLE = 1  # second after


class Application:
    """Half reads, half single-row writes by key; its account has a phase for the time that a way takes."""

    def __init__(self, server, rate, work, calm):
        self.report = work / "report.json"
        self.process = subprocess.Popen([TRAFFIC, "--dsn", server.url, "--shape", SHAPES["users"][0], "--writers", "4", "--readers", "4",
                                         "--rate", str(rate / 2), "--read-rate", str(rate / 2), "--mix", "update",
                                         "--report", str(self.report)],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            if line.startswith("traffic: writing"):
                break
        time.sleep(calm)

    def mark(self):
        self.process.send_signal(signal.SIGUSR1)

    def account(self):
        """Latencies in ms: {"before"|"during": {"write"|"read": {p50_ms, ...}}}, stalls, errors, and the course of it."""
        time.sleep(SETTLE)
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        account = json.loads(self.report.read_text())
        before, during = account["phases"][:2]
        return {"before": {k: before[k] for k in ("write", "read")}, "during": {k: during[k] for k in ("write", "read")},
                "p99_before_ms": before["write"]["p99_ms"], "p99_ms": during["write"]["p99_ms"],
                "max_ms": max(during["write"]["max_ms"], during["read"]["max_ms"]),
                "stall_ms": during["stall"]["ms"], "errors": account["counters"]["errors"],
                "failures": account["failures"], "witness": account["verdict"]["problem"] or
                ("ok" if account["verdict"]["checked"] and not account["verdict"]["differences"] else "DIFFERS"),
                "began_s": during["start_s"], "ended_s": during["start_s"] + during["seconds"],
                "slice_ms": account["slice_ms"], "slices": account["slices"]}

    def abandon(self):
        self.process.kill()
        self.process.communicate()
