#!/usr/bin/env python3
"""Compares vouchd with the nats-servers at hand in one sitting; fails when vouchd misses a bar.

    bench.py BUILD_FOLDER [-o FOLDER] [-r ROUNDS] [-t SECONDS] [-k WORD]

The servers take turns, pinned to one core; the generator has another. Of three rounds the smallest
CPU time per message counts: a disturbance only ever adds to it. Messages per second are noted, but
nothing is claimed about them, for they vary by half on a machine that does other work.
-o writes results.json, results.md and ratios.svg; -k measures only the rows whose name has the word, and writes nothing.
VOUCH_SERVER and NATS_SERVER name other binaries, the latter several if you like (see server.py).
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import report
from rows import CONCLUSIONS, ROWS, certificates, config_of, words_of
from server import OURS, Server, find_generator, find_ours, find_theirs, undisturbed

LONGER = 4  # times the time of the others: percentiles need many messages


@dataclass
class Session:
    """A row meets a server."""
    server: Server
    generator: str
    words: dict
    cores: str

    def run(self, arguments):
        return self.server.load(self.generator, arguments.format(**self.words), self.cores)


@dataclass
class Bench:
    generator: str
    binaries: dict
    folder: Path
    rounds: int
    seconds: float
    certs: Path = None
    servers: int = 0
    values: dict = field(default_factory=dict)   # (row, figure, server) -> one of each round
    best: dict = field(default_factory=dict)     # (row, figure, server) -> the one that counts
    fastest: dict = field(default_factory=dict)  # (row, server) -> messages per second
    at_start: dict = field(default_factory=dict)

    def __post_init__(self):
        self.certs = certificates(self.folder / "certs")
        self.words = words_of(self.certs, self.seconds, self.seconds * LONGER)

    def measure(self, row, name):
        self.servers += 1
        server = Server(self.binaries[name], self.folder / str(self.servers), config_of(row.config, self.certs),
                        cores=row.cores[0], under=undisturbed() if row.undisturbed else ())
        try:
            session = Session(server, self.generator, self.words, row.cores[1])
            answer = row.load(session) if callable(row.load) else session.run(row.load)
        finally:
            server.stop()
        for figure in row.figures:
            self.note((row.name, figure.field, name), answer[figure.field], figure.choose)
        self.note_speed(row, name, answer)
        if not row.config:
            self.at_start[name] = min(self.at_start.get(name, server.rss_at_start), server.rss_at_start)

    def note(self, key, value, choose):
        self.values.setdefault(key, []).append(value)
        self.best[key] = choose(self.values[key])

    def note_speed(self, row, name, answer):
        key = (row.name, name)
        self.fastest[key] = max(self.fastest.get(key, 0), answer["messages_per_s"])

    def run(self, rows):
        for row in rows:
            names = [OURS] if row.ours_only else list(self.binaries)
            for _ in range(min(self.rounds, row.rounds or self.rounds)):
                for name in names:
                    self.measure(row, name)
            for line in report.lines_of(row, self):
                print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("-o", "--output")
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("-t", "--seconds", type=float, default=0.5)
    parser.add_argument("-k", "--only", default="")
    wanted = parser.parse_args()

    rows = [row for row in ROWS if wanted.only in row.name]
    binaries = {OURS: find_ours(wanted.build)} | find_theirs()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(find_generator(wanted.build), binaries, Path(folder), wanted.rounds, wanted.seconds)
        bench.run(rows)
    results = report.results(bench, rows, CONCLUSIONS)
    for line in report.conclusions(results):
        print(line)
    if wanted.output and not wanted.only:
        report.write(results, Path(wanted.output))
    missed = [entry for entry in results["entries"] if entry["met"] is False]
    for entry in missed:
        print(f"missed: {report.sentence(entry)}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
