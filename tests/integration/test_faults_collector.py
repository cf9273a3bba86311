# SPDX-License-Identifier: Apache-2.0
"""Faults of the collector: killed, suspended, two at once. Each ends with a comparison of stream and vCenter (test_faults.py)."""
import signal
import time

import pytest

from lab.process import wait_until
from lab.product import provider, router_config
from lab.pipeline import LONG, more_stored, pause, stored_at_least

STANDSTILL = 90 if LONG else 8  # seconds: longer than the timeouts of vCenter's session, the acks and the lease here; or than NATS's pings


def test_kill9_under_load(pipeline, rng):
    lab = pipeline("-backlog", "5000", "-rate", "400", "-gap", "0.01", "-tie", "3")
    for _ in range(100 if LONG else 12):
        pause(rng, 1.0)
        lab.col.kill()
        lab.col.start()
    lab.vc.lab("rate", r=0)
    assert lab.ledger.settle() > 5000


def test_kill9_with_faults_of_vcenter(pipeline, rng):
    lab = pipeline("-backlog", "2000", "-rate", "300", "-ooo", "0.05", "-ooo-by", "3s")
    for kind in ["cut", "503", "truncated", "reset", "slow", "trickle", "silent", "expire", "notauth", "missing"] * 2:
        if kind == "expire":
            lab.vc.lab("expire")
        else:
            lab.vc.fault(kind, n=rng.randint(1, 3), ms=rng.randint(1, 300), method={"missing": "RetrievePropertiesEx"}.get(kind))
        pause(rng, 0.6)
        lab.col.kill()
        lab.col.start()
        lab.vc.burst(rng.randint(1, 500))
    lab.vc.lab("rate", r=0)
    lab.vc.lab("clear")
    lab.ledger.settle(120)


def test_sigterm_logs_out_and_resumes(pipeline, rng):
    lab = pipeline("-backlog", "3000", "-rate", "200")
    for _ in range(4):
        lab.col.wait_ready()
        pause(rng, 0.5)
        assert lab.col.stop(20) == 0
        assert lab.vc.stats()["sessions"] == 0
        lab.col.start()
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_suspended_process_resumes(pipeline):
    """SIGSTOP and SIGCONT: sessions, acks and pings time out meanwhile."""
    lab = pipeline("-backlog", "1000", "-rate", "200", "-idle", "3s")
    lab.col.wait_ready()
    lab.col.signal(signal.SIGSTOP)
    time.sleep(STANDSTILL)
    lab.col.signal(signal.SIGCONT)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


# ---- a large backlog

