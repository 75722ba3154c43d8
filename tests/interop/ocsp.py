#!/usr/bin/env python3
"""Compares how OCSP decides with a nats-server: the same authority, the same clients, the same responders.

usage: ocsp.py VOUCHD NATS_SERVER SCRIPTED_RESPONDER

Compared are who enters, what /varz counts, and what the system account is told; with responders that do wrong
what tests/ocsp/faults.c lists, and what each option makes of it. Then each goes on with the cache.json of the
other. Where vouchd differs on purpose the reason is named (docs/ocsp.md has them, too), and listed as skipped;
a difference that is not there any more is a failure like any other.
"""
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from server import PATIENCE_S, Server

sys.path.append(str(Path(__file__).parent.parent / "responder"))
from authority import MAKE_CERTS, Authority  # noqa: E402

OPTIONS = {"D": "", "W": ", warn_only: true", "U": ", unknown_is_good: true",
           "A": ", allow_when_ca_unreachable: true"}
MEMORIES = ("cold", "old good", "old revoked")
ADVISORY_S = 1.1  # vouchd tells of one certificate once a second
SPAN_S = 4  # how long the answers to first visits are good
FIRST_SLOT = 3

# What differs on purpose, and why: a fault of tests/ocsp/faults.c, ...
ONE_OF_SEVERAL = "one of several answers may be ours; the worst of those counts"
DIFFERENT = {
    "about another certificate": "an answer must be about the certificate",
    "expired signer": "the signer's certificate must be valid",
    "two answers, one is ours": ONE_OF_SEVERAL,
    "revoked and good": ONE_OF_SEVERAL,
    "good and revoked": ONE_OF_SEVERAL,
    "more than 64 KiB": "so much is no answer, but the failure of a fetch",
}
# ... and what the counters tell when a new answer does not come.
EVIDENCE = "a revocation that has run out stays until a new answer replaces it"


class Report:
    def __init__(self):
        self.compared = 0
        self.failures = 0
        self.excused = {}  # why -> what

    def fail(self, sentence):
        self.failures += 1
        print(f"FAILED: {sentence}")

    def same(self, what, ours, theirs, why=None):
        """The two must be equal, unless there is a reason why they may differ."""
        self.compared += 1
        if ours != theirs and why:
            self.excused.setdefault(why, []).append(what)
        elif ours != theirs:
            self.fail(f"{what}: {ours}, there it is {theirs}")

    def tell(self, known):
        for why, what in sorted(self.excused.items()):
            print(f"skipped: {len(what)} differences, such as '{what[0]}': {why}")
        for why in sorted(set(known) - set(self.excused)):
            self.fail(f"no difference any more: {why}")
        print(f"{self.compared} things compared, {self.failures} differences")


# ---- clients ---------------------------------------------------------------------------------------------

def read_line(stream):
    line = b""
    while not line.endswith(b"\n"):
        byte = stream.recv(1)
        if not byte:
            return line
        line += byte
    return line


def tls_context(authority, name):
    context = ssl.create_default_context(cafile=str(authority.path("ca.pem")))
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # there the verdict comes before we say a word
    context.load_cert_chain(authority.path(f"{name}.pem"), authority.path(f"{name}.key"))
    return context


def knock(server, authority, name):
    """What becomes of a client with this certificate: "served", or the words of the TLS alert."""
    context = tls_context(authority, name)
    try:
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as plain:
            read_line(plain)
            with context.wrap_socket(plain) as stream:
                stream.sendall(b"CONNECT {\"verbose\":false}\r\nPING\r\n")
                return "served" if read_line(stream) == b"PONG\r\n" else "closed"
    except ssl.SSLError as error:
        return error.reason
    except ConnectionError:
        return "reset"


class Listener:
    """Somebody of the system account who hears the advisories about OCSP."""

    def __init__(self, server, authority):
        plain = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)
        read_line(plain)
        self.stream = tls_context(authority, "client-noaia").wrap_socket(plain)
        self.stream.sendall(b'CONNECT {"verbose":false,"user":"sys","pass":"pw"}\r\n'
                            b"SUB $SYS.SERVER.*.OCSP.PEER.> 1\r\nPING\r\n")
        self.lines = self.stream.makefile("rb")
        if self.lines.readline() != b"PONG\r\n":
            raise SystemExit("the system account has no user sys")

    def close(self):
        self.lines.close()
        self.stream.close()

    def next(self):
        while True:
            line = self.lines.readline()
            if line.startswith(b"MSG "):
                _, subject, _, size = line.split()
                return subject.decode(), self.lines.read(int(size) + 2)
            if line == b"PING\r\n":
                self.stream.sendall(b"PONG\r\n")
            elif not line:
                raise SystemExit("the system account was disconnected")

    def hear(self):
        """All up to the one that says that a connection was rejected."""
        heard = []
        while not heard or not heard[-1][0].endswith(".CONN.REJECT"):
            subject, body = self.next()
            heard.append((subject.split(".", 3)[3], comparable(json.loads(body))))
        return heard


