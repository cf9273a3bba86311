# SPDX-License-Identifier: Apache-2.0
"""A backend with HTTP/2: requests share a connection, and the faults of HTTP/2 lose no event."""
import os
import signal
import threading
from collections import Counter

import pytest

from lab.stream import settle
from lab.nginx import Http2Front
from lab.process import wait_until
from lab.receiver import Answer

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}


class Gauge:
    """Counts the concurrent requests at the receiver. `until`: the first ones are answered when so many are there, or after 20 s."""

    def __init__(self, seconds, until=0):
        self.seconds, self.until, self.now, self.peak, self.changed = seconds, until, 0, 0, threading.Condition()

    def __call__(self, request):
        with self.changed:
            self.now += 1
            self.peak = max(self.peak, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.peak >= self.until, 20)
        threading.Event().wait(self.seconds)
        with self.changed:
            self.now -= 1
        return Answer()


def front(lab, receiver, more=""):
    front = lab._keep(Http2Front(lab.directory, lab.authority, receiver.port, more)).start()
    wait_until(lambda: (front.directory / "nginx.pid").exists() and front.workers(), what="nginx serves")
    return front


def dispatcher(lab, stream, url, concurrency):
    config = stream.config(url, concurrency=concurrency, knative={"caFile": str(lab.authority.ca)}, **FAST)
    return lab.dispatcher(config).wait_ready()


def test_requests_share_one_connection(lab, stream):
    gauge = Gauge(0.05, until=32)
    receiver = lab.receiver(gauge)
    server = front(lab, receiver)
    dispatcher(lab, stream, server.url, 32)
    want = stream.publish(400)
    assert settle(stream, receiver, want, twice=0) == []
    streams = server.streams()
    assert {protocol for protocol, *_ in streams} == {"HTTP/2.0"} and len(streams) == 400
    assert len({connection for _, connection, *_ in streams}) == 1, "multiplexed"
    assert gauge.peak == 32


def test_fewer_streams_than_concurrency(lab, stream):
    """The dispatcher obeys the server's limit, or repeats the requests that the server refuses."""
    receiver = lab.receiver(Gauge(0.02))
    server = front(lab, receiver, more="http2_max_concurrent_streams 4;")
    dispatcher(lab, stream, server.url, 32)
    assert settle(stream, receiver, stream.publish(300), twice=0) == []
    assert {protocol for protocol, *_ in server.streams()} == {"HTTP/2.0"}


def test_goaway_when_the_server_reloads(lab, stream):
    """The server closes its connections with GOAWAY: it answers accepted requests, and the others use a new connection."""
    receiver = lab.receiver(Gauge(0.02))
    server = front(lab, receiver)
    dispatcher(lab, stream, server.url, 32)
    want = stream.publish(1500)
    for i in range(4):
        receiver.wait_count(250 * (i + 1))
        server.signal(signal.SIGHUP)
    assert settle(stream, receiver, want, twice=0) == []
    assert len({connection for _, connection, *_ in server.streams()}) >= 5, "a connection after each reload"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_is_killed_during_requests(lab, stream, how):
    receiver = lab.receiver(Gauge(0.02))
    server = front(lab, receiver)
    dispatcher(lab, stream, server.url, 16)
    want = stream.publish(900)
    for i in range(3):
        receiver.wait_count(250 * (i + 1))
        for pid in server.workers():
            os.kill(pid, how)  # the master process starts another one
    assert settle(stream, receiver, want, twice=3 * 16) == []


@pytest.mark.parametrize("size, twice", [(1_000, 0), (300_000, 1)])
def test_a_reply_before_the_body_is_read(lab, stream, size, twice):
    """The server sends RST_STREAM without an error after its reply. If the body is still being sent, libcurl 7.88 treats this as a
    fault and drops the reply. The event is then sent again over HTTP/1.1."""
    server = front(lab, lab.receiver())
    dispatcher(lab, stream, server.url + "/early", 8)
    want = stream.publish(40, data={"FullFormattedMessage": "x" * size})
    stream.idle()
    times = Counter(int(key) for *_, key in server.streams())
    assert set(times) == set(want) and max(times.values()) <= 1 + twice
    assert stream.dead() == []
