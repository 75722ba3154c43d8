#!/usr/bin/env python3
"""A client that subscribes, answers PING, and does nothing else until it is killed or left alone.

usage: idle_client.py PORT NAME SUBJECT
"""
import json
import socket
import sys


def main():
    port, name, subject = sys.argv[1:]
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        options = {"name": name, "lang": "python", "version": "1.0.0", "verbose": False}
        connection.sendall(f"CONNECT {json.dumps(options)}\r\nSUB {subject} 1\r\n".encode())
        for line in connection.makefile("rb"):
            if line.startswith(b"PING"):
                connection.sendall(b"PONG\r\n")


if __name__ == "__main__":
    main()