# the form of what cannot be the same
FORMS = {"id": r"[0-9A-Za-z]{22}", "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"}


def comparable(advisory):
    """Its members in their order; of those that differ from server to server only the form."""
    for name, form in FORMS.items():
        advisory[name] = bool(re.fullmatch(form, advisory[name]))
    advisory["server"] = [name for name in advisory["server"] if name != "feature_flags"]  # of the other one's storage
    return json.dumps(advisory)


def counters(server):
    """What /varz says about the cache; a member that is 0 may be left out."""
    shown = server.varz().get("ocsp_peer_cache", {})
    return {name: value for name, value in shown.items() if value != 0}


def difference(before, after):
    names = {name for name in before.keys() | after.keys() if name != "cache_type"}
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in names}
    return {name: change for name, change in sorted(changes.items()) if change != 0}


# ---- the real responder ----------------------------------------------------------------------------------

CONFIG = """
listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
server_name: compared
accounts {
  $SYS { users: [ { user: sys, password: pw } ] }
  PEERS { users: [ { user: peer, password: pw } ] }
}
no_auth_user: peer
"""
VISITS = ("client-good", "client-good", "client-revoked", "client-revoked", "client-unlisted", "client-noaia",
          "client-other", "client-expired", "int/client-good", "int/client-revoked", "int/client-good",
          "server")


