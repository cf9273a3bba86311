# SPDX-License-Identifier: Apache-2.0
"""users.py --connector: the account of a ready-made tool, which works with the tool's defaults and reads only what it was given.
test_nats_permissions.py tests connectors in the matrix of all users."""
import subprocess
import sys

import pytest
from test_nats_permissions import API, ID, bus, streams  # noqa: F401 (bus and streams are fixtures)

from lab.bususers import GENERATOR, SecuredNats
from lab.jetstream import gone
from lab.process import wait_until
from lab.product import knative, router_config
from lab.stream import PROVIDER, event, subject

# What a connector with --subject may not do, but one without it may.
FORBIDDEN_TO_SIEM = [f"{API}.CONSUMER.DURABLE.CREATE.VC_lab.siem", f"{API}.CONSUMER.CREATE.VC_lab.siem", f"{API}.CONSUMER.CREATE.VC_lab",
                     f"{API}.CONSUMER.CREATE.VC_lab.siem.vc.lab.>", f"{API}.CONSUMER.CREATE.VC_lab.siem.>",
                     f"{API}.CONSUMER.CREATE.VC_lab.siem.vc.lab.*.*.>", f"{API}.CONSUMER.CREATE.VC_lab.siem.vc.lab.*.*.info.>",
                     f"{API}.CONSUMER.CREATE.VC_lab.knative.vc.lab.*.*.error.>", f"{API}.CONSUMER.CREATE.VC_other.siem.vc.other.*.*.error.>",
                     f"{API}.STREAM.INFO.VC_other", f"{API}.STREAM.MSG.GET.VC_lab", f"{API}.DIRECT.GET.VC_lab",
                     f"{API}.DIRECT.GET.VC_lab.vc.lab._._.info.event.VmPoweredOnEvent"]



@pytest.mark.parametrize("subject", FORBIDDEN_TO_SIEM)
def test_a_connector_creates_no_other_consumer(streams, subject):
    me = streams.login("connector-siem")
    me.publish(subject, b"{}")
    assert ["Permissions Violation for Publish" in error for error in me.take_errors()] == [True]


@pytest.mark.parametrize("name, subject", [("siem", "vc.lab.*.*.error.>"), ("siem", "vc.lab.Berlin.*.error.event.>"),
                                           ("tool", "vc.lab.>"), ("tool", "vc.lab.*.*.error.>")])
def test_a_connector_makes_a_durable_with_a_filter_that_it_was_given(streams, name, subject):
    """As the client libraries create it, since nats-server 2.9: the filter is in the subject of the request and in its body."""
    streams.login("collector-lab").request("vc.lab.Berlin._.error.event.HostConnectionLostEvent", b"{}")
    me = streams.login(f"connector-{name}")
    config = {"durable_name": name, "name": name, "ack_policy": "explicit", "filter_subject": subject}
    made = me.request(f"{API}.CONSUMER.CREATE.VC_lab.{name}.{subject}", {"stream_name": "VC_lab", "config": config}).json()
    assert "error" not in made
    event = me.request(f"{API}.CONSUMER.MSG.NEXT.VC_lab.{name}", b"1")
    assert event.subject.startswith("vc.lab.") and (subject == "vc.lab.>" or ".error." in event.subject)
    assert me.request(event.reply, b"+ACK").data == b""
    assert me.request(f"{API}.STREAM.NAMES", {"subject": subject}).json()["streams"] == ["VC_lab"]
    assert me.request(f"{API}.STREAM.INFO.VC_lab").json()["config"]["name"] == "VC_lab"
    assert gone(me.request(f"{API}.CONSUMER.DELETE.VC_lab.{name}").json())
    assert me.take_errors() == []


@pytest.mark.parametrize("body", [{"filter_subject": "vc.lab.>"}, {}, {"filter_subject": "vc.lab.*.*.info.>"},
                                  {"filter_subjects": ["vc.lab.>"]}, {"filter_subjects": ["vc.lab.*.*.error.>", "vc.lab.*.*.info.>"]},
                                  {"filter_subject": "vc.lab.*.*.error.>", "filter_subjects": ["vc.lab.*.*.info.>"]},
                                  {"name": "knative", "durable_name": "knative", "filter_subject": "vc.lab.*.*.error.>"}])
def test_a_connector_has_no_other_filter_in_the_body(streams, body):
    """The permission covers the subject of the request alone; the server compares both. Servers before 2.10 do not know filter_subjects."""
    me, subject = streams.login("connector-siem"), "vc.lab.*.*.error.>"
    made = me.request(f"{API}.CONSUMER.CREATE.VC_lab.siem.{subject}", {"stream_name": "VC_lab", "config": {
        "durable_name": "siem", "name": "siem", "ack_policy": "explicit", **body}}).json()
    if "error" not in made:
        assert made["config"].get("filter_subject") == subject and "filter_subjects" not in made["config"]
        me.request(f"{API}.CONSUMER.DELETE.VC_lab.siem")


