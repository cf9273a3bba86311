# SPDX-License-Identifier: Apache-2.0
"""Nothing lost, nothing twice: the collector under every fault, against the simulator's ground truth.

Each scenario ends with the books: every event that vCenter holds and shows is in the stream once, none twice, none made
up. VCOURIER_SEED chooses the random instants. VCOURIER_LONG=1 is the long form (100 kills, 90 s of standstill);
`make soak MINUTES=n` mixes everything for as long as one likes.
"""
import os
import random
import signal
import subprocess
import time

import pytest

from lab.process import wait_until
from lab.product import provider, router_config

SEED = int(os.environ.get("VCOURIER_SEED", "20261122"))
LONG = bool(os.environ.get("VCOURIER_LONG"))


@pytest.fixture
def chance():
    """Seeded, so that a failure can be run again."""
    print(f"VCOURIER_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def world(lab):
    """NATS, a vCenter, a collector that reads all of its history."""
    def start(*flags, bus=None, stream=None, login=None, **options):
        servers = bus if isinstance(bus, list) else [bus or lab.nats()]
        lab.bus = servers[0]
        lab.vc = lab.vcenter(*flags)
        lab.options = {"startFrom": "earliest", **options}
        lab.config = router_config(lab.bus, lab.authority.ca, [provider(lab.vc, **lab.options)])
        lab.config["bus"] = {"urls": [s.url for s in servers], **({"stream": stream} if stream else {}), **(login or {})}
        lab.col = lab.collector(lab.config)
        lab.book = lab.books(lab.bus, lab.vc)
        return lab
    return start


def stored_at_least(lab, n, timeout=60):
    wait_until(lambda: lab.book.js.count("VC_lab") >= n, timeout, lambda: f"{lab.book.js.count('VC_lab')} of {n} stored")


def pause(chance, longest):
    """Random instants are the point here, not waiting for something."""
    time.sleep(chance.uniform(0.02, longest))


# ---- the collector dies

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


# ---- vCenter misbehaves

@pytest.mark.parametrize("kind", ["cut", "truncated", "reset", "503", "302", "html", "garbage", "flood", "control", "utf8", "tags",
                                  "entities", "notauth", "notfound", "invalidstate", "runtime"])
def test_bad_reply(world, kind):
    lab = world("-backlog", "1500", auditInterval="5s")
    for method in ("ReadNextEvents", "ReadNextEvents", "CreateCollectorForEvents", None):
        lab.vc.fault(kind, n=1, method=method)
        lab.vc.burst(100)
    lab.book.settle()
    wait_until(lambda: lab.vc.stats()["faults"] == 0, 60, f"all {kind} faults met")
    lab.vc.burst(10)
    lab.book.settle()
    assert lab.col.rss() < 200 << 20


@pytest.mark.parametrize("what", ["sessions", "collectors", "state"])
def test_expiry(world, what):
    lab = world("-backlog", "500", "-rate", "100")
    lab.col.wait_ready()
    for _ in range(3):
        before = lab.book.js.count("VC_lab")
        lab.vc.lab("expire", what=what)
        stored_at_least(lab, before + 50)
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_slow_and_trickling(world):
    lab = world("-backlog", "300")
    lab.vc.fault("slow", n=5, ms=700)
    lab.vc.fault("trickle", n=2, ms=1, method="CreateCollectorForEvents")
    lab.vc.burst(50)
    lab.book.settle()


def test_silent(world):
    lab = world("-backlog", "100", timeout="3s")
    lab.col.wait_ready()
    lab.vc.fault("silent", n=2)
    lab.vc.burst(50)
    lab.book.settle()
    assert lab.vc.stats()["faults"] == 0


def test_vcenter_restarts(lab, world):
    """Down for a while: sessions and collectors are gone, its events too (the simulator starts empty)."""
    lab = world("-backlog", "400", "-uuid", "11111111-2222-3333-4444-555555555555")
    lab.book.settle()
    before = set(lab.book.stored())
    lab.vc.kill()
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 30, "not ready without vCenter")
    lab.vc.argv += ["-backlog", "0"]
    lab.vc.start()
    lab.col.wait_ready()
    lab.vc.burst(200)
    wait_until(lambda: not lab.book.missing(), 60, "what is new is stored")
    stored = lab.book.stored()
    assert before <= set(stored) and len(stored) == len(set(stored))


def test_storm_ties_late_holes_wrap(world):
    lab = world("-backlog", "1000", "-keystart", str(2**31 - 6000), "-tie", "7", "-gap", "0.02", "-ooo", "0.05")
    for _ in range(3):
        lab.vc.burst(5000)
    lab.vc.lab("rate", r=300)
    stored_at_least(lab, 17000)
    lab.vc.lab("rate", r=0)
    assert lab.book.settle() > 16000
    assert min(lab.vc.events())[0] < 0


