# SPDX-License-Identifier: Apache-2.0
"""
Every alert, seen by a real Prometheus: silent before the fault, firing after it.

The faults are real: a peer is killed, a stream fills up, an event is poisoned. The rules are those of the product, with all durations
divided by SPEED (lab/prometheus.py says which), because a test cannot wait for an hour.
"""
import contextlib
import shutil
from pathlib import Path

from lab.gateway import Gateway
from lab.pipeline import build, more_stored
from lab.process import wait_until
from lab.product import provider, router_config
from lab.prometheus import RULES, faster
from lab.receiver import Answer

SPEED = 100
LIMIT = 180  # seconds for an alert: the collector measures its lag every 10 s, and later and later while its stream is full
FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "ackWait": "2s"}
SOON = {"retry": {**FAST["retry"], "rejectGrace": "300ms"}}
NAMES = [rule["alert"] for group in RULES["groups"] for rule in group["rules"]]


class Alerts:
    """A Prometheus that watches these daemons. No alert may fire while nothing is wrong."""

    def __init__(self, lab, *daemons, speed=SPEED):
        self.prometheus = lab.prometheus(*daemons, rules=faster(RULES, speed))
        assert self.prometheus.alerts() == {}

    @contextlib.contextmanager
    def expect(self, *names, **labels):
        """The alerts are silent now, and fire after what is done in the block."""
        assert not set(names) & set(self.prometheus.alerts()), "silent before the fault"
        yield
        self.fire(*names, **labels)

    def fire(self, *names, **labels):
        def missing():
            firing = self.prometheus.alerts()
            return [n for n in names if not any(labels.items() <= alert.items() for alert in firing.get(n, []))]
        wait_until(lambda: not missing(), LIMIT, lambda: f"{missing()} fire; {self.prometheus.alerts()}")

    def end(self, *names):
        wait_until(lambda: not set(names) & set(self.prometheus.alerts()), LIMIT, lambda: f"they end; {self.prometheus.alerts()}")


def test_each_alert_is_tested():
    tests = Path(__file__).read_text()
    assert [name for name in NAMES if f'"{name}"' not in tests] == []


def test_processes_and_the_bus(lab):
    build(lab, "-backlog", "10")
    sink = lab.receiver()
    dispatcher = lab.dispatcher(router_config(lab.bus, providers=[provider(lab.vc)], processors=[
        {"type": "knative", "name": "kn", "knative": {"destination": {"uri": sink.url}}}]))
    lab.col.wait_ready()
    dispatcher.wait_ready()
    alerts = Alerts(lab, lab.col, dispatcher)
    with alerts.expect("VcourierBusUnreachable"):
        lab.bus.stop()
    alerts.fire("VcourierBusUnreachable", source="lab", severity="critical")
    alerts.fire("VcourierBusUnreachable", dispatcher="kn")
    lab.bus.start()
    alerts.end("VcourierBusUnreachable")
    with alerts.expect("VcourierNoLeader", source="lab"), alerts.expect("VcourierProcessDown", daemon="collector"):
        lab.col.kill()
    with alerts.expect("VcourierDispatcherMissing", dispatcher="kn"):
        dispatcher.kill()
    with alerts.expect("VcourierAbsent"):
        alerts.prometheus.watch([])
    lab.col.start()
    dispatcher.start()
    alerts.prometheus.watch([lab.col, dispatcher])
    alerts.end(*NAMES)


def test_a_standby_that_takes_over_is_no_fault(lab):
    """The standby's series stay at 0 while the leader reads; after the leader's end it reads, and only the process is missing."""
    build(lab, standby=True)
    lab.col.wait_ready()
    standby = lab.collector(lab.config, name="standby").wait_ready()
    alerts = Alerts(lab, lab.col, standby)
    leader, other = sorted((lab.col, standby), key=lambda d: -d.metric("vcourier_collector_leader"))
    with alerts.expect("VcourierProcessDown", daemon=leader.name):
        leader.stop()
    wait_until(lambda: other.metric("vcourier_collector_leader") == 1, 60, "it takes over")
    alerts.end("VcourierNoLeader")
    assert set(alerts.prometheus.alerts()) == {"VcourierProcessDown"}


def test_vcenter(lab):
    build(lab, "-backlog", "10", emptyGrace="1s")
    lab.col.wait_ready()
    alerts = Alerts(lab, lab.col)
    with alerts.expect("VcourierVcenterUnreachable", source="lab"):
        lab.vc.stop()
    lab.vc.start()
    alerts.end("VcourierVcenterUnreachable")
    with alerts.expect("VcourierPermissionMissing", source="lab"):
        lab.vc.lab("access", root="below")
        lab.vc.lab("expire", what="sessions")  # the privileges are asked for at each login
    lab.vc.lab("access", root="full")
    alerts.end("VcourierPermissionMissing")
    with alerts.expect("VcourierReloadFailed"):
        lab.col.configure("not a configuration")
    lab.col.configure(lab.config)
    alerts.end("VcourierReloadFailed")
    with alerts.expect("VcourierTlsInsecure"):
        lab.config["eventProvider"]["vcenter"]["insecureSSL"] = True
        lab.col.configure(lab.config)
    lab.col.wait_ready()
    with alerts.expect("VcourierLoginRefused", source="lab"):
        lab.vc.lab("password", new="another")
        lab.vc.lab("expire", what="sessions")