def test_a_connector_hears_only_its_events(streams):
    """Whatever it subscribes to: live events of its subjects, on the same subjects, without JetStream; no inbox, no ack, no request."""
    tool, siem, everything = (streams.login(f"connector-{name}") for name in ("tool", "siem", "siem"))
    sids = [tool.subscribe("vc.*.*.*.*.event.Heard"), siem.subscribe("vc.lab.*.*.error.event.Heard"), everything.subscribe(">")]
    for me in (tool, siem, everything):
        me.flush()
    for vcenter in ("lab", "other"):
        for severity in ("info", "error"):
            stored = streams.login(f"collector-{vcenter}").request(f"vc.{vcenter}._._.{severity}.event.Heard", b'{"a":1}')
            assert stored.json()["stream"] == f"VC_{vcenter}"
    dispatcher = streams.login("dispatcher-knative")
    pulled = dispatcher.request(f"{API}.CONSUMER.MSG.NEXT.VC_lab.knative", b"1")
    dispatcher.request(pulled.reply, b"-NAK")
    dispatcher.request("vcdead.knative.heard", b"{}")

    def heard(me, sid):
        me.flush()
        return sorted(m.subject for m in me.messages if m.sid == sid)
    errors = ["vc.lab._._.error.event.Heard"]
    assert heard(tool, sids[0]) == sorted([*errors, "vc.lab._._.info.event.Heard", "vc.other._._.error.event.Heard",
                                           "vc.other._._.info.event.Heard"])
    assert heard(siem, sids[1]) == errors and heard(everything, sids[2]) == errors
    reply = siem.messages[-1].reply  # the inbox of the collector's request, in the collector's account
    assert siem.messages[-1].data == b'{"a":1}'
    if reply:
        siem.publish(reply, b'{"stream":"VC_lab","seq":1}')
        assert "Permissions Violation for Publish" in siem.take_errors()[0]


@pytest.mark.parametrize("arguments, error", [
    (["--subject", "vc.lab.>"], "belongs to the --connector before it"),
    (["--connector", "a", "--subject", "vc.nowhere.>"], "no --vcenter nowhere"),
    (["--connector", "a", "--subject", "vcdead.>"], "not a subject of events"),
    (["--connector", "a", "--subject", ">"], "not a subject of events"),
    (["--connector", "a", "--subject", "vc.lab.VmPowered*"], "not a subject of events"),
    (["--connector", "a", "--subject", "vc.lab.>.x"], "not a subject of events"),
    (["--connector", "a", "--subject", 'vc.lab."} .>'], "not a subject of events"),
    (["--connector", "a", "--subject", "vc.lab..>"], "not a subject of events"),
    (["--connector", "a", "--subject", "vc.lab.*"], "end it with >"),
    (["--connector", "a", "--subject", "vc.lab.*.*.error.event.*"], "end it with >"),
    (["--connector", "reports", "--reader", "reports"], "two users would share the durable"),
    (["--dispatcher", "knative", "--guest", "knative"], "two users would share the durable"),
    (["--reader", "a", "--reader", "a"], "two users would share the durable"),
])
def test_wrong_arguments_are_refused(arguments, error):
    run = subprocess.run([sys.executable, GENERATOR, "--vcenter", "lab", *arguments], capture_output=True, text=True)
    assert run.returncode != 0 and error in run.stderr and run.stdout == ""


def test_no_push_consumer_reaches_a_connector_or_a_stream_through_it(streams):
    """A push consumer delivers where somebody subscribes without a wildcard. A connector's subscriptions are in no account in
    which consumers deliver: else events of one vCenter could be put into the stream of another."""
    admin, tool, other = streams.login("admin"), streams.login("connector-tool"), streams.login("reader-reports")
    target = "vc.other._._.info.event.Copied"
    heard = tool.subscribe(target)
    tool.flush()
    before = admin.request(f"{API}.STREAM.INFO.VC_other").json()["state"]["last_seq"]
    admin.request(f"{API}.CONSUMER.DELETE.VC_lab.reports")
    made = other.request(f"{API}.{ID}.VC_lab.reports", {"stream_name": "VC_lab", "config": {
        "durable_name": "reports", "deliver_subject": target, "ack_policy": "none", "deliver_policy": "all"}}).json()
    assert "error" not in made
    collector = streams.login("collector-lab")  # the consumer has events to deliver, and the server has seen it before these
    for i in range(3):
        collector.request("vc.lab._._.info.event.VmPoweredOnEvent", b"{}")
    info = admin.request(f"{API}.CONSUMER.INFO.VC_lab.reports").json()
    tool.flush()
    assert info["num_pending"] >= 3 and info["delivered"]["consumer_seq"] == 0
    assert admin.request(f"{API}.STREAM.INFO.VC_other").json()["state"]["last_seq"] == before
    assert [m for m in tool.messages if m.sid == heard] == []
    admin.request(f"{API}.CONSUMER.DELETE.VC_lab.reports")