def test_memory_is_flat_under_a_backlog(pipeline):
    """
    100,000 events (long form: a million): no more memory at the end than after a tenth of them. The vCenter takes 50 ms for a page: libnats frees messages in a
    thread of its own, and at full speed on a machine without a free CPU, some thousand of them wait for that thread now and then, whatever the backlog is.
    """
    backlog = 1_000_000 if LONG else 100_000
    lab = pipeline("-backlog", str(backlog))
    lab.vc.fault("slow", n=2 * backlog, ms=50, method="ReadNextEvents")
    stored_at_least(lab, backlog // 10, 120)
    early = lab.col.peak()
    stored_at_least(lab, backlog, 600)
    print(f"{backlog} events: {early >> 20} MiB at most after a tenth, {lab.col.peak() >> 20} MiB at the end")
    assert lab.col.peak() < 32 << 20 and lab.col.peak() - early < 4 << 20
    stored_at_least(lab, lab.vc.stats()["events"], 60)
    state = lab.ledger.js.info("VC_lab")["state"]
    assert state["messages"] == state["last_seq"] == lab.vc.stats()["events"]  # no duplicates: the count needs each event


# ---- two collectors

def test_two_collectors(pipeline, rng):
    lab = pipeline("-backlog", "3000", "-rate", "200")
    second = lab.collector(lab.config, name="second")
    for _ in range(4):
        pause(rng, 1.5)
        victim = rng.choice([lab.col, second])
        victim.kill()
        victim.start()
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_two_writers_one_is_suspended(pipeline):
    """
    Without a lease, both write. One is suspended for longer than the timeouts of session, acks and pings, and then continues
    with its old state; then the other one. Only the expected last sequence prevents duplicates.
    """
    lab = pipeline("-backlog", "1000", "-rate", "300", "-idle", "5s")
    second = lab.collector(lab.config, name="second")
    more_stored(lab, 500)
    for victim in (lab.col, second):
        victim.signal(signal.SIGSTOP)
        time.sleep(STANDSTILL)
        more_stored(lab, 300)
        victim.signal(signal.SIGCONT)
        wait_until(lambda: victim.metric("vcourier_collector_fenced_total") > 0, 60, "the other writer is detected")
        more_stored(lab, 300)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_killed_after_a_hole(pipeline, rng):
    """
    A foreign message is stored in place of one of the collector's, and the collector's next message after it. The collector is
    killed before it repeats the missing one. Its successor must detect the hole, with a month of history before it.
    """
    lab = pipeline("-backlog", "200000", "-backlog-span", "720h")
    for _ in range(20):
        more_stored(lab)
        lab.ledger.js.wire.request("vc.lab.foreign", b"{}")
        pause(rng, 0.03)
        lab.col.kill()
        lab.col.start()
    lab.ledger.settle(120)


@pytest.fixture
def pair(pipeline):
    """Starts two collectors with one lease. Returns (the active one, the standby)."""
    lab = pipeline("-backlog", "100", "-rate", "50", "-idle", "5s", standby=True)
    both = [lab.col, lab.collector(lab.config, name="second")]
    return lab, *leader_first(both)


def leads(collector):
    return collector.metric("vcourier_collector_leader") == 1


def leader_first(both):
    wait_until(lambda: sum(map(leads, both)) == 1, 60,
               lambda: "one of them leads: " + "\n".join(f"{c.name} {c.get('/readyz')} {c.text()[-2000:]}" for c in both))
    return sorted(both, key=leads, reverse=True)


def settled(lab):
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_takeover_within_15_seconds_of_a_kill(pair):
    lab, leader, standby = pair
    more_stored(lab, 100)
    standby.wait_ready()
    assert lab.vc.stats()["sessions"] == 1  # a standby sends no requests to vCenter
    leader.kill()
    more_stored(lab, 1, timeout=15)
    assert leads(standby) and standby.running()
    leader.start()
    leader.wait_ready()
    settled(lab)
    assert not leads(leader)


def test_takeover_at_once_on_sigterm(pair):
    """The lease is released long before it expires, and the standby takes it."""
    lab, leader, standby = pair
    more_stored(lab, 100)
    standby.wait_ready()
    bus = lab.bus.connect()
    lease = bus.subscribe("$KV.vcourier.lease.>")
    bus.flush()
    assert leader.stop(20) == 0
    while not (taken := bus.next(lease)).data.startswith(f"{standby.pid}-".encode()):
        pass
    bus.close()
    assert b"Nats-Expected-Last-Subject-Sequence: 0" not in taken.headers
    more_stored(lab, 1)
    assert leads(standby)
    settled(lab)


def test_suspended_leader_resumes(pair):
    """Its lease expires meanwhile. After it resumes, it must not act as the leader."""
    lab, leader, standby = pair
    more_stored(lab, 100)
    leader.signal(signal.SIGSTOP)
    more_stored(lab, 1, timeout=15)
    time.sleep(STANDSTILL)
    leader.signal(signal.SIGCONT)
    more_stored(lab, 300)
    assert leader_first([leader, standby])[0] is standby
    settled(lab)


def test_two_vcenters_one_file(lab):
    nats = lab.nats()
    one, two = lab.vcenter("-backlog", "300", name="one"), lab.vcenter("-backlog", "400", "-seed", "2", name="two")
    config = router_config(nats, lab.authority.ca, [provider(one, "vc-1", startFrom="earliest"),
                                                    provider(two, "vc 2", startFrom="earliest")])
    lab.collector(config, "--name", "vc-1", name="collector-1")
    lab.collector(config, "--name", "vc 2", name="collector-2")
    assert lab.open_ledger(nats, one, "VC_vc-1").settle() == len(one.events())
    assert lab.open_ledger(nats, two, "VC_vc=202").settle() == len(two.events())
