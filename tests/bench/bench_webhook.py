# SPDX-License-Identifier: Apache-2.0
"""Requests to the webhook, each answered after its PubAck, against the same sender with a server that stores nothing.

The sender, nats-server and the collector share the machine. Every request is an event of its own: the path's `wrap` has no id.
"""
import json
import os
import threading
import time

from cost import Meter, loop
from lab.nginx import Nginx
from lab.webhook import JSON, STREAM, Sender, Webhook

EVENTS = int(os.environ.get("BENCH_EVENTS", "50000"))
BODY = {"alarm": {"name": "CPU usage", "id": 4711, "state": "raised", "entity": "esx-17.example.com"}, "text": "x" * 400}
RATE, SECONDS, SENDERS = 500, 10, 8


def post(url, file, concurrency):
    """The sender's seconds."""
    return loop("post_loop", url, file, EVENTS, concurrency, JSON)[0]


def latencies(hook):
    """Seconds from request to answer, at RATE requests a second."""
    found, begin, lock = [], time.monotonic() + 0.5, threading.Lock()

    def run(number):
        sender = Sender(hook.address)
        for i in range(number, RATE * SECONDS, SENDERS):
            time.sleep(max(0, begin + i / RATE - time.monotonic()))
            at = time.monotonic()
            assert sender.send(BODY, JSON)[0] == 202
            with lock:
                found.append(time.monotonic() - at)
    threads = [threading.Thread(target=run, args=(i,)) for i in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def run(lab):
    hook = Webhook(lab, wrap={"source": "https://nsx.example", "type": "com.example.alarm", "subject": "$.alarm.name"})
    nginx = lab._keep(Nginx(lab.directory)).start()
    file = lab.directory / "body.json"
    file.write_text(json.dumps(BODY))
    for concurrency in (16, 64):
        meter = Meter(hook.collector)
        seconds = post(f"http://{hook.address}/webhook", file, concurrency)
        yield f"{concurrency} connections: request to PubAck", EVENTS / seconds, "events/s"
        yield f"{concurrency} connections: events per second of CPU time", EVENTS / meter.spent()[0].cpu, "events/s"
        bare = post(nginx.url, file, concurrency)
        yield f"{concurrency} connections: nginx, which stores nothing", EVENTS / bare, "requests/s"
    assert hook.js.count(STREAM) == 2 * EVENTS
    found = latencies(hook)
    yield f"{RATE}/s: request to answer, p50", found[len(found) // 2] * 1000, "ms"
    yield f"{RATE}/s: request to answer, p99", found[int(len(found) * 0.99)] * 1000, "ms"
    yield "resident memory", hook.collector.rss() / 2**20, "MiB"