class OpensslAuthority:
    """The certificates of make.sh with an `openssl ocsp` for each of the two CAs."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.processes = []

    path = Authority.path
    tls = Authority.tls

    def __enter__(self):
        ports = [free_port(), free_port()]
        urls = [f"http://127.0.0.1:{port}" for port in ports]
        subprocess.run(["sh", str(MAKE_CERTS), str(self.folder), *urls], check=True, stdout=subprocess.DEVNULL)
        for port, ca, prefix in ((ports[0], "ca", ""), (ports[1], "int", "int/")):
            self.start(port, ca, prefix)
        return self

    def falls_silent(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self, port, ca, prefix):
        process = subprocess.Popen(
            ["openssl", "ocsp", "-index", f"{prefix}index.txt", "-CA", f"{ca}.pem", "-rsigner", f"{prefix}ocsp.pem",
             "-rkey", f"{prefix}ocsp.key", "-port", str(port), "-nmin", "60"],
            cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.processes.append(process)
        for line in process.stdout:
            if "waiting for OCSP client connections" in line:
                return
        raise SystemExit("openssl ocsp does not start")

    def __exit__(self, *_):
        self.falls_silent()
        for process in self.processes:
            process.stdout.close()


def free_port():
    """Below those that outgoing connections get."""
    for port in range(20000 + time.time_ns() % 10000, 32768):
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise SystemExit("no port is free")


def visit(server, listener, authority, name):
    """Verdict, what it did to the counters, and what the system account was told."""
    before = counters(server)
    verdict = knock(server, authority, name)
    is_told = verdict == "SSLV3_ALERT_BAD_CERTIFICATE"  # not of a handshake that failed before OCSP
    return verdict, difference(before, counters(server)), listener.hear() if is_told else []


def compare_real(report, ours, theirs, folder):
    with OpensslAuthority(folder) as authority, ExitStack() as stack:
        config = CONFIG + authority.tls("ocsp_peer: true")
        servers = [stack.enter_context(Server(binary, binary == ours, config)) for binary in (ours, theirs)]
        listeners = [Listener(server, authority) for server in servers]
        for index, name in enumerate(VISITS):
            if name in VISITS[:index]:
                time.sleep(ADVISORY_S)
            seen = [visit(*pair, authority, name) for pair in zip(servers, listeners)]
            for what, pair in zip(("verdict", "counters", "advisories"), zip(*seen)):
                report.same(f"openssl ocsp, visit {index}, {name}: {what}", *pair)
        report.same("/varz ocsp_peer_cache", *(server.varz()["ocsp_peer_cache"] for server in servers))
        report.same("/varz tls_ocsp_peer_verify", *(server.varz()["tls_ocsp_peer_verify"] for server in servers))
        for listener in listeners:
            listener.close()


# ---- what is kept ----------------------------------------------------------------------------------------

KEPT = ("client-good", "client-revoked", "client-unlisted", "int/client-good", "int/client-revoked")


def visit_all(server, authority):
    before = counters(server)
    return {name: knock(server, authority, name) for name in KEPT}, difference(before, counters(server))


def cache_layout(path):
    """The text of cache.json without what differs from moment to moment."""
    return re.sub(r'("(?:cached_at|resp_expires|resp)": )"[^"]+"', r'\1"..."', path.read_text())


def compare_caches(report, ours, theirs, folder):
    """Each fills its cache and ends; then, with the CA gone, each goes on with the cache of the other."""
    with OpensslAuthority(f"{folder}/pki") as authority:
        def server(binary, store):
            config = CONFIG + authority.tls("ocsp_peer: true") + f'ocsp_cache {{ local_store: "{store}" }}\n'
            return Server(binary, binary == ours, config)

        stores = {binary: Path(folder) / which for binary, which in ((ours, "ours"), (theirs, "theirs"))}
        filled = {}
        for binary, store in stores.items():
            with server(binary, store) as writer:
                filled[binary] = visit_all(writer, authority)
        report.same("cache.json", *(cache_layout(store / "cache.json") for store in stores.values()))
        authority.falls_silent()
        for reader, writer in ((ours, theirs), (theirs, ours)):
            with server(reader, stores[writer]) as one:
                seen, counted = visit_all(one, authority)
                gauges = {name: n for name, n in counters(one).items() if name.startswith("cached_")}
            report.same(f"{reader} with the cache of {writer}: verdicts", seen, filled[writer][0])
            report.same(f"{reader} with the cache of {writer}: nobody is asked", counted.get("cache_misses", 0), 0)
            report.same(f"{reader} with the cache of {writer}: entries", gauges,
                        {name: n for name, n in filled[writer][1].items() if name.startswith("cached_")})


# ---- the scripted one -------------------------------------------------------------------------------------

class Scene:
    """Both servers, once for each option, and a certificate for each fault and memory."""

    def __init__(self, authority, ours, theirs, stack):
        self.authority = authority
        self.pairs = {}
        for letter, option in OPTIONS.items():
            config = CONFIG + authority.tls(
                f"ocsp_peer: {{ verify: true, ca_timeout: 1, allowed_clockskew: 0 {option} }}")
            self.pairs[letter] = [stack.enter_context(Server(binary, binary == ours, config))
                                  for binary in (ours, theirs)]
        self.servers = [server for pair in self.pairs.values() for server in pair]

        self.listeners = [Listener(server, authority) for server in self.servers]

    def close(self):
        for listener in self.listeners:
            listener.close()

    def visit(self, name):
        """{server: what visit() saw}, at all servers at one time."""
        def one(server, listener):
            return visit(server, listener, self.authority, name)

        with ThreadPoolExecutor(len(self.servers)) as pool:
            return dict(zip(self.servers, pool.map(one, self.servers, self.listeners)))


def compare_fault(report, scene, fault, memory, cell, name):
    """`cell` holds the letters of the options that let a peer enter."""
    seen = scene.visit(name)
    why = DIFFERENT.get(fault)
    for letter, pair in scene.pairs.items():
        ours, theirs = (seen[server] for server in pair)
        what = f"{fault}, {memory}, {letter}"
        is_kept = memory == "old revoked" and ours[1] == {"cache_misses": 1}
        report.same(f"{what}: verdict", ours[0], theirs[0], why)
        report.same(f"{what}: counters", ours[1], theirs[1], why or (EVIDENCE if is_kept else None))
        report.same(f"{what}: advisories", ours[2], theirs[2], why)
        report.same(f"{what}: as the table says", ours[0] == "served", letter in cell)


def remember(scene, authority, names, memory):
    """First visits, while the responders are well; then what they left in the caches runs out."""
    status = memory.split()[1]
    for slot, name in names:
        authority.order(f"say {slot} {name} {status} {SPAN_S}")
        scene.visit(name)
    time.sleep(SPAN_S + 1)


def compare_scripted(report, authority, ours, theirs):
    faults = authority.faults()
    with ExitStack() as stack:
        scene = Scene(authority, ours, theirs, stack)
        for memory in MEMORIES:
            rows = [(FIRST_SLOT + index, f"{memory.replace(' ', '-')}-{index}", fault, cells[memory])
                    for index, (fault, cells, has_slot) in enumerate(faults) if has_slot]
            for slot, name, *_ in rows:
                authority.order(f"issue {name} {authority.url(slot)}")
            if memory != "cold":
                remember(scene, authority, [row[:2] for row in rows], memory)
            for slot, name, fault, cell in rows:
                authority.order(f"commit {slot} {name} {fault}")
                compare_fault(report, scene, fault, memory, cell, name)
        scene.close()


def main():
    if len(sys.argv) != 4:
        raise SystemExit(__doc__.split("\n\n")[1])
    ours, theirs, program = sys.argv[1:]
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        compare_real(report, ours, theirs, f"{folder}/openssl")
        compare_caches(report, ours, theirs, f"{folder}/caches")
        with Authority(program, f"{folder}/scripted") as authority:
            compare_scripted(report, authority, ours, theirs)
    report.tell([*DIFFERENT.values(), EVIDENCE])
    raise SystemExit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
