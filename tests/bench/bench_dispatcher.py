# SPDX-License-Identifier: Apache-2.0
"""Stream to HTTP 202, against a bare loop of libcurl that posts the same body to the same nginx, and against a bare relay.

The relay reads the same stream and has the dispatcher's bound on repeated events, but neither filter nor retry (relay_loop.c). All
share two cores with nginx; the dispatcher and the relay also share them with nats-server. The dispatcher's time is from its first event
to the last ack, by the server's clock. Rounds of all alternate. The figures are medians; the ratios are the medians of the rounds'
ratios; memory is the largest value. System calls are counted in a run of their own, because strace slows it down.
"""
import os
import time
from statistics import median

from cost import Allocations, Meter, SystemCalls, loop
from lab.nginx import Nginx
from lab.process import wait_until
from lab.receiver import Answer
from lab.stream import PROVIDER, SECOND, Stream, event
from lab.vcenter import milliseconds

EVENTS = int(os.environ.get("BENCH_EVENTS", "40000"))
COUNTED = min(EVENTS, 10000)  # in the runs that count system calls and allocations
IN_FLIGHT = tuple(int(n) for n in os.environ.get("BENCH_IN_FLIGHT", "1,16,64,256").split(","))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
ENCODING = os.environ.get("BENCH_ENCODING", "structured")  # or binary
LEAST = {256: 0.7}
CPU_MOST = {256: 1.3}
FEW = {**PROVIDER, "name": "few"}


