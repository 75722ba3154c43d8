"""A server that runs until the end of a with block: vouchd, or the nats-server that it is compared with."""

import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_S = 20


class Server:
    def __init__(self, binary, is_ours, config):
        self.binary = str(Path(binary).resolve())
        self.is_ours = is_ours  # then it must end well
        self.config = config
        self.folder = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.config_path = self.path("server.conf")
        self.config_path.write_text(self.config)
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()

    def path(self, name):
        return Path(self.folder.name) / name

    def start(self):
        """In its own folder, where the log goes to a file: a full pipe would stop it."""
        with self.path("log").open("wb") as log:
            self.process = subprocess.Popen([self.binary, "-c", str(self.config_path)], stdout=log, stderr=log,
                                            cwd=self.folder.name)
        deadline = time.monotonic() + PATIENCE_S
        while "Server is ready" not in self.said():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{self.binary} did not become ready:\n{self.said()}")
            time.sleep(0.01)
        self.port = int(re.search(r"client connections on \S+:(\d+)", self.said())[1])
        monitor = re.search(r"Starting http monitor on \S+:(\d+)", self.said())
        self.monitor = monitor and int(monitor[1])

    def stop(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE_S)
        if status != 0 and self.is_ours:
            raise SystemExit(f"{self.binary} left with status {status}:\n{self.said()}")

    def said(self):
        return self.path("log").read_text(errors="replace")

    def ask(self, path):
        """Status and body of a monitoring answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}{path}", timeout=PATIENCE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def varz(self):
        return json.loads(self.ask("/varz")[1])
