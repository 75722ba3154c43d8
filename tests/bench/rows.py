"""What is measured: one row per scenario, and the bar that vouchd has to clear.

A row starts a fresh server, lets the generator load it, and takes some figures from what that says. Of several
rounds the best figure of each server counts: a disturbance only ever adds. Of the difference of two measurements, which
it may lessen as well, it is the median."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median

KIB = 1024
MAKE_CERTS = Path(__file__).parent.parent / "certs" / "make.sh"


@dataclass(frozen=True)
class Figure:
    """One number of a run. `times`: the best nats-server takes at least so many times as much as vouchd;
    `most` and `least` bound vouchd's own figure."""
    field: str
    unit: str = "us"
    what: str = ""
    times: float | None = None
    most: float | None = None
    least: float | None = None
    choose: object = min  # from the rounds


@dataclass(frozen=True)
class Row:
    name: str
    load: object  # arguments of the generator, or a function of a session with a server
    figures: tuple
    config: str = ""
    ours_only: bool = False
    rounds: int | None = None  # fewer where every run gives the same
    cores: tuple = ("0", "1")  # of the server and of the generator
    undisturbed: bool = False  # no other program has the server's core before it


def cpu(times=None):
    return (Figure("cpu_us_per_message", times=times),)


def per_delivery(times):
    return (Figure("cpu_us_per_delivery", times=times),)


def requests(times):
    return (Figure("cpu_us_per_message", times=times), Figure("p50_us", what="p50", times=1),
            Figure("p99_us", what="p99"))


def idle(most):
    return (Figure("rss_grown_per_message", "bytes", most=most),)


def churn(session):
    """The same traffic alone and with subscriptions that come and go; the difference is what these cost."""
    alone = session.run("pubsub -t {t}")
    busy = session.run("pubsub -t {t} --churn 1000")
    extra_us = busy["cpu_s"] * 1e6 - busy["messages"] * alone["cpu_us_per_message"]
    return busy | {"us_per_churn": extra_us / max(busy["churned"], 1),
                   "speed_kept": busy["messages_per_s"] / alone["messages_per_s"]}


def certificates(folder):
    subprocess.run(["sh", str(MAKE_CERTS), str(folder)], check=True, stdout=subprocess.DEVNULL)
    return folder


def words_of(certs, seconds, long):
    """What the braces in a row's load stand for: the time of a run, and of one that needs many messages for its
    percentiles; the options of a TLS client without and with a certificate."""
    tls = f"--tls --ca {certs}/ca.pem"
    return {"t": seconds, "long": long, "tls": tls,
            "mtls": f"{tls} --cert {certs}/client-good.pem --key {certs}/client-good.key"}


def config_of(config, certs):
    """What stands in the server's configuration for the one of a row."""
    cert = f'cert_file: "{certs}/server.pem", key_file: "{certs}/server.key", timeout: 10'
    blocks = {"tls": f"tls {{ {cert} }}\n",
              "mtls": f'tls {{ {cert}, ca_file: "{certs}/ca.pem", verify: true }}\n'}
    return blocks.get(config, config)


