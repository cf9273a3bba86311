# SPDX-License-Identifier: Apache-2.0
"""Reads N streams of events of a console, as the page in N browsers does, in a process of its own, until its standard input ends.
Browsers run on other machines, so this process gives way to the programs that are measured.

browsers.py HOST PORT COOKIE N; then prints how many rows came, and how many the console said it left out."""
import json
import os
import selectors
import socket
import sys

BEGIN = b'data: {"left_out":'
TAKEN = memoryview(bytearray(1 << 18))


class Stream:
    def __init__(self, host, port, cookie):
        self.text = bytearray()
        self.sock = socket.create_connection((host, port), 60)
        self.sock.sendall(f"GET /api/live HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())

    def take(self):
        """False: the console has closed it."""
        n = self.sock.recv_into(TAKEN)
        self.text += TAKEN[:n]
        return n > 0

    def count(self):
        """Rows, and how many were left out. Read at the end: it would disturb what is measured."""
        messages = [json.loads(line.removeprefix(b"data: ")) for line in self.text.split(b"\n") if line.startswith(BEGIN)]
        return sum(len(m["rows"]) for m in messages), sum(m["left_out"] for m in messages)


def main():
    host, port, cookie, n = sys.argv[1:]
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    streams = [Stream(host, int(port), cookie) for _ in range(int(n))]
    wait = selectors.DefaultSelector()
    wait.register(sys.stdin, selectors.EVENT_READ)
    for stream in streams:
        wait.register(stream.sock, selectors.EVENT_READ, stream)
    print("ready", flush=True)
    while True:
        for key, _ in wait.select():
            if key.data is None:
                rows, left_out = map(sum, zip(*(s.count() for s in streams)))
                print(json.dumps({"rows": rows, "left_out": left_out}), flush=True)
                return
            if not key.data.take():
                sys.exit("the console has closed a stream")


if __name__ == "__main__":
    main()
