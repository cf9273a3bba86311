# SPDX-License-Identifier: Apache-2.0
"""The webhook source beside the others: killed under load, two of them, its events at a dispatcher, and the operator's tool."""
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import threading
from collections import Counter

from lab.bususers import SecuredNats
from lab.pipeline import LONG, pause, seeded
from lab.process import BUILD, free_port, wait_until
from lab.product import knative, router_config
from lab.receiver import Answer
from lab.stream import PROVIDER, Stream
from lab.webhook import BATCH, STREAM, Sender, Webhook, event

SENDERS = 8


class Load:
    """Senders that repeat each request until it is accepted, as a webhook's sender does."""

    def __init__(self, addresses):
        self.addresses, self.end = addresses, threading.Event()
        self.accepted, self.repeated, self.lock = [], 0, threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(SENDERS)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        sender, n = Sender(self.addresses[number % len(self.addresses)], timeout=30), 0
        while not self.end.is_set():
            n += 1
            events = [event(f"{number}-{n}-{i}") for i in range(3 if n % 4 == 0 else 1)]
            self._deliver(sender, events)
            with self.lock:
                self.accepted += [e["id"] for e in events]

    def _deliver(self, sender, events):
        """Not even the end of the load stops a request that was begun: it is repeated until it is accepted."""
        while True:
            try:
                answer = sender.send(events, BATCH) if len(events) > 1 else sender.send(events[0])
                if answer[0] == 202:
                    return
                assert answer[0] == 503, answer
            except (OSError, http.client.HTTPException):
                pass
            with self.lock:
                self.repeated += 1
            self.end.wait(0.02)

    def stop(self):
        self.end.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads)
        return self.accepted


def test_kill9_under_load(lab):
    """At random instants, the collector or NATS: each event that was accepted is in the stream once."""
    rng, hook = seeded(), Webhook(lab)
    load = Load([hook.address])
    for i in range(50 if LONG else 14):
        pause(rng, 0.6)
        victim = hook.nats if i % 5 == 4 else hook.collector
        victim.kill()
        victim.start()
    hook.collector.wait_ready()
    accepted = load.stop()
    ids = Counter(hook.ids())
    assert len(accepted) > 100 and load.repeated > 0
    assert [e for e in ids if ids[e] > 1] == [], "stored twice"
    assert set(accepted) == set(ids), (len(accepted), len(ids))
    print(f"{len(accepted)} events accepted, {load.repeated} requests repeated, {len(ids)} events stored")


def test_two_collectors_of_one_webhook(lab):
    """Behind a load balancer: both store, neither stops the other, and an event that both get is stored once."""
    hook = Webhook(lab)
    address = f"127.0.0.1:{free_port()}"
    second = json.loads(json.dumps(hook.config))
    second["eventProvider"]["webhook"]["bindAddress"] = address
    collector = lab.collector(second, name="second").wait_ready()
    load = Load([hook.address, address])
    wait_until(lambda: len(load.accepted) > 500, 60, "500 events are accepted")
    accepted = load.stop()
    assert Sender(hook.address).send(event("both"))[0] == 202 and Sender(address).send(event("both"))[0] == 202
    assert sorted([*accepted, "eboth"]) == sorted(hook.ids())
    for one in (hook.collector, collector):
        assert one.metric("vcourier_collector_fenced_total") == 0 and one.metric("vcourier_collector_events_total", result="published") > 0


def cli(nats, *arguments):
    return subprocess.run([BUILD / "vcourier", *arguments, "--server", nats.url], capture_output=True, text=True, timeout=60)


