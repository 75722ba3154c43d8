"""What a sitting came to: lines on the terminal, results.json, results.md and ratios.svg."""

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path

from rows import Figure
from server import OURS

KIB = 1024
AT_START = Figure("rss_at_start", "bytes", most=4 * KIB * KIB)
PICTURE = Path(__file__).parent / "ratios.gp"


# ---- entries: one line of the table each -----------------------------------------------------------

def entry_of(name, figure, values, speeds):
    """The best nats-server is the one with the smallest value."""
    ours = values.get(OURS)
    theirs = [value for server, value in values.items() if server != OURS]
    ratio = min(theirs) / ours if theirs and ours else None
    bars = [(figure.times, lambda: ratio >= figure.times), (figure.most, lambda: ours <= figure.most),
            (figure.least, lambda: ours >= figure.least)]
    met = [test() for bar, test in bars if bar is not None]
    return {"name": f"{name}: {figure.what}" if figure.what else name, "unit": figure.unit, "values": values,
            "per_second": speeds, "ratio": ratio, "times": figure.times, "most": figure.most,
            "least": figure.least, "met": all(met) if met else None}


def entries_of(row, bench):
    servers = [server for server in bench.binaries if (row.name, server) in bench.fastest]
    return [entry_of(row.name, figure,
                     {server: bench.best[row.name, figure.field, server] for server in servers},
                     {server: bench.fastest[row.name, server] for server in servers})
            for figure in row.figures]


def concluded(conclusion, rows, bench):
    """None when not all of its rows were measured."""
    figures = {row.name: row.figures[0].field for row in rows}
    if conclusion.over not in figures or conclusion.under not in figures:
        return None
    over, under = (bench.best[name, figures[name], OURS] for name in (conclusion.over, conclusion.under))
    figure = Figure("", "times", most=conclusion.most, least=conclusion.least)
    return entry_of(conclusion.name, figure, {OURS: over / under}, {})


def machine():
    cpus = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cpu": cpus[0] if cpus else platform.machine(), "cores": os.cpu_count(),
            "memory_gib": round(memory / KIB**3, 1), "kernel": platform.release()}


def commit():
    return subprocess.run(["git", "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True,
                          check=False, cwd=Path(__file__).parent).stdout.strip()


def results(bench, rows, conclusions):
    entries = [entry for row in rows for entry in entries_of(row, bench)]
    if len(bench.at_start) == len(bench.binaries):
        entries.append(entry_of("memory at start", AT_START, bench.at_start, {}))
    entries += [entry for conclusion in conclusions if (entry := concluded(conclusion, rows, bench))]
    return {"date": datetime.date.today().isoformat(), "machine": machine(),
            "servers": [f"{OURS} at {commit()}", *list(bench.binaries)[1:]], "rounds": bench.rounds,
            "seconds": bench.seconds, "entries": entries}


# ---- words -----------------------------------------------------------------------------------------

def number(value, unit):
    if value is None:
        return ""
    if unit == "bytes":
        return f"{value / KIB:,.1f} KiB" if value >= KIB else f"{value:.0f} B"
    if unit == "us":
        return f"{value:.3f} us" if value < 10 else f"{value:,.0f} us"
    return f"{value:.2f}"


def bar(entry):
    if entry["times"] is not None:
        return f"{entry['times']:g}x"
    if entry["most"] is not None:
        return f"<= {number(entry['most'], entry['unit'])}"
    return f">= {number(entry['least'], entry['unit'])}" if entry["least"] is not None else ""


def ratio(entry):
    return f"{entry['ratio']:.2f}x" if entry["ratio"] is not None else ""


def verdict(entry):
    return {True: "met", False: "not met", None: ""}[entry["met"]]


def line(entry):
    values = "".join(f"{number(value, entry['unit']):>14}" for value in entry["values"].values())
    return f"{entry['name']:48}{values} {ratio(entry):>8} {bar(entry):>12} {verdict(entry)}"


def lines_of(row, bench):
    return [line(entry) for entry in entries_of(row, bench)]


def conclusions(results):
    return [line(entry) for entry in results["entries"] if entry["name"] == "memory at start" or entry["unit"] == "times"]


def sentence(entry):
    return f"{entry['name']}: {ratio(entry) or number(entry['values'][OURS], entry['unit'])}, the bar is {bar(entry)}"


# ---- files -----------------------------------------------------------------------------------------

def table(results):
    """The table as a page of Markdown."""
    theirs = results["servers"][1:]
    host = results["machine"]
    rows = ["# Results of `make bench`", "",
            f"{results['date']}, {host['cpu']}, {host['cores']} cores, {host['memory_gib']} GiB, Linux {host['kernel']};"
            f" {', '.join(results['servers'])}.",
            f"Best of {results['rounds']} rounds of {results['seconds']:g} s. Times are CPU time of the server per"
            " message (fan-out: per delivery), unless the line says p50, p99 or p99.9, which are times that",
            "clients waited. The ratio is the better nats-server's figure over that of vouchd.", "",
            f"| scenario | vouchd | {' | '.join(theirs)} | ratio | bar | |", "|---" * (5 + len(theirs)) + "|"]
    for entry in results["entries"]:
        values = [number(entry["values"].get(server), entry["unit"]) for server in (OURS, *theirs)]
        rows.append(f"| {entry['name']} | {' | '.join(values)} | {ratio(entry)} | {bar(entry)} | {verdict(entry)} |")
    return "\n".join(rows) + "\n"


def bars_of(results):
    """Lines of name, ratio and bar for the picture: what was compared in CPU time."""
    compared = [entry for entry in results["entries"] if entry["times"] is not None and entry["ratio"]]
    return "".join(f"{place}\t{entry['name']}\t{entry['ratio']:.3f}\t{entry['times']:g}\n"
                   for place, entry in enumerate(reversed(compared)))


def write(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "results.md").write_text(table(results))
    host = results["machine"]
    caption = f"{results['date']}, {host['cpu']}, {', '.join(results['servers'])}"
    picture = f"title = '{caption}'\n$bars << END\n{bars_of(results)}END\n" + PICTURE.read_text()
    drawn = subprocess.run(["gnuplot"], input=picture, text=True, stdout=subprocess.PIPE, check=True)
    (folder / "ratios.svg").write_text(drawn.stdout)