COMPARED = [
    Row("publish only, 16 B", "pub -t {t} -s 16", cpu(4)),
    Row("publish only, 128 B", "pub -t {t} -s 128", cpu(4)),
    Row("1:1, 16 B", "pubsub -t {t} -s 16", cpu(5)),
    Row("1:1, 128 B", "pubsub -t {t} -s 128", cpu(4.5)),
    Row("1:1, 1 KB", "pubsub -t {t} -s 1024", cpu(2.5)),
    Row("1:1, 16 KB", "pubsub -t {t} -s 16384", cpu(2)),
    Row("1:1, 64 KB", "pubsub -t {t} -s 65536", cpu(3.5)),
    Row("fan-out 10, same sid", "pubsub -t {t} -S 10 --same-sids", per_delivery(10)),
    Row("fan-out 100, same sid", "pubsub -t {t} -S 100 --same-sids", per_delivery(12)),
    Row("fan-out 10, distinct sids", "pubsub -t {t} -S 10", per_delivery(4)),
    Row("fan-out 100, distinct sids", "pubsub -t {t} -S 100", per_delivery(4)),
    Row("10:1, 16 B", "pubsub -t {t} -P 10", cpu(5)),
    Row("queue group of 10, 16 B", "pubsub -t {t} -S 10 -q workers", cpu(4)),
    Row("request/reply, 1 in flight", "reqrep -t {t}", requests(1.5)),
    Row("request/reply, 16 in flight", "reqrep -t {t} -i 16", requests(2)),
    Row("100,000 subscriptions", "pubsub -t {t} -S 10 -N 100000",
        (*cpu(5), Figure("cpu_us_per_subscription", what="to subscribe"),
         Figure("rss_per_subscription", "bytes", "each"))),
    Row("subscriptions come and go", churn,
        (Figure("us_per_churn", what="SUB and UNSUB", times=3, choose=median),
         Figure("speed_kept", "of its speed", "traffic keeps", least=0.5, choose=max))),
    Row("connect, PONG, close", "conn -t {t} -i 16", cpu(3)),
    Row("TLS 1:1, 1 KB", "pubsub -t {t} -s 1024 {tls}", cpu(2.5), config="tls"),
    Row("TLS 1:1, 16 KB", "pubsub -t {t} -s 16384 {tls}", cpu(2.5), config="tls"),
    Row("handshake, TLS P-256", "conn -t {t} {tls}", cpu(2), config="tls"),
    Row("handshake, mTLS P-256", "conn -t {t} {mtls}", cpu(1.25), config="mtls"),
    Row("handshake, TLS P-256, 16 at a time", "conn -t {t} -i 16 {tls}", cpu(), config="tls"),
    Row("handshake, mTLS P-256, 16 at a time", "conn -t {t} -i 16 {mtls}", cpu(), config="mtls"),
    Row("idle connection", "idle -c 5000 --bare", idle(2 * KIB), rounds=1),
    Row("idle connection, 1 SUB", "idle -c 5000", idle(2.3 * KIB), rounds=1),
    Row("idle connection, mTLS", "idle -c 1000 --bare {mtls}", idle(22 * KIB), config="mtls", rounds=1),
    Row("10,000 messages/s", "pace -r 10000 -s 128 -t {long}",
        (Figure("p50_us", what="p50"), Figure("p99_us", what="p99"), Figure("p999_us", what="p99.9", times=1)),
        undisturbed=True),
]

USERS = """authorization {{ users: [ {{ user: "pub", password: "load" {} }}, {{ user: "sub", password: "load" {} }} ] }}
"""
FREE = USERS.format("", "")
BOUND = USERS.format(
    ', permissions: { publish: { allow: ["load.>", "other.*"], deny: ["load.secret.>"] } }',
    ', permissions: { subscribe: { allow: ["load.>", "other.*"], deny: ["load.secret"] } }')
AS_USERS = "pubsub -t {t} --publisher pub --subscriber sub --pattern load.*"
MIX = "pubsub -t {t} -P 10 -S 10"
BUSIEST = (Figure("busiest_thread_us_per_message"), Figure("cpu_us_per_message", what="all threads"))


def workers(count):
    return Row(f"10 publishers, 10 subscribers, workers: {count}", MIX, BUSIEST,
               f"max_workers: {count}\nworker_fill_percent: 0\n", ours_only=True, cores=("0,1", "0,1"))


def connected(count):
    return Row(f"1:1, 16 B, connections: {count:,}", f"pubsub -t {{t}} --bystanders {count - 2}", cpu(),
               ours_only=True)


def subscribed(count, most=None):
    return Row(f"subscriptions: {count:,}", f"pubsub -t {{t}} -S 10 -N {count}",
               (*cpu(), Figure("rss_per_subscription", "bytes", "each", most=most)), ours_only=True)


OURS_ALONE = [
    Row("1:1, 16 B, users without permissions", AS_USERS, cpu(), FREE, ours_only=True),
    Row("1:1, 16 B, permissions at both ends", AS_USERS, cpu(), BOUND, ours_only=True),
    workers(1), workers(2),
    connected(10), connected(100), connected(1000), connected(10000),
    subscribed(1000), subscribed(10000), subscribed(100000), subscribed(1000000, most=150),
]

ROWS = COMPARED + OURS_ALONE


@dataclass(frozen=True)
class Conclusion:
    """vouchd compared with itself: one figure over another."""
    name: str
    over: str  # name of the row, whose first figure counts
    under: str
    most: float | None = None
    least: float | None = None


CONCLUSIONS = [
    Conclusion("permissions at both ends, to none", "1:1, 16 B, permissions at both ends",
               "1:1, 16 B, users without permissions", most=1.15),
    Conclusion("two workers move, to one", "10 publishers, 10 subscribers, workers: 1",
               "10 publishers, 10 subscribers, workers: 2", least=1.6),
    Conclusion("10,000 connections, to 10", "1:1, 16 B, connections: 10,000", "1:1, 16 B, connections: 10",
               most=1.15),
    Conclusion("1,000,000 subscriptions, to 100,000", "subscriptions: 1,000,000", "subscriptions: 100,000", most=2),
]
