#!/usr/bin/env python3
"""Compares what two servers tell in the system account: the same subscriber, the same small load, the same requests.

usage: compare_system.py VOUCHD NATS_SERVER

Compared are the order of the messages, their subjects, and in each of them the members, their order and their JSON
types; of errors also the text. A difference is a failure unless EXCUSED names it with a reason.
"""
import json
import re
import socket
import sys
import time

from compare import kind
from server import PATIENCE_S, Server

CONFIG = """
listen: "127.0.0.1:-1"
server_name: compared
server_tags: ["Edge"]
server_metadata { rack: "7" }
accounts {
  $SYS { users: [ { user: sys, password: pw } ] }
  APP { users: [ { user: alice, password: pw },
                 { user: bob, password: pw, permissions: { publish: ["$SYS.REQ.>"], subscribe: "_INBOX.>" } } ]
        exports: [ { service: "help.*", latency: latencies }, { stream: "news.>" } ] }
  OTHER { users: [ { user: oscar, password: pw } ]
          imports: [ { service: { account: APP, subject: "help.*" } } ] }
}
"""
QUIET_S = 1.0  # without a message: nothing more will come

# a pattern of "where member", and why it may differ
EXCUSED = (
    (r"feature_flags", "they name features of the other server's storage"),
    (r"EXPVARZ .*(memstats|cmdline)", "they are about Go's memory"),
    (r"IPQUEUESZ .*", "they are about the other server's inside"),
    (r"CONNZ .*rtt", "it may not have been measured yet"),
    (r"ACCOUNT\.NO\.CONNZ .*connections", "no account, no connections: a list without members, not null"),
    (r"SUBSZ .*subscriptions_list", "the first of the list may be another one"),
)
# what each client asks; %ID% and %CID% are replaced
REQUESTS = (
    ("$SYS.REQ.SERVER.PING", ""), ("$SYS.REQ.SERVER.PING", "{}"), ("$SYS.REQ.SERVER.PING.STATSZ", ""),
    ("$SYS.REQ.SERVER.PING.STATZ", ""), ("$SYS.REQ.SERVER.PING.IDZ", "{bad"), ("$SYS.REQ.SERVER.%ID%.IDZ", ""),
    ("$SYS.REQ.SERVER.compared.IDZ", ""), ("$SYS.REQ.SERVER.PING.KICK", "{}"),
    *(("$SYS.REQ.SERVER.PING." + name, body) for name in (
        "VARZ", "CONNZ", "SUBSZ", "LEAFZ", "ACCOUNTZ", "HEALTHZ", "ROUTEZ", "GATEWAYZ", "JSZ", "IPQUEUESZ", "RAFTZ",
        "PROFILEZ", "EXPVARZ") for body in ("", '{"server_name":"elsewhere"}', "{bad", "[]", "{")),
    *(("$SYS.REQ.SERVER.PING.CONNZ", body) for body in (
        '{"auth":true,"subscriptions":true}', '{"subscriptions_detail":true,"auth":true}', '{"state":1}',
        '{"state":2,"auth":true}', '{"acc":"APP"}', '{"user":"alice"}', '{"sort":"zzz"}', '{"limit":"x"}',
        '{"cid":-1}', '{"limit":1.5}', '{"auth":1}', '{"sort":"stop"}', '{"sort":1}',
        '{"filter_subject":"x"}', '{"filter_subject":"orders.new","acc":"APP","subscriptions":true}',
        '{"filter_subject":"none","acc":"APP"}', '{"offset":-1,"limit":0}', '{"state":"open"}', "null", "5", " ",
        '{"limit":9223372036854775807,"offset":9223372036854775807}', '{"a":}', '{"a":1,}', "{}x")),
    *(("$SYS.REQ.SERVER.PING.VARZ", body) for body in (
        '{"tags":["edge"]}', '{"tags":["EDGE"]}', '{"tags":["a"]}', '{"tags":"a"}', '{"host":"127"}',
        '{"host":"127","exact_match":true}', '{"domain":"x"}', '{"cluster":"x"}', '{"server_name":"ompar"}',
        '{"server_name":"compared","exact_match":true}')),
    ("$SYS.REQ.SERVER.PING.SUBSZ", '{"subscriptions":true,"account":"APP","test":"orders.new"}'),
    ("$SYS.REQ.SERVER.PING.SUBSZ", '{"test":"a.*"}'), ("$SYS.REQ.SERVER.PING.ACCOUNTZ", '{"account":"APP"}'),
    ("$SYS.REQ.SERVER.PING.ACCOUNTZ", '{"account":"NO"}'), ("$SYS.REQ.SERVER.PING.ACCOUNTZ", '{"account":5}'),
    ("$SYS.REQ.SERVER.PING.HEALTHZ", '{"stream":"s"}'), ("$SYS.REQ.SERVER.PING.HEALTHZ", '{"details":true}'),
    ("$SYS.REQ.SERVER.PING.JSZ", '{"leader_only":true}'), ("$SYS.REQ.SERVER.PING.PROFILEZ", '{"name":"nope"}'),
    *((f"$SYS.REQ.ACCOUNT.{account}.{name}", "") for account in ("APP", "OTHER", "NO") for name in (
        "CONNZ", "SUBSZ", "LEAFZ", "JSZ", "INFO", "STATZ", "CONNS")),
    ("$SYS.REQ.ACCOUNT.PING.STATZ", ""), ("$SYS.REQ.ACCOUNT.NO.STATZ", '{"include_unused":true}'),
    ("$SYS.REQ.ACCOUNT.PING.STATZ", '{"accounts":["APP","OTHER"],"include_unused":true}'),
    ("$SYS.REQ.USER.INFO", ""), ("$SYS.REQ.SERVER.%ID%.KICK", '{"cid":424242}'), ("$SYS.REQ.SERVER.%ID%.KICK", "x"),
    ("$SYS.REQ.SERVER.%ID%.LDM", '{"cid":424242}'), ("$SYS.REQ.SERVER.%ID%.LDM", '{"cid":%CID%}'),
    ("$SYS.REQ.SERVER.%ID%.RELOAD", ""), ("$SYS.REQ.SERVER.%ID%.RELOAD", "{bad"),
    ("$SYS.REQ.SERVER.%ID%.KICK", '{"cid":%CID%}'),
)
USER_REQUESTS = ("$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.ACCOUNT.PING.CONNZ",
                 "$SYS.REQ.ACCOUNT.PING.STATZ", "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.APP.CONNZ")