def test_open_collector_hides_late_events(world):
    """Only the audit pass sees them."""
    lab = world("-skip-late", "-ooo", "0.1", "-ooo-by", "2s", "-rate", "100", auditInterval="2s")
    lab.col.wait_ready()
    time.sleep(4)
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_scroll_order_by_time(world):
    lab = world("-by-time", "-backlog", "3000", "-ooo", "0.05", "-rate", "100")
    stored_at_least(lab, 3100)
    lab.vc.lab("expire")
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_database_recreated(world):
    lab = world("-backlog", "500")
    lab.book.settle()
    lab.vc.lab("reinit")
    lab.vc.burst(300)
    lab.book.settle()


def test_restored_from_backup(world):
    """The same keys come again for other events."""
    lab = world("-backlog", "500")
    lab.vc.burst(200)
    lab.book.settle()
    lab.vc.lab("restore", drop=150)
    lab.vc.burst(400)
    lab.book.settle()


@pytest.mark.parametrize("stuck", [0, 1])
def test_hidden_events(world, stuck):
    """Runs of 1500 that the user may not see; with stuck, a page of them never moves on."""
    lab = world("-backlog", "100")
    lab.book.settle()
    lab.vc.lab("hide", run=1500, every=4000, stuck=stuck)
    for _ in range(130):
        lab.vc.burst(100)  # 13,000 events in half a second; times are told to the millisecond
    lab.book.settle(120)


def test_hidden_events_at_the_very_beginning(world):
    """A stuck page, and nothing stored yet to go on from."""
    lab = world("-hide", "1500/4000", "-hide-stuck", "-backlog", "6000")
    lab.book.settle(120)


def test_purge_before_it_was_read(world):
    """What retention took is gone; what is left is read, and the gap is recorded."""
    lab = world("-backlog", "2000")
    lab.book.settle()
    lab.col.kill()
    lab.vc.burst(3000)
    lab.vc.lab("purge", keep=1000)
    lab.col.start()
    wait_until(lambda: not lab.book.missing(), 60, "what vCenter still holds")
    assert len(lab.book.gaps()) == 1 and lab.col.metric("vcourier_collector_event_gap_total") == 1


@pytest.mark.parametrize("step", ["1h", "-1h"])
def test_clock_step(world, step):
    lab = world("-backlog", "200", "-rate", "50")
    stored_at_least(lab, 250)
    lab.vc.lab("clock", offset=step)
    lab.vc.burst(300)
    stored_at_least(lab, 560)
    lab.vc.lab("clock", offset="0s")
    lab.vc.burst(300)
    lab.vc.lab("rate", r=0)
    lab.book.settle(120)


def test_huge_events(world):
    """Larger than NATS takes: trimmed, its head kept; the others pass."""
    lab = world("-backlog", "100")
    lab.vc.burst(1, pad=3_000_000)
    lab.vc.burst(1, pad=20_000_000)
    lab.vc.burst(50)
    lab.book.settle()
    big = [m for m in lab.book.js.read("VC_lab") if len(m.data) > 500_000 or b"trimmed" in m.data[:2000]]
    assert len(lab.book.stored()) == len(lab.vc.events()), big


def test_gives_sessions_and_collectors_back(world):
    """Many failures later: one session, few collectors."""
    lab = world("-backlog", "200", "-max-collectors", "4")
    lab.col.wait_ready()
    for _ in range(10):
        lab.vc.fault("truncated", method="ReadNextEvents")
        wait_until(lambda: lab.vc.stats()["faults"] == 0, 30, "fault met")
        before = lab.book.js.count("VC_lab")
        lab.vc.burst(1)
        stored_at_least(lab, before + 1)
    lab.book.settle()
    stats = lab.vc.stats()
    assert stats["sessions"] == 1 and stats["collectors"] <= 4


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


# ---- NATS fails

def test_nats_killed_and_restarted(world, chance):
    lab = world("-backlog", "5000", "-rate", "300")
    for _ in range(4):
        pause(chance, 1.5)
        lab.bus.kill()
        pause(chance, 1.0)
        lab.bus.start()
        lab.book.js.close()
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_nats_and_collector_killed_together(world, chance):
    lab = world("-backlog", "3000", "-rate", "300")
    for _ in range(3):
        pause(chance, 1.5)
        lab.col.kill()
        lab.bus.kill()
        lab.bus.start()
        lab.book.js.close()
        lab.col.start()
    lab.vc.lab("rate", r=0)
    lab.book.settle()


