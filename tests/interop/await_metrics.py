#!/usr/bin/env python3
"""Waits until an exporter shows metrics whose names begin so, and prints them all; fails after ten seconds.

usage: await_metrics.py PORT PREFIX...
"""
import sys
import time
import urllib.error
import urllib.request

PATIENCE_S = 10


def metrics(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return ""  # it does not listen yet


def main():
    port, *prefixes = sys.argv[1:]
    deadline = time.monotonic() + PATIENCE_S
    while True:
        shown = metrics(port)
        missing = [prefix for prefix in prefixes if f"\n{prefix}" not in shown]
        if not missing:
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"{shown}no metric begins with {' or '.join(missing)}")
        time.sleep(0.05)
    print(shown, end="")


if __name__ == "__main__":
    main()