class Client:
    """A connection that reads messages."""

    def __init__(self, port, user, password="pw"):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.bytes = b""
        self.info = json.loads(self.line()[5:])
        self.login(user, password)

    def login(self, user, password="pw"):
        options = {"user": user, "pass": password, "name": "n", "lang": "python", "version": "1.0.0", "protocol": 1,
                   "headers": True, "no_responders": True, "verbose": False}
        self.send(f"CONNECT {json.dumps(options)}\r\n")

    def send(self, text):
        self.socket.sendall(text.encode())

    def more(self):
        got = self.socket.recv(1 << 16)
        if not got:
            raise EOFError
        self.bytes += got

    def take(self, size):
        while len(self.bytes) < size:
            self.more()
        taken, self.bytes = self.bytes[:size], self.bytes[size:]
        return taken

    def line(self):
        while b"\n" not in self.bytes:
            self.more()
        return self.take(self.bytes.index(b"\n") + 1).decode()

    def barrier(self):
        """Waits until the server has done all that was sent."""
        self.send("PING\r\n")
        while self.line() != "PONG\r\n":
            pass

    def request(self):
        """The reply subject of the next message."""
        while True:
            words = self.line().split()
            if words[0] in ("MSG", "HMSG"):
                self.take(int(words[-1]) + 2)
                return words[3]

    def message(self, patience_s):
        """(subject, headers, payload) of the next message; None when none comes in time."""
        self.socket.settimeout(patience_s)
        try:
            while True:
                words = self.line().split()
                if words[0] == "PING":
                    self.send("PONG\r\n")
                if words[0] in ("MSG", "HMSG"):
                    size = int(words[-1])
                    headers = int(words[-2]) if words[0] == "HMSG" else 0
                    data = self.take(size + 2)[:size]
                    return words[1], data[:headers].decode(), data[headers:].decode()
        except (TimeoutError, EOFError, ConnectionError):
            return None
        finally:
            self.socket.settimeout(PATIENCE_S)

    def close(self):
        self.socket.shutdown(socket.SHUT_WR)
        try:
            while True:
                self.more()
        except (EOFError, ConnectionError):
            self.socket.close()


def shape(value, name=""):
    """All members in their order, each with its type; of lists the member that says most stands for all."""
    lines = [f"{name}: {kind(value)}"]
    if isinstance(value, dict):
        for key, member in value.items():
            lines += shape(member, f"{name}.{key}".lstrip("."))
    elif isinstance(value, list) and value:
        lines += max((shape(member, f"{name}[]") for member in value), key=len)
    return lines


def described(payload, headers):
    """A payload as a list of lines that can be compared."""
    if "503" in headers:
        return ["no responders"]
    if not payload:
        return ["empty"]
    value = json.loads(payload)
    lines = shape(value)
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(error, dict):
        lines.append(f"{error['code']} {error['description']}")
    return lines


def collect(client, until, ids):
    """The messages up to one whose subject ends so, as (subject, lines), without STATSZ, which comes when it wants."""
    found = []
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        message = client.message(QUIET_S)
        if message is None:
            break
        subject, headers, payload = message
        for text, name in ids.items():
            subject = subject.replace(text, name)
        if not subject.endswith(".STATSZ"):
            found.append((subject, described(payload, headers)))
        if until and subject.endswith(until):
            break
    return found


