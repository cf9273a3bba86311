# SPDX-License-Identifier: Apache-2.0
"""vCenter simulator over TLS to PubAck, against a bare asynchronous publish loop with the same messages.

The collector's time is from its first stored event to its last, by the stream's own clock. The vCenter simulator takes
its share of the same two cores meanwhile; the bare loop has them for itself and the server.
"""
import os
import statistics
import subprocess

from lab.process import BUILD, wait_until
from lab.product import provider, router_config
from lab.vcenter import milliseconds

BACKLOG = int(os.environ.get("BENCH_EVENTS", "200000"))
WINDOW = 256
STEADY, SECONDS = 50, 10


def stored_span(js, stream):
    state = js.info(stream)["state"]
    return (milliseconds(state["last_ts"]) - milliseconds(state["first_ts"])) / 1000


def backlog(lab, bus, js):
    vc = lab.vcenter("-backlog", str(BACKLOG))
    config = router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest", inFlight=WINDOW)])
    collector = lab.collector(config)
    peak = 0
    while js.count("VC_lab") < BACKLOG:
        peak = max(peak, collector.rss())
        wait_until(lambda: js.count("VC_lab") > 0, 60)
    ours = BACKLOG / stored_span(js, "VC_lab")
    yield "backlog to PubAck", ours, "events/s"
    yield "resident memory at most, reading it", max(peak, collector.rss()) / 2**20, "MiB"
    seconds = float(subprocess.run([BUILD / "bench" / "publish_loop", bus.url, "VC_lab", str(BACKLOG), str(WINDOW)], check=True,
                                   capture_output=True, text=True).stdout)
    yield "bare loop, window 256", BACKLOG / seconds, "events/s"
    yield "collector: backlog to PubAck", ours * seconds / BACKLOG, "the bare loop", 0.7
    yield from steady(vc, js, collector)


def steady(vc, js, collector):
    """createdTime (the simulator's clock is ours) to the time in the stream."""
    first = js.last_seq("VC_lab") + 1
    vc.lab("rate", r=STEADY)
    wait_until(lambda: js.last_seq("VC_lab") >= first + STEADY * (SECONDS + 1), SECONDS * 4)
    vc.lab("rate", r=0)
    first += STEADY  # the first second wakes the collector from idleness
    late = sorted(m.stored_ms - milliseconds(m.json()["time"]) for m in js.read("VC_lab", first))
    yield f"steady {STEADY}/s: created to stored, p50", statistics.median(late), "ms"
    yield f"steady {STEADY}/s: created to stored, p99", late[int(len(late) * 0.99)], "ms"
    yield "resident memory, steady", collector.rss() / 2**20, "MiB"


def run(lab):
    bus = lab.nats()
    yield from backlog(lab, bus, lab.jetstream(bus))
