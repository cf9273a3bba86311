# SPDX-License-Identifier: Apache-2.0
"""Delivery by a dispatcher beside hostile consumers of the same stream, against delivery without them.

Phases without and with them take turns, so that other load of the machine counts for both. At the end each event was delivered once."""
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lab.bususers import SecuredNats  # noqa: E402
from lab.nats_wire import Wire  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.product import knative, router_config  # noqa: E402
from lab.receiver import Answer  # noqa: E402
from lab.stream import PROVIDER, event, subject  # noqa: E402

RATE, SECONDS, TURNS = 100, 8, 4
PULLS = 10  # each 10 ms
API = "$JS.API"
NAMES = ("never", "slow", "deaf", "many")
TIME = 1.2  # p99 beside hostile consumers may be this many times the p99 without them


class Hostile:
    """A process of its own, so that it does not hold up the Python of the receiver."""

    def __init__(self, bus):
        self.bus = bus
        accounts = [f"connector-{name}={bus.password(f'connector-{name}')}" for name in NAMES]
        self.process = subprocess.Popen([sys.executable, __file__, str(bus.port), *accounts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def close(self):
        self.process.kill()
        self.process.wait()
        admin = self.bus.login("admin")
        info = admin.request(f"{API}.CONSUMER.INFO.VC_lab.never").json()
        assert info["num_ack_pending"] == RATE * SECONDS, "it got every event, and acknowledged none"
        for name in ("never", "slow"):
            admin.request(f"{API}.CONSUMER.DELETE.VC_lab.{name}")
        admin.close()


def hostile(port, accounts):
    """One never acknowledges and sends 1,000 pull requests a second; one says for each event that it is still working on it; one does not read what it
    subscribes to; one has 10,000 subscriptions."""
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # consumers run on other machines: only what they cost the server counts
    never, slow, deaf, many = (Wire(int(port), *account.split("=", 1)) for account in accounts)
    deaf.subscribe("vc.lab.>")
    for n in range(10_000):
        many.subscribe(f"vc.lab.*.*.*.event.N{n}")
    many.flush()
    for connection, name in ((never, "never"), (slow, "slow")):
        made = connection.request(f"{API}.CONSUMER.DURABLE.CREATE.VC_lab.{name}", {"stream_name": "VC_lab", "config": {
            "durable_name": name, "ack_policy": "explicit", "filter_subject": "vc.lab.>", "max_ack_pending": 10_000, "deliver_policy": "new"}}).json()
        assert "error" not in made, made

    def work():
        inbox = slow.subscribe("_INBOX.slow")
        while True:
            slow.publish(f"{API}.CONSUMER.MSG.NEXT.VC_lab.slow", b'{"batch":1,"expires":1000000000}', reply="_INBOX.slow")
            if reply := slow.next(inbox).reply:
                slow.publish(reply, b"+WPI")
    threading.Thread(target=work, daemon=True).start()
    inbox = never.subscribe("_INBOX.never")
    threading.Thread(target=lambda: [never.next(inbox) for _ in iter(int, 1)], daemon=True).start()
    print("ready", flush=True)
    while True:
        for _ in range(PULLS):
            never.publish(f"{API}.CONSUMER.MSG.NEXT.VC_lab.never", b'{"batch":1000,"expires":60000000000}', reply="_INBOX.never")
        time.sleep(0.01)


class Delivery:
    def __init__(self, lab, bus):
        self.collector, self.published, self.arrived = bus.login("collector-lab"), {}, {}
        self.collector.request(f"{API}.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"]})
        receiver = lab.receiver(self.answer, keep=False)
        config = router_config(bus, providers=[PROVIDER], processors=[knative(receiver.url)])
        config["bus"] |= {"user": "dispatcher-kn", "passwordFile": str(bus.directory / "secrets/dispatcher-kn")}
        self.dispatcher = lab.dispatcher(config).wait_ready()

    def answer(self, request):
        self.arrived.setdefault(int(request.headers["ce-eventkey"]), []).append(request.at)
        return Answer(202)

    def phase(self):
        """Milliseconds of each event of one phase, from the publication to the request."""
        first = len(self.published) + 1
        start = time.monotonic()
        for n in range(RATE * SECONDS):
            time.sleep(max(0, start + n / RATE - time.monotonic()))
            key = first + n
            self.published[key] = time.time()
            self.collector.publish(subject(), event(key), headers={"Content-Type": "application/cloudevents+json"})
        wait_until(lambda: len(self.arrived) == len(self.published), 60, "all events arrive")
        return [(self.arrived[key][0] - self.published[key]) * 1000 for key in range(first, first + RATE * SECONDS)]


def p99(late):
    return sorted(late)[int(len(late) * 0.99)]


def run(lab):
    bus = lab._keep(SecuredNats(lab.directory, "--vcenter", "lab", "--dispatcher", "kn", *(w for n in NAMES for w in ("--connector", n)))).start()
    delivery, alone, beside = Delivery(lab, bus), [], []
    delivery.phase()  # connections are open, caches are warm
    for _ in range(TURNS):
        alone.append(delivery.phase())
        consumers = Hostile(bus)
        beside.append(delivery.phase())
        consumers.close()
    wait_until(lambda: delivery.dispatcher.metric("vcourier_dispatcher_ack_pending") == 0, 60, "all are settled")
    assert all(len(times) == 1 for times in delivery.arrived.values()) and delivery.arrived.keys() == delivery.published.keys(), "each event once"
    assert delivery.dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == len(delivery.published)
    for what, phases in (("without", alone), ("beside hostile consumers", beside)):
        yield f"{RATE} events/s, {what}: p50", statistics.median(sum(phases, [])), "ms"
        yield f"{RATE} events/s, {what}: p99, median of {TURNS} phases", statistics.median(map(p99, phases)), "ms"
    yield "p99 without them", statistics.median(map(p99, alone)) / statistics.median(map(p99, beside)), "p99 beside them", round(1 / TIME, 2)


if __name__ == "__main__":
    hostile(sys.argv[1], sys.argv[2:])