def test_events_of_a_vcenter(lab):
    build(lab, "-backlog", "100", pageMaxBytes="1MiB", auditInterval="1s")
    lab.ledger.settle()
    alerts = Alerts(lab, lab.col)
    with alerts.expect("VcourierDatesAhead"):
        lab.vc.burst(1, off="7h")
    with alerts.expect("VcourierEventsStubbed"):
        lab.vc.burst(1, pad=1_500_000)
    with alerts.expect("VcourierEventsRejected"):
        lab.vc.lab("key", next=5000)
        lab.vc.fault("nokey", n=-1, key=5000)
        lab.vc.burst(2)
    lab.vc.lab("clear")
    with alerts.expect("VcourierEventKeyNearlyWraps"):
        lab.vc.lab("key", next=2_100_000_000)
        lab.vc.burst(2)
    with alerts.expect("VcourierVcenterRestored"):
        lab.vc.lab("reinit")
        lab.vc.burst(300)


def test_a_gap_before_the_first_scrape(lab):
    """The counter of the new process is 1 before Prometheus sees it for the first time."""
    build(lab, "-backlog", "100")
    lab.ledger.settle()
    lab.col.stop()
    alerts = Alerts(lab, speed=20)
    lab.vc.burst(300)
    lab.vc.lab("purge", keep=100)
    with alerts.expect("VcourierEventGap", source="lab"):
        lab.col.start()
        wait_until(lambda: lab.col.metric("vcourier_collector_event_gaps_total") == 1, 60, "the gap is counted")
        alerts.prometheus.watch([lab.col])


def test_reading_stalls(lab):
    """No filter of vCenter separates these visible events from hidden ones of the same type and time."""
    build(lab, "-backlog", "100")
    lab.ledger.settle()
    alerts = Alerts(lab, lab.col, speed=20)  # each check for a stall comes later than the one before
    with alerts.expect("VcourierReadingStalled", reason="permission_gap"):
        lab.vc.lab("hide", run=1500, every=4000, stuck=1)
        lab.vc.lab("shape", tie=4000)
        lab.vc.burst(4000, tmpl="VmPoweredOnEvent")


def test_another_writer(lab):
    build(lab, "-backlog", "100")
    lab.ledger.settle()
    alerts = Alerts(lab, lab.col, speed=20)  # the other writer stores four messages in 30 s also on a loaded machine
    with alerts.expect("VcourierCollectorFenced", source="lab"):
        lab.vc.lab("rate", r=100)
        for _ in range(10):
            lab.ledger.js.wire.request("vc.lab.foreign", b"{}")
            more_stored(lab, 5)


def test_a_full_stream(lab):
    """
    The collector tries a full stream again after 0.5 s and a random time of at most 0.5, 1, 2, 4, 8 s and so on up to 60 s, which is not
    divided by the speed. So the window of VcourierPublishFailing, 5 minutes for 5 minutes, has to be longer than the first five delays,
    and this alert ends later, while the stream is full. It is waited for first; the others stay.
    """
    build(lab, "-backlog", "10", stream={"maxBytes": "1MiB", "whenFull": "pause"})
    lab.col.wait_ready()
    alerts = Alerts(lab, lab.col, speed=30)
    with alerts.expect("VcourierStreamNearlyFull", stream="VC_lab"), alerts.expect("VcourierCollectorLagging", source="lab"), \
            alerts.expect("VcourierPublishFailing", code="full"):
        lab.vc.lab("rate", r=300)
    config = lab.ledger.js.info("VC_lab")["config"]
    lab.vc.lab("rate", r=0)
    lab.ledger.js.api("STREAM.UPDATE.VC_lab", {**config, "max_bytes": 1 << 30})
    alerts.end("VcourierStreamNearlyFull", "VcourierPublishFailing", "VcourierCollectorLagging")


def picky(request):
    """Refuses an event whose data says so."""
    return Answer(400 if request.event()["data"].get("poison") else 202)


def test_one_dead_letter(lab, stream):
    receiver = lab.receiver(picky)
    dispatcher = lab.dispatcher(stream.config(receiver.url, **SOON)).wait_ready()
    alerts = Alerts(lab, dispatcher)
    stream.publish(50)
    stream.idle()
    with alerts.expect("VcourierDeadLettering", dispatcher="kn", reason="rejected"):
        stream.publish(1, data={"poison": True})
    assert dispatcher.metric("vcourier_dispatcher_dead_lettered_total") == 1


