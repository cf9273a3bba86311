# SPDX-License-Identifier: Apache-2.0
"""What polling costs vCenter, by the simulator's count of calls, and how late events are stored, at several rates."""
import os
import statistics
import time

from lab.process import wait_until
from lab.product import provider, router_config
from lab.vcenter import milliseconds

SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))  # at least auditInterval, or the idle row has no audit
RATES = [int(rate) for rate in os.environ.get("BENCH_RATES", "0,5,50,500").split(",")]
OPTIONS = dict(pair.split("=") for pair in os.environ.get("BENCH_OPTIONS", "").split())  # of the vCenter: "pollMin=35ms"
SETTLE_S = 15  # the first look at latestEvent and the pauses between them have reached their steady state
LIMITS = {0: 1.2, 50: 20}


def late_ms(js, first):
    """createdTime (the simulator's clock is ours) to the time in the stream, sorted."""
    return sorted(m.stored_ms - milliseconds(m.json()["time"]) for m in js.read("VC_lab", first))


def at_rate(js, vc, rate):
    vc.lab("rate", r=rate)
    time.sleep(SETTLE_S)
    first = js.last_seq("VC_lab") + 1
    before, start = vc.stats()["calls"], time.monotonic()
    time.sleep(SECONDS)
    after, seconds = vc.stats()["calls"], time.monotonic() - start
    vc.lab("rate", r=0)
    count = (sum(after.values()) - sum(before.values())) / seconds
    yield f"{rate} events/s: calls on vCenter", count, f"a second (at most {LIMITS[rate]})" if rate in LIMITS else "a second"
    if not rate:
        for method in sorted(m for m in after if after[m] > before.get(m, 0)):
            yield f"of these {method}", (after[method] - before.get(method, 0)) / seconds * 60, "a minute"
    else:
        late = late_ms(js, first)
        yield f"{rate} events/s: created to stored, p50", statistics.median(late), "ms"
        yield f"{rate} events/s: created to stored, p99", late[int(len(late) * 0.99)], "ms"


def run(lab):
    bus, vc = lab.nats(), lab.vcenter()
    js = lab.jetstream(bus)
    lab.collector(router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest", **OPTIONS)])).wait_ready()
    wait_until(lambda: js.count("VC_lab") >= 1, 60)
    for rate in RATES:
        yield from at_rate(js, vc, rate)