def test_hostile_connectors_stop_nobody(lab):
    """One never acknowledges and asks for everything again and again, one subscribes and never reads, one has 10,000 subscriptions.
    The collector's events are stored and the dispatcher delivers each of them once."""
    bus = lab._keep(SecuredNats(lab.directory, "--vcenter", "lab", "--dispatcher", "kn", "--connector", "greedy", "--connector", "deaf")).start()
    collector, greedy, deaf, many = (bus.login(name) for name in ("collector-lab", "connector-greedy", "connector-deaf", "connector-deaf"))
    assert "error" not in collector.request(f"{API}.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"]}).json()
    made = greedy.request(f"{API}.{ID}.VC_lab.greedy", {"stream_name": "VC_lab", "config": {
        "durable_name": "greedy", "ack_policy": "explicit", "filter_subject": "vc.lab.>", "max_ack_pending": 100}}).json()
    assert "error" not in made
    greedy.subscribe("_INBOX.greedy")
    deaf.subscribe(">")
    for n in range(10_000):
        many.subscribe(f"vc.lab.*.*.*.event.N{n}")
    many.flush()
    receiver = lab.receiver()
    config = router_config(bus, providers=[PROVIDER], processors=[knative(receiver.url)])
    config["bus"] |= {"user": "dispatcher-kn", "passwordFile": str(bus.directory / "secrets" / "dispatcher-kn")}
    lab.dispatcher(config).wait_ready()
    for n in range(1, 501):
        greedy.publish(f"{API}.CONSUMER.MSG.NEXT.VC_lab.greedy", b'{"batch":1000,"expires":60000000000}', reply="_INBOX.greedy")
        stored = collector.request(subject(), event(n), {"Content-Type": "application/cloudevents+json"}).json()
        assert stored["seq"] == n
    receiver.wait_for(lambda requests: len(requests) >= 500)
    admin = bus.login("admin")
    wait_until(lambda: admin.request(f"{API}.CONSUMER.INFO.VC_lab.kn").json()["ack_floor"]["stream_seq"] == 500, 60, "all are settled")
    assert sorted(r.event()["eventkey"] for r in receiver.requests) == sorted(map(str, range(1, 501)))
    state = greedy.request(f"{API}.CONSUMER.INFO.VC_lab.greedy").json()
    assert state["num_ack_pending"] == 100 and state["num_pending"] == 400, "its own durable stands, and no other"


@pytest.fixture
def pair(lab):
    """Two connectors with overlapping filters. `store` returns the sequence of a new event."""
    bus = lab._keep(SecuredNats(lab.directory, "--vcenter", "lab", "--connector", "all", "--connector", "errors", "--subject", "vc.lab.*.*.error.>")).start()
    collector = bus.login("collector-lab")
    assert "error" not in collector.request(f"{API}.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"]}).json()
    made = {}
    for name, only in (("all", "vc.lab.>"), ("errors", "vc.lab.*.*.error.>")):
        made[name] = bus.login(f"connector-{name}")
        assert "error" not in made[name].request(f"{API}.CONSUMER.CREATE.VC_lab.{name}.{only}", {"stream_name": "VC_lab", "config": {
            "durable_name": name, "name": name, "ack_policy": "explicit", "filter_subject": only}}).json()

    def store(n, severity="error"):
        return collector.request(subject("HostConnectionLostEvent", severity), event(n, severity=severity)).json()["seq"]

    def read(name):
        """The sequence of the next event of this durable, which is acknowledged."""
        got = made[name].request(f"{API}.CONSUMER.MSG.NEXT.VC_lab.{name}", b"1")
        assert made[name].request(got.reply, b"+ACK").data == b""
        return int(got.reply.split(".")[5])

    def info(name):
        return made[name].request(f"{API}.CONSUMER.INFO.VC_lab.{name}").json()
    bus.store, bus.read, bus.info, bus.collector = store, read, info, collector
    return bus


def keep(bus, seconds):
    """How long the stream keeps events."""
    admin = bus.login("admin")
    config = admin.request(f"{API}.STREAM.INFO.VC_lab").json()["config"]
    config |= {"max_age": int(seconds * 1e9), "duplicate_window": 100_000_000}
    assert "error" not in admin.request(f"{API}.STREAM.UPDATE.VC_lab", config).json()


def test_a_consumer_that_was_away_for_longer_than_events_are_kept(pair):
    """It continues with the oldest event that is there. What it reports as pending is what it can still get."""
    pair.store(1)
    assert pair.read("all") == 1
    pair.store(2)
    pair.store(3)
    keep(pair, seconds=0.1)
    wait_until(lambda: pair.collector.request(f"{API}.STREAM.INFO.VC_lab").json()["state"]["first_seq"] == 4, 30, "the events left the stream")
    keep(pair, seconds=3600)
    assert pair.store(4) == 4
    assert pair.read("all") == 4
    wait_until(lambda: (i := pair.info("all"))["num_pending"] == i["num_ack_pending"] == 0, 30, lambda: pair.info("all"))


def test_overlapping_filters(pair):
    """Each durable has every event that its filter selects, and a position of its own."""
    for n, severity in enumerate(("error", "info", "error"), 1):
        assert pair.store(n, severity) == n
    assert [pair.read("errors") for _ in range(2)] == [1, 3]
    assert pair.info("all")["num_pending"] == 3, "what one has read waits for the other"
    assert [pair.read("all") for _ in range(3)] == [1, 2, 3]
