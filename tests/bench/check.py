#!/usr/bin/env python3
"""Every row of the table of rows.py, small and compared byte for byte, against vouchd with some workers.

    check.py LOADGEN VOUCHD CERTIFICATES WORKERS

Each message carries its publisher and its number: the generator fails when one is lost, reordered, doubled,
altered, or comes to somebody whom it was not meant for."""

import re
import sys
import tempfile
from pathlib import Path

from rows import ROWS, config_of, words_of
from server import Server

SECONDS = 0.03  # of each run
WINDOW = 200000  # bytes under way: what has begun is finished, however long that takes
MOST = {"-N": 2000, "-c": 50, "--churn": 100, "--bystanders": 8}


def smaller(load):
    """Times stay as they are; a function asks for its loads itself."""
    if callable(load):
        return load
    return re.sub(r"(-N|-c|--churn|--bystanders) (\d+)", lambda at: f"{at[1]} {min(int(at[2]), MOST[at[1]])}", load)


def loads():
    """{configuration: loads}. Workers are our own business here; what is alike when small is done once."""
    found = {}
    for row in ROWS:
        config = "" if "max_workers" in row.config else row.config
        found.setdefault(config, {})[smaller(row.load)] = None
    return found


class Checker:
    """Runs what a row asks for, with --check."""

    def __init__(self, server, generator, words):
        self.server = server
        self.generator = generator
        self.words = words

    def run(self, load):
        arguments = f"{smaller(load).format(**self.words)} --check --window {WINDOW}"
        answer = self.server.load(self.generator, arguments, cores=None)
        print(f"{answer['messages']:8} {arguments}", flush=True)
        if answer["messages"] == 0:
            sys.exit("that is nothing")
        return answer


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    generator, binary, certs, workers = sys.argv[1:]
    certs = Path(certs).resolve()
    spread = f"max_workers: {workers}\nworker_fill_percent: 0\n"
    with tempfile.TemporaryDirectory() as folder:
        for number, (config, wanted) in enumerate(loads().items()):
            server = Server(binary, f"{folder}/{number}", config_of(config, certs) + spread, cores=None)
            checker = Checker(server, generator, words_of(certs, SECONDS, SECONDS))
            for load in wanted:
                load(checker) if callable(load) else checker.run(load)
            if server.stop() != 0:
                sys.exit(f"the server failed:\n{server.log.read_text()[-4000:]}")


if __name__ == "__main__":
    sys.exit(main())
