"""Latency over time, by gnuplot: for each server one picture, in it one row for each way.

  python3 bench/plots.py FILE.json DIR         from what bench/compare --json wrote
"""
import json, shutil, subprocess, sys
from pathlib import Path

from servers import install

COURSE = """set terminal svg size 900,{height} dynamic noenhanced font 'sans-serif,11' background rgb 'white'
set output '{out}'
set multiplot layout {n},1 title "{title}"
set logscale y
set yrange [0.1:20000]
set xrange [{first}:{last}]
set ytics ('0.1 ms' 0.1, '1 ms' 1, '10 ms' 10, '100 ms' 100, '1 s' 1000, '10 s' 10000)
set grid ytics lc rgb '#dddddd'
set lmargin 8
set rmargin 3
unset key
"""
WAY = """set title "{way}: {seconds} s; p99 {p99} ms, slowest {most} ms, {errors} errors" offset 0,-0.6
unset object
set object rectangle from 0,graph 0 to {seconds},graph 1 fc rgb '#eef3fb' fs noborder behind
plot '-' using 1:2 with impulses lc rgb '#2457a6' lw 1.4
{points}
e
"""


def course_of(run):
    """(seconds since the way began, the slowest transaction that ended in that slice)"""
    width = run["slice_ms"] / 1000
    for n, (_, write, _, read) in enumerate(run["slices"]):
        if write or read:
            yield round((n + 0.5) * width - run["began_s"], 2), max(write, read)


def middle_run(runs):
    return sorted(runs, key=lambda r: r["p99_ms"])[len(runs) // 2]


def plot_server(server, runs, out):
    ways = [middle_run([r for r in runs if r["way"] == way]) for way in dict.fromkeys(r["way"] for r in runs)]
    last = max(r["ended_s"] - r["began_s"] for r in ways) + 1
    title = f"{server} {runs[0]['version'].split('-')[0].split()[0]}, {runs[0]['rows']} rows, {runs[0]['load']} transactions/s: " \
            "slowest transaction of each 100 ms, seconds since it began"
    script = COURSE.format(height=60 + 150 * len(ways), out=out, n=len(ways), title=title, first=-5, last=round(last, 1))
    for run in ways:
        points = "\n".join(f"{x} {y}" for x, y in course_of(run) if x > -5)
        script += WAY.format(way=run["way"], seconds=run["seconds"], p99=round(run["during"]["write"]["p99_ms"], 1),
                             most=round(run["max_ms"]), errors=run["errors"], points=points)
    subprocess.run(["gnuplot"], input=script + "unset multiplot\n", text=True, check=True)


def plot_latencies(results, directory):
    if not (shutil.which("gnuplot") or install("gnuplot-nox")):
        print("no gnuplot, no plots", file=sys.stderr)
        return
    loaded = [r for r in results if r["load"] and "slices" in r]
    directory.mkdir(parents=True, exist_ok=True)
    for server in dict.fromkeys(r["server"] for r in loaded):
        plot_server(server, [r for r in loaded if r["server"] == server], directory / f"{server}.svg")


if __name__ == "__main__":
    plot_latencies(json.loads(Path(sys.argv[1]).read_text())["runs"], Path(sys.argv[2]))
