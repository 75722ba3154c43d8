"""Servers that are measured: vouchd and every nats-server at hand, each on a free port and a core of its own.

VOUCH_SERVER names another vouchd than that of the build folder; NATS_SERVER names one or several
nats-servers, separated by blanks (default: the one that is installed)."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

SERVER_CORES, GENERATOR_CORES = "0", "1"
OURS = "vouchd"


def pinned(cores):
    """How a command begins that may use these cores only; None: all."""
    return ["taskset", "-c", cores] if cores else []


def undisturbed():
    """How a command begins that takes its core from any other program at once, where we may do that."""
    first = ["chrt", "--fifo", "1"]
    return first if subprocess.run([*first, "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0 else []


class Server:
    """A server process on a free port, pinned to its core."""

    def __init__(self, binary, folder, more="", under=(), cores=SERVER_CORES):
        self.folder = Path(folder)
        self.folder.mkdir()
        self.log = self.folder / "log"
        config = self.folder / "server.conf"
        config.write_text('listen: "127.0.0.1:-1"\nping_interval: "10m"\n' + more)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*pinned(cores), *under, str(Path(binary).resolve()), "-c", str(config)],
                stdout=log, stderr=log, cwd=self.folder)
        self.port = self.await_port()
        self.rss_at_start = self.rss()

    def await_port(self):
        until = time.monotonic() + 60
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

    def load(self, generator, arguments, cores=GENERATOR_CORES):
        """What the generator says about one run."""
        done = subprocess.run(
            [*pinned(cores), generator, *arguments.split(),
             "--port", self.port, "--pid", str(self.process.pid)],
            stdout=subprocess.PIPE, check=False, timeout=300)
        if done.returncode != 0:
            sys.exit(f"'{arguments}' failed against {self.process.args}:\n{self.log.read_text()[-2000:]}")
        return json.loads(done.stdout)

    def stop(self):
        """Returns the exit status; what was measured stays true when the server has to be killed."""
        self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            print(f"{self.process.args} did not leave within a minute after SIGTERM", file=sys.stderr)
            self.process.kill()
            return self.process.wait()


def version_of(binary):
    """Of a nats-server or vouchd: (2, 10, 1)."""
    said = subprocess.run([binary, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout
    numbers = re.search(r"v?(\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0, 0, 0)


def find_ours(build):
    binary = os.environ.get("VOUCH_SERVER") or next(Path(build).rglob("vouchd"), None)
    if not binary:
        sys.exit(f"there is no vouchd in {build}")
    return str(binary)


def find_theirs():
    """{name with version: path} of the nats-servers."""
    found = {}
    for wanted in os.environ.get("NATS_SERVER", "nats-server").split():
        path = shutil.which(wanted)
        if not path:
            sys.exit(f"NATS_SERVER: there is no program '{wanted}'")
        found["nats-server " + ".".join(map(str, version_of(path)))] = path
    return found


def find_generator(build):
    generator = next(Path(build).rglob("loadgen"), None)
    if not generator:
        sys.exit(f"there is no loadgen in {build}")
    return str(generator)
