# SPDX-License-Identifier: Apache-2.0
"""Faults of NATS. Each ends with the books (test_faults.py)."""
import subprocess

import pytest

from lab.process import wait_until
from lab.world import pause, stored_at_least


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
    lab.vc.lab("expire", what="collectors")  # the one in use now does not begin where the first one did
    lab.vc.burst(1)
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
