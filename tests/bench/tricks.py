#!/usr/bin/env python3
"""What each trick of the hot path is worth: the server is built without it, and both are measured in turn.

    tricks.py BUILD_FOLDER WORK_FOLDER [-o FOLDER] [-r ROUNDS] [-t SECONDS] [-k WORD]
    tricks.py --check                    # does every text that is to be replaced stand in the sources, once?

WORK_FOLDER gets a copy of the sources, in which one place after the other is changed. -o writes tricks.md; -k measures
only the tricks whose name has the word, and writes nothing.
"""

import argparse
import datetime
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import report
from bench import Bench
from rows import MIX, Figure, Row, cpu, per_delivery
from server import OURS, find_generator

ROOT = Path(__file__).parent.parent.parent
WITHOUT = "without"
BOTH_CORES = ("0,1", "0,1")


@dataclass(frozen=True)
class Trick:
    """A place in the sources, what it is replaced by, and the rows that tell the difference."""
    name: str
    instead: str  # what the other server does
    file: str
    places: tuple  # (old text, new text)
    rows: tuple
    most: float | None = None  # the other server's figure may be so much smaller


def row(name, load, figures=None, config="", **more):
    return Row(name, load, figures or cpu(), config, ours_only=True, **more)


ONE_TO_ONE = row("1:1, 16 B", "pubsub -t {t}")
LARGE = row("1:1, 16 KB", "pubsub -t {t} -s 16384")
TEN_LARGE = row("fan-out 10, 16 KB", "pubsub -t {t} -s 16384 -S 10", per_delivery(None))
HUNDRED_APART = row("fan-out 100, distinct sids", "pubsub -t {t} -S 100", per_delivery(None))
TEN_SAME = row("fan-out 10, same sid", "pubsub -t {t} -S 10 --same-sids", per_delivery(None))
TEN = row("fan-out 10, distinct sids", "pubsub -t {t} -S 10", per_delivery(None))
HUNDRED = row("fan-out 100, same sid", "pubsub -t {t} -S 100 --same-sids", per_delivery(None))
QUEUE = row("queue group of 10", "pubsub -t {t} -S 10 -q workers")
TLS = row("TLS 1:1, 1 KB", "pubsub -t {t} -s 1024 {tls}", config="tls")
MTLS_IDLE = row("idle connection, mTLS", "idle -c 1000 --bare {mtls}", (Figure("rss_grown_per_message", "bytes"),),
                "mtls", rounds=1)

MTLS = row("handshake, mTLS P-256", "conn -t {t} {mtls}", config="mtls")
TLS_LARGE = row("TLS 1:1, 16 KB", "pubsub -t {t} -s 16384 {tls}", config="tls")

# what a memory BIO holds goes where ours writes to
DRAIN_BIO = """    char *text;
    long len = BIO_get_mem_data(SSL_get_wbio(engine->ssl), &text);
    buf_append(&engine->output, text, (size_t)len);
    (void)BIO_reset(SSL_get_wbio(engine->ssl));
"""

# as much of a run as there is room for
APPENDED = """        i += batch_append(*batch, &sent, &messages[i], count - i);
        if (i < count)
"""
CROSSING = row("10 publishers, 10 subscribers, 2 workers", MIX, config="max_workers: 2\nworker_fill_percent: 0\n",
               cores=BOTH_CORES)

