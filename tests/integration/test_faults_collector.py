# SPDX-License-Identifier: Apache-2.0
"""Faults of the collector itself: killed, stopped, doubled. Each ends with the books (test_faults.py)."""
import signal
import time

from lab.product import provider, router_config
from lab.world import LONG, more_stored, pause, stored_at_least


def test_kill9_under_load(world, chance):
    lab = world("-backlog", "5000", "-rate", "400", "-gap", "0.01", "-tie", "3")
    for _ in range(100 if LONG else 12):
        pause(chance, 1.0)
        lab.col.kill()
        lab.col.start()
    lab.vc.lab("rate", r=0)
    assert lab.book.settle() > 5000


def test_kill9_with_faults_of_vcenter(world, chance):
    lab = world("-backlog", "2000", "-rate", "300", "-ooo", "0.05", "-ooo-by", "3s")
    for kind in ["cut", "503", "truncated", "reset", "expire", "notauth"] * 2:
        if kind == "expire":
            lab.vc.lab("expire")
        else:
            lab.vc.fault(kind, n=chance.randint(1, 3))
        pause(chance, 0.6)
        lab.col.kill()
        lab.col.start()
        lab.vc.burst(chance.randint(1, 500))
    lab.vc.lab("rate", r=0)
    lab.vc.lab("clear")
    lab.book.settle(120)


def test_sigterm_logs_out_and_resumes(world, chance):
    lab = world("-backlog", "3000", "-rate", "200")
    for _ in range(4):
        lab.col.wait_ready()
        pause(chance, 0.5)
        assert lab.col.stop(20) == 0
        assert lab.vc.stats()["sessions"] == 0
        lab.col.start()
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_stopped_process_goes_on(world):
    """SIGSTOP: sessions, acks and pings time out meanwhile."""
    lab = world("-backlog", "1000", "-rate", "200", "-idle", "3s")
    lab.col.wait_ready()
    lab.col.signal(signal.SIGSTOP)
    time.sleep(90 if LONG else 8)
    lab.col.signal(signal.SIGCONT)
    lab.vc.lab("rate", r=0)
    lab.book.settle()


# ---- two of them

def test_two_collectors(world, chance):
    lab = world("-backlog", "3000", "-rate", "200")
    second = lab.collector(lab.config, name="second")
    for _ in range(4):
        pause(chance, 1.5)
        victim = chance.choice([lab.col, second])
        victim.kill()
        victim.start()
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_takeover_within_15_seconds(world):
    lab = world("-backlog", "100", "-rate", "20")
    lab.book.js.count("VC_lab")
    stored_at_least(lab, 100)
    second = lab.collector(lab.config, name="second").wait_ready()
    lab.col.kill()
    killed = time.monotonic()
    before = lab.book.js.count("VC_lab")
    stored_at_least(lab, before + 1, 15)
    assert second.running() and time.monotonic() - killed < 15
    lab.col.start()
    lab.col.wait_ready()
    assert second.stop(20) == 0
    before = lab.book.js.count("VC_lab")
    stored_at_least(lab, before + 1, 10)
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_two_vcenters_one_file(lab):
    nats = lab.nats()
    one, two = lab.vcenter("-backlog", "300", name="one"), lab.vcenter("-backlog", "400", "-seed", "2", name="two")
    config = router_config(nats, lab.authority.ca, [provider(one, "vc-1", startFrom="earliest"),
                                                    provider(two, "vc 2", startFrom="earliest")])
    lab.collector(config, "--name", "vc-1", name="collector-1")
    lab.collector(config, "--name", "vc 2", name="collector-2")
    assert lab.books(nats, one, "VC_vc-1").settle() == len(one.events())
    assert lab.books(nats, two, "VC_vc=202").settle() == len(two.events())
