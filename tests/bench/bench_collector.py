# SPDX-License-Identifier: Apache-2.0
"""vCenter simulator over TLS to PubAck, against a bare asynchronous publish loop with the same messages.

The collector's time is from its first stored event to its last, by the stream's clock. The vCenter simulator uses
the same cores meanwhile; the bare loop shares them only with the server. Each round measures both; the figures are medians.
System calls are counted in a run of their own, because strace slows it down.
"""
import os
import statistics
import time

from cost import Allocations, Meter, SystemCalls, loop
from lab.process import wait_until
from lab.product import provider, router_config
from lab.vcenter import milliseconds

BACKLOG = int(os.environ.get("BENCH_EVENTS", "200000"))
COUNTED = min(BACKLOG, 20000)  # in the runs that count system calls and allocations
WINDOW, ROUNDS = 1024, int(os.environ.get("BENCH_ROUNDS", "3"))
STEADY, SECONDS = 50, 10


def stored_span(js, stream):
    state = js.info(stream)["state"]
    return (milliseconds(state["last_ts"]) - milliseconds(state["first_ts"])) / 1000


def reader(lab, bus, vc, name):
    """A collector that reads the whole backlog; not started."""
    config = router_config(bus, lab.authority.ca, [provider(vc, name=name, startFrom="earliest", inFlight=WINDOW)])
    return lab.daemon("collector", config, name=name)


def collect(lab, bus, js, vc, name):
    """Seconds, and what collector, nats-server and simulator spent on an event: CPU time of each, wake-ups of the collector. The stream is there afterwards."""
    collector = reader(lab, bus, vc, name).start()
    stream = f"VC_{name}"
    wait_until(lambda: js.count(stream) > 0, 60)
    first, meter, peak = js.count(stream), Meter(collector, bus, vc), 0
    while js.count(stream) < BACKLOG:
        peak = max(peak, collector.rss())
        time.sleep(0.25)  # polling takes CPU time from the measured process
    spent, n = meter.spent(), BACKLOG - first
    seconds = stored_span(js, stream)
    collector.stop()
    return seconds, peak, [u.cpu / n for u in spent], spent[0].wakeups / n


def counted(lab, bus, js, vc, name, counter):
    """What `counter` counts for one event of a small backlog, the start and the end of the collector included."""
    collector = reader(lab, bus, vc, name)
    counter = counter(collector, lab.directory)
    collector.start()
    wait_until(lambda: js.count(f"VC_{name}") >= COUNTED, 300)
    collector.stop()
    count = counter.count() / js.count(f"VC_{name}")
    js.api(f"STREAM.DELETE.VC_{name}")
    return count


def backlog(lab, bus, js, vc):
    rounds = []
    for name in (f"round{i + 1}" for i in range(ROUNDS)):
        seconds, peak, cpu, wakeups = collect(lab, bus, js, vc, name)
        bare, bare_cpu = loop("publish_loop", bus.url, f"VC_{name}", BACKLOG, WINDOW)
        js.api(f"STREAM.DELETE.VC_{name}")
        rounds.append((seconds, peak, *cpu, wakeups, bare, bare_cpu / BACKLOG))
    seconds, peak, cpu, nats_cpu, vc_cpu, wakeups, bare, bare_cpu = zip(*rounds)
    median = statistics.median
    yield "collector: backlog to PubAck", BACKLOG / median(seconds), "events/s"
    yield f"bare loop, window {WINDOW}", BACKLOG / median(bare), "events/s"
    yield "collector: backlog to PubAck", median(b / s for b, s in zip(bare, seconds)), "the bare loop", 0.7
    yield "CPU of the bare loop", median(bare_cpu) * 1e6, "us an event"
    yield "CPU of the collector", median(cpu) * 1e6, "us an event"
    yield "CPU of the collector", median(c / b for c, b in zip(cpu, bare_cpu)), "x the bare loop's, which reads no XML"
    yield "CPU of nats-server", median(nats_cpu) * 1e6, "us an event"
    yield "CPU of the simulator", median(vc_cpu) * 1e6, "us an event"
    yield "wake-ups of the collector", median(wakeups), "an event"
    yield "resident memory at most", max(peak) / 2**20, "MiB"


def counts(lab, bus, js):
    vc = lab.vcenter("-backlog", str(COUNTED), name="small")
    yield "system calls of the collector", counted(lab, bus, js, vc, "calls", SystemCalls), "an event"
    yield "allocations of the collector", counted(lab, bus, js, vc, "allocations", Allocations), "an event"


def steady(lab, bus, js):
    """createdTime (the simulator's clock is ours) to the time in the stream."""
    vc = lab.vcenter(name="steady")
    collector = lab.collector(router_config(bus, lab.authority.ca, [provider(vc)])).wait_ready()
    first = js.last_seq("VC_lab") + 1
    vc.lab("rate", r=STEADY)
    wait_until(lambda: js.last_seq("VC_lab") >= first + STEADY * (SECONDS + 1), SECONDS * 4)
    vc.lab("rate", r=0)
    first += STEADY  # ignore the first second, in which the collector still polls slowly
    late = sorted(m.stored_ms - milliseconds(m.json()["time"]) for m in js.read("VC_lab", first))
    yield f"steady {STEADY}/s: created to stored, p50", statistics.median(late), "ms"
    yield f"steady {STEADY}/s: created to stored, p99", late[int(len(late) * 0.99)], "ms"
    yield "resident memory, steady", collector.rss() / 2**20, "MiB"


def run(lab):
    bus = lab.nats()
    js = lab.jetstream(bus)
    yield from backlog(lab, bus, js, lab.vcenter("-backlog", str(BACKLOG)))
    yield from counts(lab, bus, js)
    yield from steady(lab, bus, js)
