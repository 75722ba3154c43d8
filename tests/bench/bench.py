#!/usr/bin/env python3
"""Compares vouchd with a nats-server in one sitting and refuses what misses its bar.

    bench.py BUILD_FOLDER            # VOUCH_SERVER and NATS_SERVER name other binaries

The servers take turns, pinned to one core; the generator has another. Of three rounds the smallest
CPU time per message counts: a disturbance only ever adds to it. Messages per second are printed,
but nothing is claimed about them, for they vary by half on a machine that does other work.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = int(os.environ.get("ROUNDS", "3"))
SERVER_CORE, GENERATOR_CORE = "0", "1"
KIB = 1024

# name, arguments of the generator, field of its answer, most that vouchd may take of nats-server
SCENARIOS = [
    ("publish only, 16 B", "pub -n 8000000 -s 16", "cpu_us_per_message", 0.5),
    ("1:1, 16 B", "pubsub -n 4000000 -s 16", "cpu_us_per_message", 0.5),
    ("1:1, 128 B", "pubsub -n 3000000 -s 128", "cpu_us_per_message", None),
    ("1:1, 1 KB", "pubsub -n 1000000 -s 1024", "cpu_us_per_message", 0.5),
    ("fan-out 10, 16 B", "pubsub -n 800000 -s 16 -S 10", "cpu_us_per_delivery", None),
    ("queue group of 10", "pubsub -n 3000000 -s 16 -S 10 -q workers", "cpu_us_per_message", None),
    ("request/reply", "reqrep -n 30000 -s 16", "cpu_us_per_message", None),
    ("idle connection", "idle -c 5000", "rss_grown_per_message", None),
]

MOST_IDLE = 4 * KIB  # bytes of resident memory per idle connection of vouchd
MOST_AT_START = 6 * KIB * KIB  # bytes of resident memory of vouchd without connections


class Server:
    """A server process on a free port, pinned to its core."""

    def __init__(self, binary, folder, more="", under=()):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.log = self.folder / "log"
        config = self.folder / "server.conf"
        config.write_text('listen: "127.0.0.1:-1"\nping_interval: "10m"\n' + more)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", SERVER_CORE, *under, str(Path(binary).resolve()), "-c", str(config)],
                stdout=log, stderr=log, cwd=self.folder)
        self.port = self.await_port()
        self.rss_at_start = self.rss()

    def await_port(self):
        until = time.monotonic() + 30
        while time.monotonic() < until:
            text = self.log.read_text()
            listening = re.search(r"Listening for client connections on \S+:(\d+)", text)
            if listening and "Server is ready" in text:
                return listening.group(1)
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        sys.exit(f"the server did not start:\n{self.log.read_text()}")

    def rss(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            sys.exit("the server did not leave within 30 s after SIGTERM")


def measure(generator, binary, arguments, folder):
    """One run against a fresh server: the generator's answer, and the memory at start."""
    server = Server(binary, folder)
    try:
        done = subprocess.run(
            ["taskset", "-c", GENERATOR_CORE, generator, *arguments.split(),
             "--port", server.port, "--pid", str(server.process.pid)],
            stdout=subprocess.PIPE, check=False, timeout=300)
        if done.returncode != 0:
            sys.exit(f"'{arguments}' failed against {binary}")
        return json.loads(done.stdout), server.rss_at_start
    finally:
        server.stop()


def text_of(value, field):
    return f"{value:9.0f} B" if field.startswith("rss") else f"{value:8.4f} us"


def run_scenarios(generator, binaries, folder):
    """Smallest value per scenario and server; the smallest memory at start."""
    best, fastest, at_start = {}, {}, {}
    run = 0
    for name, arguments, field, _ in SCENARIOS:
        for _ in range(ROUNDS):
            for server, binary in binaries.items():
                run += 1
                answer, rss = measure(generator, binary, arguments, f"{folder}/{run}")
                key = (name, server)
                best[key] = min(best.get(key, float("inf")), max(answer[field], 0.0001))
                fastest[key] = max(fastest.get(key, 0), answer["messages_per_s"])
                at_start[server] = min(at_start.get(server, float("inf")), rss)
    return best, fastest, at_start


def print_table(best, fastest, at_start):
    """The table, and the list of bars that were missed."""
    missed = []
    print(f"{'':20} {'vouchd':>12} {'nats-server':>12} {'ratio':>6} {'bar':>5}"
          f" {'vouchd/s':>12} {'nats/s':>12}")
    for name, _, field, bar in SCENARIOS:
        ours, theirs = best[name, "vouchd"], best[name, "nats-server"]
        ratio = ours / theirs
        speeds = [fastest[name, server] for server in ("vouchd", "nats-server")]
        print(f"{name:20} {text_of(ours, field):>12} {text_of(theirs, field):>12} {ratio:6.2f}"
              f" {bar or '':>5} {speeds[0]:12,.0f} {speeds[1]:12,.0f}")
        if bar and ratio > bar:
            missed.append(f"{name}: {ratio:.2f} of nats-server, allowed is {bar}")
    print(f"{'memory at start':20} {at_start['vouchd'] / KIB:8.0f} KiB"
          f" {at_start['nats-server'] / KIB:8.0f} KiB")
    idle = best["idle connection", "vouchd"]
    if idle > MOST_IDLE:
        missed.append(f"an idle connection takes {idle:.0f} bytes, allowed are {MOST_IDLE}")
    if at_start["vouchd"] > MOST_AT_START:
        missed.append(f"{at_start['vouchd']} bytes at start, allowed are {MOST_AT_START}")
    return missed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1])
    generator = next(build.rglob("loadgen"), None)
    ours = os.environ.get("VOUCH_SERVER") or next(build.rglob("vouchd"), None)
    theirs = shutil.which(os.environ.get("NATS_SERVER", "nats-server"))
    if not generator or not ours or not theirs:
        sys.exit("needs loadgen and vouchd in the build folder, and a nats-server")
    binaries = {"vouchd": str(ours), "nats-server": theirs}
    with tempfile.TemporaryDirectory() as folder:
        missed = print_table(*run_scenarios(str(generator), binaries, folder))
    for sentence in missed:
        print(f"missed: {sentence}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
