# SPDX-License-Identifier: Apache-2.0
"""The console: its memory with 20 and with 200 browsers, and what 20 browsers cost the deliveries.

Browsers are streams of events that a process of its own reads, as the page does; it shares the machine, with the lowest priority. Deliveries are timed from
the publish to the arrival of the request, by one clock, in alternating rounds with and without browsers. A percentile is that of the deliveries of all
rounds: the p99 of one round of 2,000 varies by a fifth.
"""
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from lab.console import Console
from lab.process import Process, wait_until
from lab.receiver import Answer
from lab.stream import Stream, event, subject

RATE = 200
SECONDS = int(os.environ.get("BENCH_SECONDS", "10"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
DATA = {"FullFormattedMessage": "x" * 1000, "Vm": {"Name": "web-1"}, "UserName": "olga", "Rest": "y" * 600}
HEADERS = {"Content-Type": "application/cloudevents+json"}
MOST = 1.1


class Bench:
    def __init__(self, lab):
        self.lab, self.server, self.key = lab, lab.nats(), 0
        self.sent, self.acked, self.arrived = {}, {}, {}
        self.stream = Stream(lab, self.server)
        self.stream.make_stream()
        self.console = lab._keep(Console(lab.directory, self.server)).start().wait_ready()
        self.cookie = self.console.login().cookie

    def dispatcher(self):
        def answer(request):
            self.arrived[request.headers["ce-eventkey"]] = request.at
            return Answer(202)
        receiver = self.lab.receiver(answer, keep=False)
        self.lab.dispatcher(self.stream.config(receiver.url, knative={"encoding": "binary"})).wait_ready()

    def browsers(self, n):
        readers = Process(f"browsers{n}", [sys.executable, Path(__file__).with_name("browsers.py"), "127.0.0.1", self.console.port, self.cookie, n],
                          self.lab.directory, stdin=subprocess.PIPE).start()
        wait_until(lambda: "ready" in readers.text(), 60, "the browsers watch")
        return readers

    def closed(self, readers):
        """What they have read."""
        readers.process.stdin.close()
        readers.wait()
        return json.loads(readers.text().splitlines()[-1])

    def publish(self, seconds):
        """At RATE, each event after the PubAck of the one before. The keys of the events."""
        wire, keys, begin = self.server.connect(), [], time.monotonic()
        wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a request is several small pieces; without it each takes 40 ms
        for i in range(RATE * seconds):
            time.sleep(max(0, begin + i / RATE - time.monotonic()))
            self.key += 1
            self.sent[str(self.key)] = time.time()
            wire.request(subject("VmPoweredOnEvent"), event(self.key, data=DATA), {**HEADERS, "Nats-Msg-Id": f"uuid/{self.key}/1"})
            self.acked[str(self.key)] = time.time()
            keys.append(str(self.key))
        wire.close()
        return keys

    def memory(self, n):
        """MiB at most, and the share of the rows that the browsers got."""
        readers, peak, ended = self.browsers(n) if n else None, 0, threading.Event()
        publisher = threading.Thread(target=lambda: (self.publish(SECONDS), ended.set()))
        publisher.start()
        while not ended.wait(0.1):
            peak = max(peak, self.console.rss())
        publisher.join()
        got = self.closed(readers) if readers else None
        return peak / 2**20, got["rows"] / (n * RATE * SECONDS) if got else None

    def delivery(self, n):
        """Seconds from the publish to the arrival, sorted."""
        readers = self.browsers(n) if n else None
        keys = self.publish(SECONDS)
        wait_until(lambda: self.arrived.keys() >= set(keys), 60, "all are delivered")
        if readers:
            self.closed(readers)
        return sorted(self.arrived[k] - self.sent[k] for k in keys)


def rows_on_time(bench):
    """From the PubAck to the row in the stream of one of 20 browsers, in ms, sorted."""
    import http.client
    readers, seen, sent = bench.browsers(19), {}, []
    mine = http.client.HTTPConnection("127.0.0.1", bench.console.port, timeout=60)
    mine.request("GET", "/api/live", headers={"Cookie": bench.cookie})
    reply = mine.getresponse()

    def read():
        while not sent or str(sent[-1]) not in seen:
            line, now = reply.readline(), time.time()
            if line.startswith(b'data: {"left_out"'):
                seen.update((str(r["n"]), now) for r in json.loads(line[6:])["rows"])
    reader = threading.Thread(target=read)
    reader.start()
    keys = bench.publish(SECONDS)
    sent.append(keys[-1])
    reader.join()
    bench.closed(readers)
    mine.close()
    return sorted((seen[k] - bench.acked[k]) * 1000 for k in keys if k in seen)


def at(sorted_values, share):
    return sorted_values[int(len(sorted_values) * share)]


def run(lab):
    bench = Bench(lab)
    for n, most in ((0, None), (20, 20), (200, 64)):
        mib, share = bench.memory(n)
        yield f"resident memory, {n} browsers, {RATE} events/s", mib, f"MiB (at most {most})" if most else "MiB"
        if share is not None:
            yield f"rows that {n} browsers got, of all", share, "of 1"
    late = rows_on_time(bench)
    for share in (0.5, 0.95):
        yield f"PubAck to the row, 20 browsers, p{share * 100:.0f}", at(late, share), "ms"
    bench.dispatcher()
    bench.delivery(0)  # warm
    without, beside = [], []
    for i in range(ROUNDS):
        for n in (0, 20) if i % 2 == 0 else (20, 0):
            (beside if n else without).extend(bench.delivery(n))
    for share in (0.5, 0.99):
        a, b = at(sorted(without), share), at(sorted(beside), share)
        yield f"publish to backend, no browser, p{share * 100:.0f}", a * 1000, "ms"
        yield f"publish to backend, 20 browsers, p{share * 100:.0f}", b * 1000, "ms"
        yield f"publish to backend, p{share * 100:.0f}", b / a, f"x that without browsers (at most {MOST})"