def test_nats_after_a_power_cut(world):
    """The store as it was a while ago: what is missing is read from vCenter again."""
    lab = world("-backlog", "1000")
    lab.book.settle()
    copy = lab.bus.directory / "copy"
    subprocess.run(["cp", "-a", lab.bus.store, copy], check=True)
    lab.vc.burst(500)
    lab.book.settle()
    lab.bus.kill()
    subprocess.run(["rm", "-rf", lab.bus.store], check=True)
    copy.rename(lab.bus.store)
    lab.bus.start()
    lab.book.js.close()
    lab.vc.burst(100)
    assert lab.book.settle() == len(lab.vc.events())


def users(collector_may):
    """Two users; the collector publishes events only where it may."""
    return ('authorization { users: [ { user: admin, password: canary-a },\n'
            f'  {{ user: collector, password: canary-c, permissions: {{ publish: {collector_may} }} }} ] }}')


def test_permission_revoked(lab, world):
    """By reloading the server's configuration: told, nothing lost, and it goes on when it may again."""
    bus = lab.nats(extra=users('">"'))
    bus.account = ("admin", "canary-a")
    lab = world("-backlog", "300", bus=bus, login={"user": "collector", "password": "canary-c"})
    lab.book.settle()
    bus.reload(users('{ deny: "vc.>" }'))
    lab.vc.burst(100)
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready: it may not publish")
    bus.reload(users('">"'))
    lab.book.js.close()
    lab.book.settle()
    assert "canary-c" not in lab.col.text()


def test_stream_deleted(world):
    """By an admin, under way: made again or told, never a silent hole."""
    lab = world("-backlog", "500")
    lab.book.settle()
    lab.book.js.api("STREAM.DELETE.VC_lab")
    lab.vc.burst(100)
    lab.book.settle()


def test_stream_purged(world):
    """An admin empties the stream: it goes on behind it, nothing comes twice, nothing new is lost."""
    lab = world("-backlog", "500")
    lab.book.settle()
    old = set(lab.vc.events())
    lab.book.js.api("STREAM.PURGE.VC_lab")
    lab.vc.burst(100)
    new = set(lab.vc.events()) - old
    wait_until(lambda: new <= {e[1:] for e in lab.book.stored()}, 60, "the new ones")
    stored = lab.book.stored()
    assert len(stored) == len(set(stored))


def test_stream_full_pauses(world):
    """whenFull: pause: vCenter keeps what does not fit until there is room."""
    lab = world("-backlog", "3000", stream={"maxBytes": "1MiB", "whenFull": "pause"})
    wait_until(lambda: lab.col.metric("vcourier_collector_publish_errors_total") > 0, 60, "the stream is full")
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready: the stream is full")
    held = lab.book.js.count("VC_lab")
    assert 0 < held < 3000 and lab.book.js.info("VC_lab")["state"]["first_seq"] == 1
    config = lab.book.js.info("VC_lab")["config"]
    lab.book.js.api("STREAM.UPDATE.VC_lab", {**config, "max_bytes": 1 << 30})
    lab.book.settle()
    lab.col.wait_ready()


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 6 MB; only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "vcourier-test", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_disk_full(lab, world, small_disk):
    """The server cannot store: back-pressure. With room and a restart of the server (2.9 wants one) it goes on."""
    bus = lab.nats(store=small_disk / "js")
    lab = world("-backlog", "12000", bus=bus)
    wait_until(lambda: lab.col.metric("vcourier_collector_publish_errors_total") > 0, 60, "the disk is full")
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready: the disk is full")
    assert lab.col.running()
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    lab.bus.kill()
    lab.bus.start()
    lab.book.js.close()
    lab.book.settle(120)


def test_leader_of_three_killed(lab, world, chance):
    cluster = lab.cluster(3)
    lab = world("-backlog", "2000", "-rate", "200", bus=cluster, stream={"replicas": 3})
    stored_at_least(lab, 100)
    for _ in range(2):
        leader = lab.book.js.info("VC_lab")["cluster"]["leader"]
        victim = next(s for s in cluster if s.name == leader)
        victim.kill()
        lab.book.js.server = next(s for s in cluster if s is not victim)
        lab.book.js.close()
        before = lab.book.js.count("VC_lab")
        stored_at_least(lab, before + 1)
        victim.start()
        wait_until(lambda: all(r["current"] for r in lab.book.js.info("VC_lab")["cluster"]["replicas"]), 60, "all replicas current")
    lab.vc.lab("rate", r=0)
    lab.book.settle(120)