def test_one_dead_letter_before_the_first_scrape(lab, stream):
    receiver = lab.receiver(picky)
    alerts = Alerts(lab, speed=20)
    stream.publish(20)
    stream.publish(1, data={"poison": True})
    dispatcher = lab.dispatcher(stream.config(receiver.url, **SOON))
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_dead_lettered_total") == 1, 60, "the dead letter")
    with alerts.expect("VcourierDeadLettering", dispatcher="kn", reason="rejected"):
        alerts.prometheus.watch([dispatcher])


def test_a_flood_of_dead_letters(lab, stream):
    receiver = lab.receiver(picky)
    dispatcher = lab.dispatcher(stream.config(receiver.url, **SOON)).wait_ready()
    alerts = Alerts(lab, dispatcher)
    assert "VcourierDeadLetterFlood" not in alerts.prometheus.alerts()

    def firing():
        stream.publish(9)
        stream.publish(1, data={"poison": True})
        return "VcourierDeadLetterFlood" in alerts.prometheus.alerts()
    wait_until(firing, 60, lambda: alerts.prometheus.alerts())


def test_a_backend_that_is_down_until_events_expire(lab, stream):
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    alerts = Alerts(lab, dispatcher)
    with alerts.expect("VcourierBackendUnreachable", peer="knative"), alerts.expect("VcourierDeliveryLate", dispatcher="kn"):
        receiver.answer = lambda request: Answer(503)
        stream.publish(2000)
    assert "VcourierBackendPaused" not in alerts.prometheus.alerts(), "the whole backend is one alert"
    with alerts.expect("VcourierEventsExpired", dispatcher="kn"):
        stream.js.api("STREAM.PURGE.VC_lab", {"keep": 1})
    receiver.answer = None
    alerts.end("VcourierBackendUnreachable", "VcourierDeliveryLate")


def test_one_target_of_a_backend_is_down(lab, stream):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    gateway.deploy("bad", "BadEvent")
    gateway.deploy("good", "VmPoweredOnEvent")
    gateway.fail({"bad"})
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    dispatcher = lab.dispatcher(stream.config({"type": "openfaas", "name": "of", "openfaas": {"address": gateway.url, "auth": auth}},
                                              **FAST)).wait_ready()
    alerts = Alerts(lab, dispatcher)
    with alerts.expect("VcourierBackendPaused", dispatcher="of"):
        stream.publish(10)
        stream.publish(10, "BadEvent")
    assert "VcourierBackendUnreachable" not in alerts.prometheus.alerts()


def test_a_watchdog_stall(lab, stream, monkeypatch):
    """tests/toy/faults.c loses an event inside of the dispatcher."""
    receiver = lab.receiver(lambda request: Answer(200, body=b"202"))
    monkeypatch.setenv("VCOURIER_TOY_FAULT", "lost")
    dispatcher = lab.daemon("toy-dispatcher", stream.config({"type": "toy", "name": "kn", "toy": {"address": receiver.url}, "concurrency": 1}),
                            name="dispatcher").start().wait_ready()
    alerts = Alerts(lab, dispatcher)
    with alerts.expect("VcourierDispatcherStalled", kind="deliver"):
        stream.publish(10)


# A user that may create consumers and not remove them.
USERS = """authorization { users: [ { user: admin, password: a }, { user: kn, password: k,
  permissions: { publish: { deny: "$JS.API.CONSUMER.DELETE.>" } } } ] }"""


def test_a_consumer_that_is_ahead_of_its_stream(lab, stream, tmp_path):
    """As after a power cut of NATS: the files of the stream are older than those of the consumer, which the dispatcher may not recreate."""
    receiver = lab.receiver()
    dispatcher = lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    messages = stream.server.store / "jetstream" / "$G" / "streams" / "VC_lab" / "msgs"

    def restart(change):
        stream.server.stop()
        stream.js.close()
        change()
        stream.server.start()
    stream.publish(50)
    stream.idle()
    restart(lambda: shutil.copytree(messages, tmp_path / "kept"))
    stream.publish(50)
    stream.idle()
    dispatcher.stop()

    def cut():
        shutil.rmtree(messages)
        shutil.copytree(tmp_path / "kept", messages)
        stream.server.extra = USERS
    dispatcher.configure(stream.config(receiver.url, bus={"user": "kn", "password": "k"}, **FAST))
    alerts = Alerts(lab)
    with alerts.expect("VcourierConsumerAhead", dispatcher="kn"):
        restart(cut)
        dispatcher.start()
        alerts.prometheus.watch([dispatcher])
