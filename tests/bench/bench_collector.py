# SPDX-License-Identifier: Apache-2.0
"""vCenter simulator over TLS to PubAck, against a bare asynchronous publish loop with the same messages.

The collector's time is from its first stored event to its last, by the stream's clock. The vCenter simulator uses
the same cores meanwhile; the bare loop shares them only with the server. Each round measures both.
"""
import os
import statistics
import subprocess
import time

from lab.process import BUILD, wait_until
from lab.product import provider, router_config
from lab.vcenter import milliseconds

BACKLOG = int(os.environ.get("BENCH_EVENTS", "200000"))
WINDOW, ROUNDS = 1024, 3
STEADY, SECONDS = 50, 10


def stored_span(js, stream):
    state = js.info(stream)["state"]
    return (milliseconds(state["last_ts"]) - milliseconds(state["first_ts"])) / 1000


def collect(lab, bus, js, vc, name):
    """The collector after it has read the backlog, its seconds, and its peak resident memory in bytes."""
    config = router_config(bus, lab.authority.ca, [provider(vc, name=name, startFrom="earliest", inFlight=WINDOW)])
    collector = lab.collector(config, name=name)
    stream, peak = f"VC_{name}", 0
    wait_until(lambda: js.count(stream) > 0, 60)
    while js.count(stream) < BACKLOG:
        peak = max(peak, collector.rss())
        time.sleep(0.25)  # polling takes CPU time from the measured process
    return collector, stored_span(js, stream), peak


def publish(bus, stream):
    """The bare loop's seconds."""
    command = [BUILD / "bench" / "publish_loop", bus.url, stream, str(BACKLOG), str(WINDOW)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def backlog(lab, bus, js, vc):
    ratios = []
    for name in (f"round{i + 1}" for i in range(ROUNDS)):
        collector, seconds, peak = collect(lab, bus, js, vc, name)
        collector.stop()
        bare = publish(bus, f"VC_{name}")
        js.api(f"STREAM.DELETE.VC_{name}")
        ratios.append(bare / seconds)
        yield f"{name}: backlog to PubAck", BACKLOG / seconds, "events/s"
        yield f"{name}: bare loop, window {WINDOW}", BACKLOG / bare, "events/s"
        yield f"{name}: resident memory at most", peak / 2**20, "MiB"
    yield "collector: backlog to PubAck, median of the rounds", statistics.median(ratios), "the bare loop", 0.7


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
    yield from steady(lab, bus, js)