def test_dispatcher_reads_both_kinds_of_streams(lab):
    """A dispatcher delivers events of a vCenter's stream and of the webhook's, dead-letters and replays both."""
    hook = Webhook(lab)
    stream = Stream(lab, hook.nats)
    stream.make_stream()
    bad = {"e2"}
    receiver = lab.receiver(lambda r: Answer(400) if r.event()["id"] in bad else None)
    config = router_config(hook.nats, providers=[PROVIDER, hook.provider], processors=[knative(receiver.url) | {"retry": {"rejectGrace": "0s"}}])
    dispatcher = lab.dispatcher(config).wait_ready()
    sender = hook.sender()
    assert [sender.send(event(n))[0] for n in range(5)] == [202] * 5
    stream.publish(3)
    receiver.wait_count(8)
    wait_until(lambda: len(stream.dead()) == 1, 60, "a dead letter")
    letter, = stream.dead()
    assert letter.subject == "vcdead.kn.hooks.com.example.alarm.raised"
    assert letter.headers["Vcourier-Subject"] == "ce.hooks.com.example.alarm.raised"
    assert (letter.headers["Vcourier-Stream"], letter.headers["Vcourier-Sequence"]) == (STREAM, "3")
    line = cli(hook.nats, "dead", "ls").stdout
    assert " kn com.example.alarm.raised " in line, line
    assert json.loads(cli(hook.nats, "dead", "ls", "--json", "--event", "com.example.alarm.raised").stdout)["stream"] == STREAM

    # a redrive that is refused again keeps the subject of the event
    assert cli(hook.nats, "dead", "redrive", "--all").returncode == 0
    wait_until(lambda: len(stream.dead()) == 1 and stream.dead()[0].seq > letter.seq, 60, "the next dead letter")
    assert stream.dead()[0].headers["Vcourier-Subject"] == "ce.hooks.com.example.alarm.raised"
    bad.clear()
    assert cli(hook.nats, "dead", "redrive", "--all").returncode == 0
    receiver.wait_for(lambda requests: any(r.event()["id"] == "e2" and r.status == 202 for r in requests), 60, "the redriven event")

    before = receiver.count
    replay = cli(hook.nats, "replay", "--dispatcher", "kn", "--all", "--filter", "ce.hooks.com.example.>")
    assert replay.returncode == 0, replay
    receiver.wait_count(before + 5)
    assert {r.event()["id"] for r in receiver.requests[before:before + 5]} == {f"e{n}" for n in range(5)}
    status = cli(hook.nats, "status")
    assert STREAM in status.stdout and "VC_lab" in status.stdout, status
    assert "webhook" in cli(hook.nats, "status", "--json").stdout
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_consumer_pending") == 0, 60)


def test_tail_and_subjects(lab):
    hook = Webhook(lab)
    sender = hook.sender()
    assert [sender.send(event(n, type="a.b" if n else "c"))[0] for n in range(3)] == [202] * 3
    tail = cli(hook.nats, "tail", "ce.hooks.a.>", "--since", "1h", "-n", "2", "--json")
    assert tail.returncode == 0 and [json.loads(line)["id"] for line in tail.stdout.splitlines()] == ["e1", "e2"], tail
    wrong = cli(hook.nats, "tail", "ce.hooks")
    assert wrong.returncode == 64 and "ce.<source>.<type>" in wrong.stderr, wrong


def test_with_permissions(lab, tmp_path):
    """compose/nats/users.py --source: collector, dispatcher and operator can do their work, and the collector no more."""
    nats = lab._keep(SecuredNats(tmp_path, "--vcenter", "lab", "--source", "hooks", "--dispatcher", "kn", "--guest", "g")).start()
    nats.account = ("admin", nats.password("admin"))
    hook = Webhook(lab, nats=nats, start=False, user="collector-hooks")
    hook.collector.wait_ready()
    receiver = lab.receiver()
    config = router_config(nats, providers=[hook.provider], processors=[knative(receiver.url)])
    config["bus"] = hook.bus("dispatcher-kn")
    lab.dispatcher(config).wait_ready()
    assert hook.sender().send(event(1))[0] == 202
    receiver.wait_count(1)
    login = ["--server", nats.url, "--user", "cli", "--password-file", str(tmp_path / "nats" / "secrets" / "cli")]
    status = subprocess.run([BUILD / "vcourier", "status", *login], capture_output=True, text=True, timeout=60)
    assert STREAM in status.stdout, status
    wire = nats.login("collector-hooks")
    for subject in ("vc.lab.x", "ce.other.x", "vcdead.kn.x", "$JS.API.STREAM.DELETE.CE_hooks"):
        wire.publish(subject, b"{}")
        wait_until(lambda: nats.lines(f'Publish Violation.*"{re.escape(subject)}"'), 60, f"{subject} is refused")


def test_events_that_wait_have_the_bound_of_bodies(lab):
    """NATS stands still, and each body becomes an event of six times its size. They share the 64 MiB; what does not fit is sent again later."""
    hook = Webhook(lab, maxConnections=1000, timeout="60s")
    assert hook.sender().send(event(1))[0] == 202
    host, port = hook.address.rsplit(":", 1)
    body, sockets = b"\x01" * 170_000, []
    for i in range(350):
        s = socket.create_connection((host, int(port)), timeout=60)
        lab.closers.append(s.close)
        s.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nContent-Type: text/plain\r\nce-specversion: 1.0\r\n"
                  b"ce-source: s\r\nce-type: t\r\nce-id: %d\r\n\r\n%b" % (len(body), i, body[:-1]))
        sockets.append(s)
    wait_until(lambda: hook.collector.rss("VmRSS") > len(sockets) * len(body), 60, "the bodies are read up to their last byte")
    os.kill(hook.nats.pid, signal.SIGSTOP)
    for s in sockets:
        s.sendall(body[-1:])
    early, _, _ = select.select(sockets, [], [], 60)
    os.kill(hook.nats.pid, signal.SIGCONT)
    assert b"too many requests at once" in early[0].recv(4096) and hook.collector.peak() < 160 << 20
