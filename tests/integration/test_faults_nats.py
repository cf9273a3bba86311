# SPDX-License-Identifier: Apache-2.0
"""Faults of NATS. Each ends with a comparison of stream and vCenter (test_faults.py)."""
import os
import re
import signal
import subprocess
import time

import pytest

from lab.jetstream import ApiError
from lab.natsserver import version
from lab.process import wait_until
from lab.proxy import Proxy
from lab.stand_in import StandIn, elections
from lab.pipeline import LONG, more_stored, pause, stored_at_least


def test_nats_killed_and_restarted(pipeline, rng):
    lab = pipeline("-backlog", "5000", "-rate", "300")
    for _ in range(4):
        pause(rng, 1.5)
        lab.bus.kill()
        pause(rng, 1.0)
        lab.bus.start()
        lab.ledger.js.close()
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_nats_and_collector_killed_together(pipeline, rng):
    lab = pipeline("-backlog", "3000", "-rate", "300")
    for _ in range(3):
        pause(rng, 1.5)
        lab.col.kill()
        lab.bus.kill()
        lab.bus.start()
        lab.ledger.js.close()
        lab.col.start()
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_nats_suspended(pipeline):
    """SIGSTOP: connections stay open, but there are no replies."""
    lab = pipeline("-backlog", "500", "-rate", "200")
    stored_at_least(lab, 600)
    lab.bus.signal(signal.SIGSTOP)
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready")
    time.sleep(60 if LONG else 1)
    lab.bus.signal(signal.SIGCONT)
    lab.ledger.js.close()
    more_stored(lab, 100)
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_connection_faults_to_nats(pipeline, lab, rng):
    """Silent, reset and refused connections between the collector and a healthy server."""
    bus = lab.nats()
    proxy = Proxy(bus.port)
    lab.closers.append(proxy.close)
    lab = pipeline("-backlog", "1000", "-rate", "200", bus=bus, login={"urls": [f"nats://127.0.0.1:{proxy.port}"]})
    stored_at_least(lab, 1100)
    for _ in range(3):
        proxy.reset()
        pause(rng, 0.5)
        proxy.down()
        pause(rng, 1.0)
        proxy.up()
        more_stored(lab, 50)
    proxy.deaf = True  # its messages are stored, but no ack arrives
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready")
    proxy.deaf = False
    proxy.reset()
    lab.vc.lab("rate", r=0)
    lab.ledger.settle()


def test_nats_after_a_power_cut(pipeline):
    """The store is set back: the missing events are read from vCenter again."""
    lab = pipeline("-backlog", "1000")
    lab.ledger.settle()
    lab.bus.keep_store()
    lab.ledger.js.close()
    lab.vc.burst(500)
    lab.ledger.settle()
    lab.bus.cut_power()
    lab.ledger.js.close()
    lab.vc.burst(100)
    assert lab.ledger.settle() == len(lab.vc.events())


def users(collector_may):
    """The configuration of two users; the collector may publish only these subjects."""
    return ('authorization { users: [ { user: admin, password: canary-a },\n'
            f'  {{ user: collector, password: canary-c, permissions: {{ publish: {collector_may} }} }} ] }}')


def test_permission_revoked(lab, pipeline):
    """Revoked by a reload: the collector logs it, loses nothing, and continues once the permission is back."""
    bus = lab.nats(extra=users('">"'))
    bus.account = ("admin", "canary-a")
    lab = pipeline("-backlog", "300", bus=bus, login={"user": "collector", "password": "canary-c"})
    lab.ledger.settle()
    bus.reload(users('{ deny: "vc.>" }'))
    lab.vc.burst(100)
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready: it may not publish")
    bus.reload(users('">"'))
    lab.ledger.js.close()
    lab.ledger.settle()
    assert "canary-c" not in lab.col.text()


def test_stream_deleted(pipeline):
    """Deleted by an administrator: the stream is recreated or the fault is logged; no event is missing without a trace."""
    lab = pipeline("-backlog", "500")
    lab.ledger.settle()
    lab.vc.lab("expire", what="collectors")  # the current one does not start where the first one did
    lab.vc.burst(1)
    lab.ledger.settle()
    lab.ledger.js.api("STREAM.DELETE.VC_lab")
    lab.vc.burst(100)
    lab.ledger.settle()


def test_the_stream_refuses_purges_and_deletions(pipeline):
    """The last message is the position, so the collector creates a stream that refuses purges and deletions of messages."""
    lab = pipeline("-backlog", "10")
    lab.ledger.settle()
    stored = lab.ledger.js.count("VC_lab")
    for call, body in (("PURGE", {}), ("MSG.DELETE", {"seq": 3})):
        with pytest.raises(ApiError):
            lab.ledger.js.api(f"STREAM.{call}.VC_lab", body)
    assert lab.ledger.js.count("VC_lab") == stored


