# SPDX-License-Identifier: Apache-2.0
"""Shared by the fault tests: a pipeline of one vCenter, a collector and NATS, and random times for the faults."""
import os
import random
import time

from .process import wait_until
from .product import provider, router_config

SEED = int(os.environ.get("VCOURIER_SEED", "20261122"))
LONG = bool(os.environ.get("VCOURIER_LONG"))


def seeded():
    """A random source with a printed seed, so that a failed run can be repeated."""
    print(f"VCOURIER_SEED={SEED}")
    return random.Random(SEED)


def build(lab, *flags, bus=None, stream=None, login=None, **options):
    """Starts NATS, a vCenter and a collector that reads its whole history."""
    servers = bus if isinstance(bus, list) else [bus or lab.nats()]
    lab.bus = servers[0]
    lab.vc = lab.vcenter(*flags)
    lab.options = {"startFrom": "earliest", **options}
    lab.config = router_config(lab.bus, lab.authority.ca, [provider(lab.vc, **lab.options)])
    lab.config["bus"] = {"urls": [s.url for s in servers], **({"stream": stream} if stream else {}), **(login or {})}
    lab.col = lab.collector(lab.config)
    lab.ledger = lab.open_ledger(lab.bus, lab.vc)
    return lab


def balanced(collector):
    """Whether the results of the collector's events add up to the events that it read."""
    return collector.metric("vcourier_collector_events_read_total") == collector.metric("vcourier_collector_events_total")


def stored_at_least(lab, n, timeout=60):
    wait_until(lambda: lab.ledger.js.count("VC_lab") >= n, timeout, lambda: f"{lab.ledger.js.count('VC_lab')} of {n} stored")


def more_stored(lab, n=1, timeout=60):
    """Waits until n more events are stored."""
    stored_at_least(lab, lab.ledger.js.count("VC_lab") + n, timeout)


def pause(rng, longest):
    """A random delay before a fault. It does not wait for an event."""
    time.sleep(rng.uniform(0.02, longest))
