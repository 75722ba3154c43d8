#!/usr/bin/env python3
"""Waits until somebody has subscribed to a subject, as /connz tells; fails after ten seconds.

usage: await_subscription.py MONITOR_PORT SUBJECT
"""
import json
import sys
import time
import urllib.request

PATIENCE_S = 10


def subjects(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/connz?subs=1", timeout=PATIENCE_S) as answer:
        connections = json.load(answer)["connections"]
    return [subject for one in connections for subject in one.get("subscriptions_list", [])]


def main():
    port, subject = sys.argv[1:]
    deadline = time.monotonic() + PATIENCE_S
    while subject not in subjects(port):
        if time.monotonic() > deadline:
            raise SystemExit(f"nobody has subscribed to {subject}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