def requests(in_flight):
    """How many a bare loop makes."""
    return EVENTS if in_flight > 1 else max(EVENTS // 4, 1)


class Bench:
    def __init__(self, lab):
        self.lab, self.server = lab, lab.nats()
        self.stream = Stream(lab, self.server)
        data = {"FullFormattedMessage": "x" * 1000}
        self.body = lab.directory / "body.json"
        self.body.write_bytes(event(1, data=data))
        self.stream.make_stream()
        self.stream.publish(EVENTS, data=data)
        self.stream.make_stream("VC_few", "few")
        self.stream.publish(COUNTED, data=data, vcenter="few")
        self.nginx = lab._keep(Nginx(lab.directory)).start()

    def dispatcher(self, name, in_flight, **more):
        config = self.stream.config(self.nginx.url, name=name, concurrency=in_flight, knative={"encoding": ENCODING}, **more)
        return self.lab.daemon("dispatcher", config, name=name)

    def begun(self, name, stream="VC_lab"):
        """The consumer's state when its first event has been delivered."""
        def state():
            try:
                found = self.stream.consumer(name, stream)
            except Exception:
                return None
            return found if found["delivered"]["stream_seq"] > 0 else None
        return wait_until(state, 60)

    def bare(self, in_flight):
        """Requests a second, and seconds of CPU time for one."""
        n = requests(in_flight)
        seconds, cpu = loop("post_loop", self.nginx.url, self.body, n, in_flight)
        return n / seconds, cpu / n

    def relay(self, name, in_flight):
        """Events a second of the bare relay, and seconds of CPU time for one."""
        n = requests(in_flight)
        consumer = {"durable_name": name, "ack_policy": "explicit", "ack_wait": 60 * SECOND, "max_ack_pending": 4096}
        self.stream.js.api(f"CONSUMER.DURABLE.CREATE.VC_lab.{name}", {"stream_name": "VC_lab", "config": consumer})
        seconds, cpu = loop("relay_loop", self.nginx.url, self.server.port, "VC_lab", name, n, in_flight, 1)
        self.stream.js.delete_consumer("VC_lab", name)
        return n / seconds, cpu / n

    def measure(self, name, in_flight):
        """Events a second; resident memory at the end in MiB; for one event: CPU time of dispatcher, nats-server and nginx, and wake-ups."""
        dispatcher = self.dispatcher(name, in_flight).start()
        first = self.begun(name)["ack_floor"]["stream_seq"]
        start, meter = time.time(), Meter(dispatcher, self.server, self.nginx)
        self.stream.idle(name, timeout=300)
        spent = meter.spent()
        seconds = milliseconds(self.stream.consumer(name)["ack_floor"]["last_active"]) / 1000 - start
        rss = dispatcher.rss() / 2**20
        dispatcher.stop()
        n = EVENTS - first
        return n / seconds, rss, *(u.cpu / n for u in spent), spent[0].wakeups / n

    def system_calls(self, in_flight):
        """For one event, start and end of the dispatcher included."""
        name = f"calls{in_flight}"
        dispatcher = self.dispatcher(name, in_flight, providers=(FEW,))
        counter = SystemCalls(dispatcher, self.lab.directory)
        dispatcher.start()
        self.begun(name, "VC_few")
        self.stream.idle(name, "VC_few", timeout=300)
        dispatcher.stop()
        return counter.count() / COUNTED

    def allocations(self, in_flight):
        """For one event."""
        name = f"allocations{in_flight}"
        dispatcher = self.dispatcher(name, in_flight, providers=(FEW,))
        counter = Allocations(dispatcher, self.lab.directory)
        dispatcher.start()
        done, first = self.begun(name, "VC_few")["ack_floor"]["stream_seq"], counter.count()
        self.stream.idle(name, "VC_few", timeout=300)
        count = counter.count() - first
        dispatcher.stop()
        return count / (COUNTED - done)


def us(seconds):
    return median(seconds) * 1e6


def rows(bench, n):
    bare, relay, ours = [], [], []
    for i in range(ROUNDS):
        bare.append(bench.bare(n))
        relay.append(bench.relay(f"relay{n}-{i}", n))
        ours.append(bench.measure(f"bench{n}-{i}", n))
    (bare_rate, bare_cpu), (relay_rate, relay_cpu) = zip(*bare), zip(*relay)
    (rate, rss, cpu, nats_cpu, nginx_cpu, wakeups) = zip(*ours)
    yield f"bare loop, {n} in flight", median(bare_rate), "requests/s"
    yield f"bare relay, {n} in flight", median(relay_rate), "events/s"
    yield f"bare relay, {n} in flight", median(r / b for r, b in zip(relay_rate, bare_rate)), "x the bare loop"
    yield f"dispatcher, {n} in flight", median(rate), "events/s"
    yield f"dispatcher, {n} in flight", median(o / r for o, r in zip(rate, relay_rate)), "x the bare relay"
    yield f"dispatcher, {n} in flight", median(o / b for o, b in zip(rate, bare_rate)), "the bare loop", LEAST.get(n, 0)
    yield f"CPU of the bare loop, {n} in flight", us(bare_cpu), "us a request"
    yield f"CPU of the bare relay, {n} in flight", us(relay_cpu), "us an event"
    yield f"CPU of the dispatcher, {n} in flight", us(cpu), "us an event"
    most = f" (at most {CPU_MOST[n]})" if n in CPU_MOST else ""
    yield f"CPU of the dispatcher, {n} in flight", median(o / b for o, b in zip(cpu, bare_cpu)), f"x the bare loop's{most}"
    yield f"CPU of nats-server, {n} in flight", us(nats_cpu), "us an event"
    yield f"CPU of nginx, {n} in flight", us(nginx_cpu), "us an event"
    yield f"wake-ups of the dispatcher, {n} in flight", median(wakeups), "an event"
    yield f"system calls of the dispatcher, {n} in flight", bench.system_calls(n), "an event"
    yield f"allocations of the dispatcher, {n} in flight", bench.allocations(n), "an event"
    yield f"resident memory, {n} in flight", max(rss), "MiB"


def slow(lab, stream):
    """A backend that takes 200 ms."""
    receiver = lab.receiver(lambda request: Answer(hang=0.2), keep=False)
    lab.dispatcher(stream.config(receiver.url, name="slow", concurrency=256), name="slow")
    wait_until(lambda: receiver.count > 0, 60)
    start, first, wanted = time.monotonic(), receiver.count, min(5000, EVENTS // 2)
    wait_until(lambda: receiver.count >= first + wanted, 120)
    rate = (receiver.count - first) / (time.monotonic() - start)
    yield "a backend of 200 ms, 256 in flight", rate, "events/s"
    yield "a backend of 200 ms, 256 in flight", rate / 1000, "1,000 events/s", 1


def run(lab):
    bench = Bench(lab)
    for n in IN_FLIGHT:
        yield from rows(bench, n)
    yield from slow(lab, bench.stream)
