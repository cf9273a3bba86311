# SPDX-License-Identifier: Apache-2.0
"""What a further quiet stream costs one dispatcher: memory and CPU with 1, 10 and 100 streams."""
import time

from lab.fleet import cpu_seconds
from lab.product import knative, router_config
from lab.process import wait_until
from lab.stream import PROVIDER

STREAMS, SECONDS = (1, 10, 100), 30


def measure(lab, n):
    """Resident memory in kB, and CPU in percent of a core."""
    bus = lab.nats(f"nats-{n}")
    config = router_config(bus, providers=[PROVIDER | {"name": f"vc{i}"} for i in range(n)], processors=[knative("http://127.0.0.1:9")])
    config["bus"]["stream"] = {"maxBytes": "64MiB"}
    dispatcher = lab.dispatcher(config, name=f"dispatcher-{n}").wait_ready()
    wait_until(lambda: bus.jsz()["consumers"] > n, 60)
    time.sleep(5)
    before, start = cpu_seconds(dispatcher), time.monotonic()
    time.sleep(SECONDS)
    figures = dispatcher.rss() / 1000, (cpu_seconds(dispatcher) - before) / (time.monotonic() - start) * 100
    dispatcher.stop()
    bus.stop()
    return figures


def run(lab):
    found = {}
    for n in STREAMS:
        found[n] = measure(lab, n)
        yield f"{n} quiet streams: resident memory", found[n][0] / 1000, "MB"
        yield f"{n} quiet streams: CPU", found[n][1], "% of a core"
    least, most = min(STREAMS), max(STREAMS)
    for i, unit, bound in ((0, "kB", 300), (1, "% of a core", 0.1)):
        yield "each further quiet stream", (found[most][i] - found[least][i]) / (most - least), f"{unit} (at most {bound})"