TRICKS = [
    Trick("messages on one subject are a run, delivered at once", "delivers each message alone", "server/router.h",
          (("#define RUN_MAX       256 ", "#define RUN_MAX       1 "),), (ONE_TO_ONE, TEN)),
    Trick("a run is formatted once for all with the same sid", "formats it for each subscriber", "server/router.c",
          (("as_before || as_next);", "(as_before || as_next) && false);"),), (HUNDRED,)),
    Trick("what is shared stands one run behind the other", "begins a block for each run", "server/client_deliver.c",
          (("bool is_full = !shared->fill ||", "bool is_full = !shared->fill || shared->count == 0 ||"),),
          (TEN_SAME, HUNDRED)),
    Trick("one read area of 512 KB per worker", "has one of 16 KB", "server/worker.h",
          (("((size_t)512 * 1024)", "((size_t)16 * 1024)"),), (ONE_TO_ONE, LARGE)),
    Trick("a message of 64 KB that is cut off fits in front of the area", "reads the rest of it alone", "server/worker.h",
          (("((size_t)128 * 1024)", "((size_t)64 * 1024)"),), (row("1:1, 64 KB", "pubsub -t {t} -s 65536"),)),
    Trick("payloads from 4 KB on are borrowed from the read area", "copies all", "server/client_deliver.c",
          (("#define BORROW_MIN    4096 ", "#define BORROW_MIN    (1 << 28) "),), (LARGE, TEN_LARGE)),
    Trick("what is pending is sent from 256 KB on", "sends at the end of a read only", "server/client_deliver.c",
          (("#define FLUSH_AT      (256 * 1024)", "#define FLUSH_AT      (1 << 28)"),), (LARGE, HUNDRED)),
    Trick("what is pending is sent from 256 KB on, not earlier", "sends from 64 KB on", "server/client_deliver.c",
          (("#define FLUSH_AT      (256 * 1024)", "#define FLUSH_AT      (64 * 1024)"),), (TEN_SAME, ONE_TO_ONE)),
    Trick("a connection is written to once per turn", "writes to it once per run", "server/client_deliver.c",
          (("    conn_touch(conn);\n    check_pending(conn, run);", "    conn_flush(conn);\n    check_pending(conn, run);"),),
          (TEN, QUEUE)),
    Trick("a line like the one before is not parsed again", "parses each", "parser/proto.c",
          (("if (op->verb != PROTO_PUB || input", "if (true || op->verb != PROTO_PUB || input"),),
          (row("publish only, 16 B", "pub -t {t}"), ONE_TO_ONE)),
    Trick("a head like the one before is copied", "formats each", "server/client_deliver.c",
          (("return are_plain && a->data.len", "return false && are_plain && a->data.len"),), (ONE_TO_ONE, TEN)),
    Trick("matches are cached", "asks the index each time", "server/match_cache.c",
          (("return match && slot->tag", "return false && match && slot->tag"),),
          (row("1,000 subscriptions, in no order", "pubsub -t {t} -S 10 -N 1000"),)),
    Trick("a subject that comes once is not remembered", "remembers all", "server/match_cache.c",
          (("if (slot->match && slot->missed_tag", "if (false && slot->match && slot->missed_tag"),),
          (row("100,000 subscriptions, in no order", "pubsub -t {t} -S 10 -N 100000"),)),
    Trick("blocks are kept for the next burst", "frees them", "server/block.c",
          (("    block->next = list->first;\n    list->first = block;\n    list->count++;\n", "    free(block);\n"),),
          (ONE_TO_ONE, HUNDRED, HUNDRED_APART)),
    Trick("workers hand over whole batches", "hands over each message", "server/router.c",
          ((APPENDED, "        i += batch_append(*batch, &sent, &messages[i], 1);\n        if (true)\n"),),
          (CROSSING,)),
    Trick("a run is named once in a batch", "names it with each message", "server/router.c",
          ((APPENDED, "        unsigned done = batch_append(*batch, &sent, &messages[i], 1);\n        i += done;\n"
            "        if (done == 0)\n"),),
          (CROSSING,)),
    Trick("a worker is filled before the next one starts", "spreads connections evenly", "server/options.c",
          (), (row("1:1, 16 B, 2 workers", "pubsub -t {t}", config="max_workers: 2\n", cores=BOTH_CORES),)),
    Trick("TCP_NODELAY", "lets the kernel wait for more", "server/listener.c",
          (("TCP_NODELAY, &on, sizeof on", "TCP_NODELAY, &(int){ 0 }, sizeof(int)"),),
          (row("request/reply, 16 in flight", "reqrep -t {t} -i 16", (Figure("p50_us"),)),)),
    Trick("TLS records are filled", "wraps 1 KB at a time", "server/conn_output.c",
          (("#define RECORD_MAX (16 * 1024)", "#define RECORD_MAX (1 * 1024) "),), (TLS,)),
    Trick("wrapped records are written into memory of the worker", "takes it from the system each time",
          "server/conn_output.c", (("    if (conn->wire.data)\n        return;", "    if (conn)\n        return;"),),
          (TLS, TLS_LARGE)),
    Trick("OpenSSL works on our buffers", "goes through memory BIOs", "tls/engine.c",
          (("SSL_set_bio(engine->ssl, bio, bio);",
            "SSL_set_bio(engine->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));\n    BIO_free(bio);"),
           ("    engine->input = bytes;\n", "    BIO_write(SSL_get_rbio(engine->ssl), bytes.ptr, (int)bytes.len);\n"),
           ("    return result == 1 ? TLS_OPEN :", DRAIN_BIO + "    return result == 1 ? TLS_OPEN :"),
           ("    return &engine->output;\n", DRAIN_BIO + "    return &engine->output;\n")),
          (TLS, TLS_LARGE, MTLS_IDLE)),
    Trick("OpenSSL gives back its buffers", "keeps them", "tls/context.c",
          (("SSL_MODE_RELEASE_BUFFERS | ", ""),), (MTLS_IDLE,)),
    Trick("no session tickets", "sends two", "tls/context.c",
          (("    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);\n", ""),
           ("SSL_CTX_set_num_tickets(ssl, 0)", "SSL_CTX_set_num_tickets(ssl, 2)")),
          (MTLS,)),
    Trick("keys of certificates are decoded directly", "lets OpenSSL search for the decoder", "tls/context.c",
          (("    quick_keys_enable();\n", ""),), (MTLS,)),
    Trick("chains of peers that come again are known", "verifies each again", "tls/context.c",
          (("context->known = known_chains_new();", "context->known = NULL;"),), (MTLS,)),
    Trick("certificates of peers stay as bytes", "has OpenSSL keep them", "tls/engine.c",
          (("        peer_certs_release(engine->ssl);\n", "        (void)peer_certs_release;\n"),), (MTLS_IDLE, MTLS)),
    # no trick, but what it costs is of interest: the table reads the other way round
    Trick("statistics", "counts nothing", "server/stats.h",
          (("    atomic_store_explicit(stat, now + more, memory_order_relaxed);", "    (void)now, (void)more;"),),
          (ONE_TO_ONE, TEN), most=1.05),
]

