# SPDX-License-Identifier: Apache-2.0
"""`make soak MINUTES=n`: the whole pipeline under load, a random fault every few seconds, and a check of all events at the end.

VCOURIER_SEED selects the faults. Each is printed with its time, so that a failure can be described and repeated.
"""
import os
import random
import time
from pathlib import Path

from lab.process import wait_until
from lab.product import knative, provider, router_config
from lab.receiver import Answer

MINUTES = float(os.environ.get("MINUTES", "5"))
SEED = int(os.environ.get("VCOURIER_SEED", str(int(time.time()))))
REPLIES = ["cut", "truncated", "reset", "503", "html", "garbage", "control", "utf8", "tags", "notauth", "notfound", "invalidstate"]


def open_files(process):
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


class Faults:
    """Each method is one fault; the test selects it by name."""

    def __init__(self, lab, rng):
        self.lab, self.rng = lab, rng

    def kill_collector(self):
        self.lab.col.kill()
        self.lab.col.start()

    def restart_collector(self):
        wait_until(lambda: self.lab.col.get("/livez")[0] == 200, 30, "it runs: before that, SIGTERM just ends it")
        assert self.lab.col.stop(25) == 0
        self.lab.col.start()

    def kill_dispatcher(self):
        self.lab.dis.kill()
        self.lab.dis.start()

    def kill_nats(self):
        self.lab.bus.kill()
        time.sleep(self.rng.uniform(0, 2))
        self.lab.bus.start()
        self.lab.ledger.js.close()

    def bad_replies(self):
        self.lab.vc.fault(self.rng.choice(REPLIES), n=self.rng.randint(1, 5))

    def slow_vcenter(self):
        self.lab.vc.fault("slow", n=10, ms=self.rng.randint(100, 800))

    def silent_vcenter(self):
        self.lab.vc.fault("silent", n=1)

    def expire(self):
        self.lab.vc.lab("expire", what=self.rng.choice(["sessions", "collectors", "state"]))

    def burst(self):
        self.lab.vc.burst(self.rng.choice([1, 500, 5000]))

    def backend_fails(self):
        status, end = self.rng.choice([500, 503, 429, 404, 0]), time.monotonic() + self.rng.uniform(0.5, 5)
        self.lab.sink.answer = lambda _: Answer(status) if time.monotonic() < end else None


def test_soak(lab):
    rng = random.Random(SEED)
    print(f"VCOURIER_SEED={SEED}", flush=True)
    lab.bus = lab.nats()
    lab.vc = lab.vcenter("-backlog", "2000", "-rate", "100", "-ooo", "0.02", "-ooo-by", "5s", "-gap", "0.01", "-tie", "2")
    lab.sink = lab.receiver()
    config = router_config(lab.bus, lab.authority.ca, [provider(lab.vc, startFrom="earliest", timeout="5s", auditInterval="10s")],
                           [knative(lab.sink.url)])
    lab.col, lab.dis = lab.collector(config), lab.dispatcher(config)
    lab.ledger = lab.open_ledger(lab.bus, lab.vc)
    faults = Faults(lab, rng)
    names = [name for name in vars(Faults) if not name.startswith("_")]
    begin = time.monotonic()
    while time.monotonic() - begin < MINUTES * 60:
        name = rng.choice(names)
        print(f"{time.monotonic() - begin:8.1f} s  {name}", flush=True)
        getattr(faults, name)()
        time.sleep(rng.uniform(0.5, 5))
    lab.vc.lab("rate", r=0)
    lab.vc.lab("clear")
    lab.sink.answer = None
    stored = lab.ledger.settle(180)
    want = {f"{key}-{created}" for _, key, created in lab.ledger.stored()}
    wait_until(lambda: want <= set(lab.sink.ids()), 300, lambda: f"{len(want - set(lab.sink.ids()))} not delivered")
    print(f"{stored} stored, {lab.sink.count} requests, collector {lab.col.rss() >> 20} MiB {open_files(lab.col)} files, "
          f"dispatcher {lab.dis.rss() >> 20} MiB {open_files(lab.dis)} files", flush=True)
    assert set(lab.sink.ids()) <= want
    assert lab.col.rss() < 100 << 20 and lab.dis.rss() < 100 << 20
    assert open_files(lab.col) < 64 and open_files(lab.dis) < 600
