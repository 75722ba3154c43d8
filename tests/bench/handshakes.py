#!/usr/bin/env python3
"""What OCSP costs: handshakes with client certificates, and traffic while a CA does not answer.

    handshakes.py BUILD_FOLDER       # VOUCH_SERVER and NATS_SERVER name other binaries

The responder answers from this machine. "Hit": the answer is in memory. "Miss": nothing is kept, each
handshake asks. A nats-server knows OCSP since 2.10; an older one is left out. Of several rounds the
smallest value counts, as in bench.py. What a hit may cost is measured in instructions, which valgrind
counts: they repeat exactly, and CPU time does not do so within the few per cent in question.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from server import GENERATOR_CORES, Server, find_generator, find_ours, find_theirs, version_of

sys.path.append(str(Path(__file__).parent.parent / "responder"))
from authority import ROOT_SLOT, Authority  # noqa: E402

# name, options in the tls block, the rest of the configuration, number of handshakes
CASES = [
    ("off", "", "", 3000),
    ("hit", "ocsp_peer: true", "", 3000),
    ("miss", "ocsp_peer: true", "ocsp_cache: false", 1000),
]
FEW, MANY = 20, 100  # handshakes under valgrind: the difference is free of start and stop
MOST_FOR_HIT = 1.05  # of the instructions of a handshake without OCSP

KIB = 1024
ROUNDS = 3
CROWD, REQUESTS = 1000, 60000
CA_TIMEOUT_S = 6  # longer than the crowd takes to come, and over before the requests are
MOST_P99 = 1.20  # of the p99 without a crowd
MOST_PENDING = 100 * KIB  # bytes of resident memory per handshake that waits


class Bench:
    """The generator, the authority, and a folder for the servers."""

    def __init__(self, generator, authority, folder):
        self.generator = generator
        self.authority = authority
        self.folder = Path(folder)
        self.servers = 0

    def start(self, binary, tls, more, under=()):
        self.servers += 1
        return Server(binary, self.folder / str(self.servers), self.authority.tls(tls) + more, under)

    def command(self, server, arguments, name):
        """The generator, as a client with the certificate NAME."""
        return ["taskset", "-c", GENERATOR_CORES, self.generator, *arguments.split(),
                "--port", server.port, "--pid", str(server.process.pid),
                "--tls", "--ca", self.authority.path("ca.pem"),
                "--cert", self.authority.path(f"{name}.pem"), "--key", self.authority.path(f"{name}.key")]

    def run(self, server, arguments, name):
        done = subprocess.run(self.command(server, arguments, name), stdout=subprocess.PIPE, check=False,
                              timeout=300)
        if done.returncode != 0:
            sys.exit(f"'{arguments}' failed:\n{server.log.read_text()[-2000:]}")
        return json.loads(done.stdout)


def measure_handshakes(bench, binaries):
    """{(case, server): (CPU us per handshake, handshakes per second)}, the best of each."""
    best = {}
    bench.authority.order(f"say {ROOT_SLOT} client-good good 86400")
    for _ in range(ROUNDS):
        for name, tls, more, count in CASES:
            for which, binary in binaries.items():
                server = bench.start(binary, tls, more)
                try:
                    answer = bench.run(server, f"conn -c {count}", "client-good")
                finally:
                    server.stop()
                cpu, speed = best.get((name, which), (float("inf"), 0))
                best[name, which] = (min(cpu, answer["cpu_us_per_message"]),
                                     max(speed, answer["messages_per_s"]))
    return best


def count_instructions(bench, binary, tls, count):
    """User instructions of a server that took so many handshakes."""
    counts = bench.folder / "counts"
    server = bench.start(binary, tls, "", ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                                           f"--log-file={counts}"))
    try:
        bench.run(server, f"conn -c {count}", "client-good")
    finally:
        server.stop()
    return int(re.search(r"Collected *: *(\d+)", counts.read_text())[1])


def instructions_of_handshakes(bench, binary):
    """{case: instructions per handshake}, of the cases that are compared."""
    return {name: (count_instructions(bench, binary, tls, MANY) - count_instructions(bench, binary, tls, FEW))
                  / (MANY - FEW)
            for name, tls, *_ in CASES[:2]}


def requests_p99(bench, server):
    return bench.run(server, f"reqrep -n {REQUESTS}", "client-noaia")["p99_us"]


def run_crowd(bench, server):
    """p99 while a crowd waits and is refused; bytes of memory for each of the crowd."""
    command = bench.command(server, f"crowd -c {CROWD} --responder {bench.authority.url(ROOT_SLOT)}", "ca")
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as crowd:
        if crowd.stderr.readline() != "waiting\n":
            sys.exit("the crowd could not wait")
        p99 = requests_p99(bench, server)
        answer, said = crowd.communicate(timeout=60)
        if crowd.returncode != 0:
            sys.exit(f"not all of the crowd were refused: {said}")
    return p99, json.loads(answer)["rss_grown_per_message"]


def measure_crowd(bench, binary):
    """p99 without and with a crowd, and its memory: the best of each."""
    alone, among, memory = [], [], []
    bench.authority.order(f"commit {ROOT_SLOT} client-good hangs before the head")
    for _ in range(ROUNDS):
        server = bench.start(binary, f'ocsp_peer: {{ verify: true, ca_timeout: {CA_TIMEOUT_S} }}', "")
        try:
            alone.append(requests_p99(bench, server))
            p99, each = run_crowd(bench, server)
            among.append(p99)
            memory.append(each)
        finally:
            server.stop()
    return min(alone), min(among), min(memory)


def print_handshakes(best, binaries):
    print(f"{'mTLS handshake':20}" + "".join(f" {which + ' CPU':>16} {which + '/s':>13}" for which in binaries))
    for name, *_ in CASES:
        cells = (f" {best[name, which][0]:13.0f} us {best[name, which][1]:13,.0f}" for which in binaries)
        print(f"{'OCSP ' + name:20}" + "".join(cells))


def print_instructions(counts):
    ratio = counts["hit"] / counts["off"]
    print(f"vouchd, user instructions of a handshake: off {counts['off']:,.0f}, hit {counts['hit']:,.0f}: {ratio:.3f}"
          f" (bar {MOST_FOR_HIT})")
    return [] if ratio <= MOST_FOR_HIT else [f"a hit makes a handshake {ratio:.3f} of what it is without OCSP"]


def print_crowd(which, alone, among, memory):
    ratio = among / alone
    print(f"{which}, {CROWD} handshakes wait for a dead CA: p99 of requests {alone} -> {among} us, {ratio:.2f}"
          f" (bar {MOST_P99}); {memory / KIB:.0f} KiB for each (bar {MOST_PENDING / KIB:.0f})")
    missed = []
    if ratio > MOST_P99:
        missed.append(f"a crowd that waits makes the p99 of others {ratio:.2f} of what it was")
    if memory > MOST_PENDING:
        missed.append(f"a handshake that waits takes {memory:.0f} bytes, allowed are {MOST_PENDING}")
    return missed


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    build = Path(sys.argv[1])
    program = next(build.rglob("scripted_responder"), None)
    if not program:
        sys.exit(f"there is no scripted_responder in {build}")
    knowing = [path for path in find_theirs().values() if version_of(path) >= (2, 10, 0)]
    binaries = {"vouchd": find_ours(build)} | ({"nats-server": knowing[-1]} if knowing else {})
    if not knowing:
        print("no comparison: NATS_SERVER names no nats-server of version 2.10 or later")
    with tempfile.TemporaryDirectory() as folder, Authority(program, f"{folder}/certs") as authority:
        bench = Bench(find_generator(build), authority, folder)
        print_handshakes(measure_handshakes(bench, binaries), binaries)
        missed = print_instructions(instructions_of_handshakes(bench, binaries["vouchd"]))
        for which, binary in binaries.items():
            found = print_crowd(which, *measure_crowd(bench, binary))
            missed += found if which == "vouchd" else []
    for sentence in missed:
        print(f"missed: {sentence}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