def test_stream_purged(pipeline, lab):
    """An administrator purges a stream of an earlier release: the collector continues, without duplicates or lost new events."""
    bus = lab.nats()
    lab.jetstream(bus).api("STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"], "storage": "file",
                           "max_age": 7 * 86400 * 10**9, "max_bytes": 8 << 30, "duplicate_window": 1800 * 10**9, "allow_direct": True})
    lab = pipeline("-backlog", "500", bus=bus)
    lab.ledger.settle()
    old = set(lab.vc.events())
    lab.ledger.js.api("STREAM.PURGE.VC_lab")
    lab.vc.burst(100)
    new = set(lab.vc.events()) - old
    wait_until(lambda: new <= {e[1:] for e in lab.ledger.stored()}, 60, "the new ones")
    stored = lab.ledger.stored()
    assert len(stored) == len(set(stored))


def test_stream_full_pauses(pipeline):
    """whenFull: pause: vCenter keeps the events until there is space."""
    lab = pipeline("-backlog", "3000", stream={"maxBytes": "1MiB", "whenFull": "pause"})
    wait_until(lambda: lab.col.metric("vcourier_collector_publish_errors_total") > 0, 60, "the stream is full")
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready: the stream is full")
    held = lab.ledger.js.count("VC_lab")
    assert 0 < held < 3000 and lab.ledger.js.info("VC_lab")["state"]["first_seq"] == 1
    config = lab.ledger.js.info("VC_lab")["config"]
    lab.ledger.js.api("STREAM.UPDATE.VC_lab", {**config, "max_bytes": 1 << 30})
    lab.ledger.settle()
    lab.col.wait_ready()


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def mount(disk, image):
    """Mounts a file system of 48 MB and returns its type: ext4 on a loop device, or tmpfs without one. Needs root."""
    try:
        run("truncate", "-s", "48M", image)
        run("/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image)
        run("mount", "-o", "loop", image, disk)
        return "ext4 on a loop device"
    except (OSError, subprocess.CalledProcessError) as e:
        why = str(getattr(e, "stderr", e)).strip()
    try:
        run("mount", "-t", "tmpfs", "-o", "size=48m", "vcourier-test", disk)
        return f"tmpfs, because {why}"
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"cannot mount a small file system: {why}")


@pytest.fixture
def small_disk(tmp_path):
    """A small disk with 6 MB of free space. Deleting the ballast file frees more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    print("the small disk is", mount(disk, tmp_path / "image"))
    free = os.statvfs(disk)
    with open(disk / "ballast", "wb") as ballast:
        os.posix_fallocate(ballast.fileno(), 0, free.f_bavail * free.f_frsize - (6 << 20))
    yield disk
    run("umount", "-l", disk)


def needs_a_restart(bus, stores_again):
    """Whether this nats-server needs a restart after the disk was full, according to its log or its goroutines."""
    if bus.lines("Critical write error"):
        bus.kill()
    elif version() < (2, 10) and not stores_again():
        bus.signal(signal.SIGQUIT)
        bus.wait()
        assert re.search(r"semacquire[\s\S]{,900}rebuildStateLocked[\s\S]{,300}writeMsgRecord", bus.text())
    return not bus.running()


def test_disk_full(lab, pipeline, small_disk):
    """
    The server cannot store: the collector waits and logs it. With free space it continues without a restart of the collector.
    nats-server 2.9 may need a restart: writeMsgRecord holds the lock of the block and on ENOSPC may call rebuildStateLocked, which
    waits for that lock forever and logs nothing. 2.15 needs one too, on purpose: "Critical write error". 2.10 and 2.12 need none.
    """
    bus = lab.nats(store=small_disk / "js")
    lab = pipeline("-backlog", "12000", bus=bus)
    wait_until(lambda: lab.col.metric("vcourier_collector_publish_errors_total") > 0, 60, "the disk is full")
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready: the disk is full")
    held, pid = lab.ledger.js.count("VC_lab"), lab.col.pid
    assert held < 12000

    def published():
        return lab.col.metric("vcourier_collector_events_total", result="published")

    def stores_again():
        try:
            return wait_until(lambda: published() > before, 20)
        except AssertionError:
            return False

    before = published()
    (small_disk / "ballast").unlink()
    if needs_a_restart(bus, stores_again):
        print("nats-server", version(), "has to be restarted")
        bus.start()
        lab.ledger.js.close()
    lab.ledger.settle(120)
    lab.col.wait_ready()
    assert lab.col.pid == pid


def all_current(lab):
    wait_until(lambda: lab.ledger.js.whole("VC_lab"), 60, "all replicas current")


def all_hold_the_same(cluster):
    """Each server is asked about its own replica, because the leader's view of the others is not sufficient."""
    def held():
        return [server.holds("VC_lab") for server in cluster]
    return wait_until(lambda: len(set(held())) == 1 and held()[0], 60, lambda: f"each server the same: {held()}")


def stream_leader(lab, stream="VC_lab"):
    return lab.ledger.js.info(stream)["cluster"]["leader"]


