#!/usr/bin/env python3
"""Compares what -t says about configurations with what a nats-server says about them.

usage: compare_config.py VOUCHD NATS_SERVER

The texts are those of config_texts.txt, and every form of ocsp_peer in every tls block. Sentences, places and
their order must be the same. Behind "! " stands a text where ours differs deliberately, and must.
"""
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

TEXTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "config_texts.txt")
PLACES = ("tls {%s}", "websocket {tls {%s}}", "mqtt {tls {%s}}", "leafnodes {tls {%s}}",
          "leafnodes {remotes: [{tls {%s}}]}", "cluster {tls {%s}}", "gateway {name: g, tls {%s}}",
          "resolver_tls {%s}")
WRONG_BOOLS = ("5", "1.5", '"true"', "[]", "{}")
WRONG_TIMES = ("true", "[]", "{}", "2024-01-01T00:00:00Z", '"abc"', '"5"', '"1x"', '""', '"1 s"', '"-"')
GOOD_TIMES = ("5", "1.5", "1500ms", '"1m"', "1m", '".5s"', '"1.s"', '"5µs"', '"5μs"', "0", '"0"', "-1", '"-1s"')
BOOLS = ("verify", "warn_only", "unknown_is_good", "allow_when_ca_unreachable")
TIMES = ("ca_timeout", "allowed_clockskew", "cache_ttl_when_next_update_unset")


def ocsp_peers():
    yield from ("5", "1.5", '"true"', "[]", "false", "{}", "{foo: 5}", "{Foo: 5}")
    for name in BOOLS:
        yield from (f"{{{name}: {value}}}" for value in WRONG_BOOLS + ("false",))
    for name in TIMES:
        yield from (f"{{{name}: {value}}}" for value in WRONG_TIMES + GOOD_TIMES)


def texts():
    """Each text, and whether the answers must be the same."""
    with open(TEXTS, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield line.removeprefix("! ").replace("\\n", "\n"), not line.startswith("! ")
    for place in PLACES:
        for value in ocsp_peers():
            yield place % f"ocsp_peer: {value}", True


def said(binary, text):
    """The problems that -t tells, without what is known to differ everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "gate.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        run = subprocess.run([binary, "-t", "-c", "gate.conf"], cwd=folder, capture_output=True, text=True,
                             timeout=60, check=False)
    output = re.sub(rf"(?m)^{os.path.basename(binary)}: |, did you mean .*", "", run.stderr)
    ignored = r"is valid \(sha256|runtime error: |is not available in this version|websocket requires TLS|" \
              r"^\"ocsp_peer\" has no effect|cluster listener ignored|\"gateway\" configuration ignored|gateways are not supported"
    return [line for line in output.splitlines() if line and not re.search(ignored, line)]


def compare(job):
    """What is wrong, or None."""
    text, same = job
    ours, theirs = (said(os.path.realpath(binary), text) for binary in sys.argv[1:3])
    if (ours == theirs) == same:
        return None
    return f"{text}\n  vouchd says {ours}\n  nats-server says {theirs}" if same else f"{text}\n  no longer differs"


def main():
    jobs = list(texts())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failures = [failure for failure in pool.map(compare, jobs) if failure]
    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(jobs)} configurations, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