# what cannot be changed in the sources but in the configuration
CONFIGS = {"a worker is filled before the next one starts": "worker_fill_percent: 0\n"}


# ---- building --------------------------------------------------------------------------------------

def changed(trick, text):
    for old, new in trick.places:
        if text.count(old) != 1:
            sys.exit(f"tricks.py: '{trick.name}': {trick.file} should have this once: {old}")
        text = text.replace(old, new)
    return text


class Workshop:
    """A copy of the sources, in which a trick can be taken out and put back."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        names = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
        for name in names.split("\n")[:-1]:
            copy = self.folder / name
            if not copy.exists() or copy.read_bytes() != (ROOT / name).read_bytes():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy)
        subprocess.run(["cmake", "--preset", "release"], cwd=self.folder, stdout=subprocess.DEVNULL, check=True)
        self.as_it_is = self.build("as-it-is")

    def build(self, name):
        subprocess.run(["cmake", "--build", "--preset", "release"], cwd=self.folder, stdout=subprocess.DEVNULL,
                       check=True)
        binary = self.folder / name
        shutil.copy(self.folder / "build/release/server/vouchd", binary)
        return str(binary)

    def without(self, trick):
        if not trick.places:
            return self.as_it_is
        file = self.folder / trick.file
        text = file.read_text()
        file.write_text(changed(trick, text))
        try:
            return self.build(WITHOUT)
        finally:
            file.write_text(text)


# ---- measuring -------------------------------------------------------------------------------------

def measure(bench, trick, row):
    """The row's first figure: {server: value}."""
    for _ in range(row.rounds or bench.rounds):
        bench.measure(row, OURS)
        extra = CONFIGS.get(trick.name, "")
        bench.measure(Row(row.name, row.load, row.figures, row.config + extra, True, None, row.cores), WITHOUT)
    keys = {name: (row.name, row.figures[0].field, name) for name in (OURS, WITHOUT)}
    bench.values.clear()  # the next trick has another server for this row
    return {name: bench.best.pop(key) for name, key in keys.items()}


def words(trick, row, values):
    unit = row.figures[0].unit
    factor = values[WITHOUT] / values[OURS]
    verdict = ""
    if trick.most:
        verdict = f" (bar: {1 / trick.most:.2f}, {'met' if factor >= 1 / trick.most else 'not met'})"
    return (f"| {trick.name} | {trick.instead} | {row.name} | {report.number(values[OURS], unit)} |"
            f" {report.number(values[WITHOUT], unit)} | {factor:.2f}{verdict} |")


HEAD = """# What each trick is worth

{date}, {cpu}, vouchd at {commit}. Written by `make bench-tricks`: the server as it is and one that was built without
the trick, in turn; best of {rounds} rounds of {seconds:g} s. Above 1 the trick is worth having.

| trick | the other server | scenario | with | without | times |
|---|---|---|---|---|---|
"""


def check():
    for trick in TRICKS:
        changed(trick, (ROOT / trick.file).read_text())
    return 0


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("work")
    parser.add_argument("-o", "--output")
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("-t", "--seconds", type=float, default=0.5)
    parser.add_argument("-k", "--only", default="")
    wanted = parser.parse_args()

    workshop = Workshop(wanted.work)
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        binaries = {OURS: workshop.as_it_is, WITHOUT: ""}
        bench = Bench(find_generator(wanted.build), binaries, Path(folder), wanted.rounds, wanted.seconds)
        for trick in TRICKS:
            if wanted.only not in trick.name:
                continue
            binaries[WITHOUT] = workshop.without(trick)
            for row in trick.rows:
                lines.append(words(trick, row, measure(bench, trick, row)))
                print(lines[-1], flush=True)
    if wanted.output and not wanted.only:
        head = HEAD.format(date=datetime.date.today().isoformat(), cpu=report.machine()["cpu"],
                           commit=report.commit(), rounds=wanted.rounds, seconds=wanted.seconds)
        (Path(wanted.output) / "tricks.md").write_text(head + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
