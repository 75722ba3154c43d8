#!/usr/bin/env python3
"""Compares the answers of the monitoring port with those of a nats-server: their members and JSON types.

usage: compare.py VOUCHD NATS_SERVER

Both servers run the same configuration and serve the same clients. What the other server has and ours lacks
is a failure unless EXCUSED names it with a reason: then it is listed as skipped. What only ours has is told.
"""
import json
import re
import socket
import sys
import time

from server import PATIENCE_S, Server

CONFIG = """
listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
server_name: compared
authorization { users: [ { user: alice, password: pw } ] }
"""
PATHS = (
    "/varz", "/connz", "/connz?subs=1&auth=1", "/connz?subs=detail", "/connz?state=closed&auth=1",
    "/connz?state=any&limit=1&offset=1", "/connz?cid=424242", "/subsz", "/subsz?subs=1",
    "/subsz?test=orders.new&subs=1", "/leafz", "/routez", "/gatewayz", "/accountz", "/accstatz?unused=1",
    "/jsz", "/healthz", "/healthz?js-enabled-only=true",
)
# objects whose members are names that differ from server to server
MAPS = ("http_req_stats", "metadata", "feature_flags")
# a pattern of "path member", and why it may be missing
EXCUSED = (
    ("/varz feature_flags", "they name features of the other server's storage"),
    ("/leafz leafs", "an empty list is [] since nats-server 2.10, it was null before"),
)


class Client:
    """A connection that has logged in and done something of everything that is counted."""

    def __init__(self, port, name):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.lines = self.socket.makefile("rb")
        options = {"user": "alice", "pass": "pw", "name": name, "lang": "python", "version": "1.0.0",
                   "protocol": 1, "headers": True, "no_responders": True, "verbose": False}
        self.lines.readline()
        self.send(f"CONNECT {json.dumps(options)}\r\nSUB orders.* 1\r\nSUB jobs team 2\r\nUNSUB 2 5\r\n"
                  "PUB orders.new 5\r\nhello\r\nPUB jobs 3\r\njob\r\nPING\r\n")
        while self.lines.readline() not in (b"PONG\r\n", b""):
            pass

    def send(self, text):
        self.socket.sendall(text.encode())

    def close(self):
        self.socket.shutdown(socket.SHUT_WR)
        while self.lines.read(4096):
            pass
        self.lines.close()
        self.socket.close()


def kind(value):
    """The JSON type."""
    for types, name in ((bool, "boolean"), ((int, float), "number"), (str, "string"), (list, "array"),
                        (dict, "object")):
        if isinstance(value, types):
            return name
    return "null"


def shape(value, name="", into=None):
    """The set of all members, each with its types: {"connections[].cid": {"number"}, ...}."""
    into = {} if into is None else into
    into.setdefault(name, set()).add(kind(value))
    if isinstance(value, dict):
        for key, member in value.items():
            is_map = name.rsplit(".", 1)[-1] in MAPS
            shape(member, f"{name}.*" if is_map else f"{name}.{key}".lstrip("."), into)
    elif isinstance(value, list):
        for member in value:
            shape(member, f"{name}[]", into)
    return into


def answers(binary, is_ours):
    """What this server answers to every path, while it serves two clients and remembers a third."""
    with Server(binary, is_ours, CONFIG) as server:
        clients = [Client(server.port, name) for name in ("one", "two", "gone")]
        clients.pop().close()
        deadline = time.monotonic() + PATIENCE_S
        while server.varz()["connections"] != 2:  # the third has ended
            if time.monotonic() > deadline:
                raise SystemExit(f"{binary} does not notice that a client has gone")
        result = {path: server.ask(path) for path in PATHS}
        for client in clients:
            client.close()
        return result


def excuse(text):
    return next((reason for pattern, reason in EXCUSED if re.fullmatch(pattern, text)), None)


def compare(path, ours, theirs, report):
    if ours[0] != theirs[0]:
        report(f"{path} status", f"is {ours[0]}, there it is {theirs[0]}")
        return
    ours, theirs = shape(json.loads(ours[1])), shape(json.loads(theirs[1]))
    for member in sorted(theirs):
        if member not in ours:
            # what lies below a missing member is missing, too: say it once
            if member.rpartition(".")[0] in ours or "." not in member:
                report(f"{path} {member}", "is missing")
        elif ours[member] != theirs[member]:
            report(f"{path} {member}", f"is {'/'.join(sorted(ours[member]))}, there it is "
                                       f"{'/'.join(sorted(theirs[member]))}")
    for member in sorted(set(ours) - set(theirs)):
        print(f"note: only here: {path} {member}")


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.split("\n\n")[1])
    ours, theirs = answers(sys.argv[1], True), answers(sys.argv[2], False)
    failures = []

    def report(what, difference):
        reason = excuse(what)
        print(f"skipped: {what} {difference}: {reason}" if reason else f"FAILED: {what} {difference}")
        if not reason:
            failures.append(what)

    for path in PATHS:
        compare(path, ours[path], theirs[path], report)
    print(f"{len(PATHS)} answers compared, {len(failures)} differences")
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