def play_events(server, found):
    sys_client = Client(server.port, "sys")
    ids = {sys_client.info["server_id"]: "ID"}
    sys_client.send("SUB $SYS.SERVER.> 1\r\nSUB $SYS.ACCOUNT.> 2\r\n")
    sys_client.barrier()
    collect(sys_client, None, ids)  # its own arrival, which may be told late
    alice = Client(server.port, "alice")
    alice.send("SUB orders.* 1\r\nPUB orders.new 2\r\nhi\r\n")
    alice.barrier()
    found["a client comes"] = collect(sys_client, ".CONNECT", ids)
    stranger = Client(server.port, "alice", "wrong")
    found["a client is refused"] = collect(sys_client, ".DISCONNECT", ids)
    stranger.close()
    silent = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)
    silent.recv(1 << 16)
    silent.close()
    found["a peer says nothing"] = collect(sys_client, ".DISCONNECT", ids)
    alice.login("oscar")
    found["a client logs in again"] = collect(sys_client, ".CONNECT", ids)
    alice.close()
    found["a client goes"] = collect(sys_client, ".DISCONNECT", ids)
    return sys_client, ids


def play_latencies(server, found):
    listener, responder, requester = (Client(server.port, user) for user in ("alice", "alice", "oscar"))
    listener.send("SUB latencies 1\r\n")
    responder.send("SUB help.me 1\r\n")
    requester.send("SUB inbox 1\r\n")
    for client in (listener, responder, requester):
        client.barrier()
    for where, request in (("an answered request", "PUB help.me inbox 2\r\nhi\r\n"),
                           ("a request without responder", "PUB help.you inbox 2\r\nhi\r\n"),
                           ("a request without reply", "PUB help.me 2\r\nhi\r\n")):
        requester.send(request)
        requester.barrier()
        if where == "an answered request":
            reply = responder.request()
            responder.send(f"PUB {reply} 2\r\nok\r\n")
        found[f"latency of {where}"] = collect(listener, "latencies", {})


def play_requests(server, found):
    asking = Client(server.port, "sys")
    asking.send("SUB _INBOX.> 1\r\n")
    alice = Client(server.port, "alice")
    alice.send("SUB orders.* 1\r\nSUB jobs team 2\r\n")
    alice.barrier()
    for subject, body in REQUESTS:
        where = f"{subject} {body}"
        subject = subject.replace("%ID%", asking.info["server_id"])
        body = body.replace("%CID%", str(alice.info["client_id"]))
        asking.send(f"PUB {subject} _INBOX.a {len(body)}\r\n{body}\r\n"
                    "PUB $SYS.REQ.SERVER.PING.IDZ _INBOX.end 0\r\n\r\n")
        # the answers of requests that wait for workers may come behind the end
        answers = collect(asking, "_INBOX.end", {})
        if answers == [("_INBOX.end", answers[-1][1])]:
            answers += collect(asking, "_INBOX.a", {})
        found[where] = [lines for subject, lines in answers if subject == "_INBOX.a"]
    bob = Client(server.port, "bob")
    bob.send("SUB _INBOX.> 1\r\n")
    for subject in USER_REQUESTS:
        bob.send(f"PUB {subject} _INBOX.a 0\r\n\r\n")
        found[f"bob asks {subject}"] = collect(bob, "_INBOX.a", {})


def play(binary, is_ours):
    found = {}
    with Server(binary, is_ours, CONFIG) as server:
        sys_client, ids = play_events(server, found)
        sys_client.close()
        play_requests(server, found)
        play_latencies(server, found)
        last = Client(server.port, "sys")
        last.send("SUB $SYS.SERVER.*.SHUTDOWN 1\r\n")
        last.barrier()
        server.process.terminate()
        found["the end"] = collect(last, ".SHUTDOWN", ids | {last.info["server_id"]: "ID"})
    return found


def is_excused(where, line):
    return next((reason for pattern, reason in EXCUSED if re.search(pattern, f"{where} {line}")), None)


def differences(where, ours, theirs):
    """Lines of which only one has it, and whether the rest stands in the same order."""
    flat = [[line for entry in side for line in ([entry] if isinstance(entry, str) else
                                                 [entry[0], *entry[1]] if isinstance(entry, tuple) else entry)]
            for side in (ours, theirs)]
    kept = [[line for line in side if not is_excused(where, line)] for side in flat]
    for line in sorted(set(kept[1]) - set(kept[0])):
        yield f"lacks '{line}'"
    for line in sorted(set(kept[0]) - set(kept[1])):
        yield f"has '{line}'"
    if kept[0] != kept[1] and set(kept[0]) == set(kept[1]):
        yield f"has another order: {kept[0]} instead of {kept[1]}"


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__.split("\n\n")[1])
    ours, theirs = play(sys.argv[1], True), play(sys.argv[2], False)
    failures = 0
    for where, messages in theirs.items():
        for difference in differences(where, ours[where], messages):
            print(f"FAILED: {where}: {difference}")
            failures += 1
    for pattern, reason in EXCUSED:
        print(f"skipped: {pattern}: {reason}")
    print(f"{len(theirs)} steps compared, {failures} differences")
    raise SystemExit(1 if failures else 0)


if __name__ == "__main__":
    main()