def test_quorum_lost(lab, pipeline):
    """Only one of three servers is left: vCenter keeps the events, and memory does not grow, until a second server is back."""
    cluster = lab.cluster(3)
    lab = pipeline("-backlog", "1000", bus=cluster, stream={"replicas": 3})
    lab.ledger.settle()
    for server in cluster[:2]:
        server.kill()
    lab.vc.burst(5000)
    wait_until(lambda: lab.col.get("/readyz")[0] == 503, 60, "not ready")
    time.sleep(60 if LONG else 1)
    assert lab.col.metric("vcourier_collector_publish_in_flight") <= 512
    cluster[0].start()
    lab.ledger.js.close()
    stored_at_least(lab, 6000, 120)
    lab.col.wait_ready()
    cluster[1].start()
    all_current(lab)
    assert lab.ledger.settle() == all_hold_the_same(cluster)[2]


def test_refused_events_are_stored_in_a_stream_with_replicas(lab, pipeline):
    """
    A foreign message takes the sequence that the collector's next events expect. nats-server 2.10 and 2.11 remember the ids of the events that
    they refuse, and refuse these ids until the end of the duplicate window.
    """
    lab = pipeline("-backlog", "200", bus=lab.cluster(3), stream={"replicas": 3})
    lab.ledger.settle()
    for _ in range(3):
        fenced = lab.col.metric("vcourier_collector_fenced_total")
        lab.ledger.js.wire.request("vc.lab.foreign", b"{}")
        lab.vc.burst(2000)
        lab.ledger.settle()
        assert lab.col.metric("vcourier_collector_fenced_total") > fenced
    lab.col.wait_ready()


def test_leader_of_three_killed(lab, pipeline, rng):
    cluster = lab.cluster(3)
    lab = pipeline("-backlog", "2000", "-rate", "200", bus=cluster, stream={"replicas": 3})
    stored_at_least(lab, 100)
    for _ in range(2):
        victim = next(s for s in cluster if s.name == stream_leader(lab))
        victim.kill()
        lab.ledger.js.server = next(s for s in cluster if s is not victim)
        lab.ledger.js.close()
        before = lab.ledger.js.count("VC_lab")
        stored_at_least(lab, before + 1)
        victim.start()
        all_current(lab)
    lab.vc.lab("rate", r=0)
    assert lab.ledger.settle(120) == all_hold_the_same(cluster)[2]


def test_replicas_that_caught_up_are_identical(lab, pipeline):
    """
    A replica that catches up from the leader must also store the later messages. With an expected last message id it would
    compare with an id that it does not know, drop every later message, and still acknowledge.
    """
    cluster = lab.cluster(3)
    lab = pipeline("-backlog", "1000", bus=cluster, stream={"replicas": 3})
    lab.ledger.settle()
    for round in range(2):
        for victim in cluster:
            victim.kill()
            lab.ledger.js.server = next(s for s in cluster if s is not victim)
            lab.ledger.js.close()
            lab.vc.burst(2000)
            lab.ledger.settle(120)
            victim.start()
            lab.vc.burst(200)
            lab.ledger.settle(120)
            all_hold_the_same(cluster)


def test_end_of_the_stream_lost_while_idle(lab, pipeline):
    """A power cut of a server that the collector is not connected to, without new events: the collector still detects it."""
    cluster = lab.cluster(3)
    lab = pipeline("-backlog", "500", bus=cluster)
    stored = lab.ledger.settle()
    holder = next(s for s in cluster if s.name == stream_leader(lab))
    others = [s for s in cluster if s is not holder]
    lab.col.stop()
    holder.keep_store()
    lab.ledger.js.server = others[0]
    lab.ledger.js.close()
    stored_at_least(lab, stored)
    lab.col.configure({**lab.config, "bus": {"urls": [others[0].url]}})
    lab.col.start()
    lab.vc.burst(300)
    lab.ledger.settle()
    holder.cut_power()
    lab.ledger.js.close()
    lab.ledger.settle(120)
    assert lab.col.metric("vcourier_nats_reconnects_total") == 0
    assert lab.col.lines("the stream was changed")


def test_a_lagging_leader_is_not_taken_for_a_shorter_stream(lab, pipeline):
    """After an election the leader may report for a short time that the stream ends earlier: nothing is read again."""
    cluster = lab.cluster(3)
    lab = pipeline("-backlog", "500", bus=cluster, stream={"replicas": 3})
    lab.ledger.settle()
    subject = "$JS.API.STREAM.INFO.VC_lab"
    leader = StandIn(cluster, {subject: elections(lab.ledger.js.info("VC_lab"), 400)})
    leader.wait_asked(subject, 2)
    leader.end()
    lab.vc.burst(100)
    lab.ledger.settle()
    assert not lab.col.lines("the stream was changed")


def test_lease_outlives_a_server(lab, pipeline):
    """The leader of the lease bucket and the active collector are killed together: the standby takes over."""
    cluster = lab.cluster(3)
    lab = pipeline("-backlog", "100", bus=cluster, stream={"replicas": 3}, standby=True)
    lab.ledger.settle()
    second = lab.collector(lab.config, name="second").wait_ready()
    victim = next(s for s in cluster if s.name == stream_leader(lab, "KV_vcourier"))
    victim.kill()
    lab.col.kill()
    lab.ledger.js.server = next(s for s in cluster if s is not victim)
    lab.ledger.js.close()
    lab.vc.burst(100)
    lab.ledger.settle(60)
    assert second.metric("vcourier_collector_leader") == 1
