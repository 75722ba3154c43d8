"""A certificate authority for scripts: the certificates of tests/certs/make.sh, and one scripted
responder, which speaks for the root in one slot and for the intermediate in another."""

import subprocess
from pathlib import Path

MAKE_CERTS = Path(__file__).parent.parent / "certs" / "make.sh"
ROOT_SLOT, INT_SLOT = 1, 2


class Authority:
    """Lives until the end of a with block; its files are in `folder`."""

    def __init__(self, program, folder):
        self.folder = Path(folder)
        self.process = subprocess.Popen([program, str(folder)], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        urls = [self.url(slot) for slot in (ROOT_SLOT, INT_SLOT)]
        subprocess.run(["sh", str(MAKE_CERTS), str(folder), *urls], check=True,
                       stdout=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def order(self, line):
        """The answer of the responder program to this order (see scripted_responder.c)."""
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        if not answer:
            raise SystemExit(f"the responder does not answer to '{line}'")
        return answer

    def url(self, slot):
        return self.order(f"url {slot}")

    def faults(self):
        """[(name, {memory: letters}, is it at a slot of the responder?)]"""
        rows = []
        row = self.order("faults")
        while row != "ok":
            name, *cells, place = row.split("|")
            rows.append((name, dict(zip(("cold", "old good", "old revoked"), cells)), int(place) < 2))
            row = self.process.stdout.readline().rstrip("\n")
        return rows

    def requests(self, slot):
        return int(self.order(f"requests {slot}"))

    def path(self, name):
        return self.folder / name

    def tls(self, more=""):
        """The tls block of a server that demands certificates."""
        return (f'tls {{ cert_file: "{self.path("server.pem")}", key_file: "{self.path("server.key")}",\n'
                f'  ca_file: "{self.path("ca.pem")}", verify: true, timeout: 10, {more} }}\n')
