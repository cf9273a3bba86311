# SPDX-License-Identifier: Apache-2.0
"""What the fault suite shares: one vCenter, NATS and a collector between them, and the instants at which things happen."""
import os
import random
import time

from .process import wait_until
from .product import provider, router_config

SEED = int(os.environ.get("VCOURIER_SEED", "20261122"))
LONG = bool(os.environ.get("VCOURIER_LONG"))


def seeded():
    """So that a failure can be run again."""
    print(f"VCOURIER_SEED={SEED}")
    return random.Random(SEED)


def build(lab, *flags, bus=None, stream=None, login=None, **options):
    """NATS, a vCenter, a collector that reads all of its history."""
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
    """What it has read is published, known before, refused or to be read again; nothing else."""
    return collector.metric("vcourier_collector_events_read_total") == collector.metric("vcourier_collector_events_total")


def stored_at_least(lab, n, timeout=60):
    wait_until(lambda: lab.ledger.js.count("VC_lab") >= n, timeout, lambda: f"{lab.ledger.js.count('VC_lab')} of {n} stored")


def more_stored(lab, n=1, timeout=60):
    """n events beyond those that are stored now."""
    stored_at_least(lab, lab.ledger.js.count("VC_lab") + n, timeout)


def pause(rng, longest):
    """Random instants are the point here, not waiting for something."""
    time.sleep(rng.uniform(0.02, longest))
