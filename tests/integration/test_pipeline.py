# SPDX-License-Identifier: Apache-2.0
"""End to end: events of vCenter arrive complete at an HTTP receiver, are in the stream once, and have the same id on each delivery."""
import json
import re
import shutil
import subprocess
from datetime import datetime

import pytest

from lab.process import ROOT, wait_until
from lab.product import knative, provider, router_config
from lab.forward_proxy import ForwardProxy
from lab.receiver import Answer
from lab.vcenter import PASSWORD, USER, milliseconds

EARLIEST = {"startFrom": "earliest"}


def event_id(key, created):
    return f"{key}-{created}"


@pytest.fixture
def pipeline(lab):
    """Starts all processes, with a backlog of 200 events of every kind. encoding: the option of the knative block."""
    def start(encoding="binary", backlog=200, **processor):
        lab.bus = lab.nats()
        lab.vc = lab.vcenter("-backlog", str(backlog))
        lab.sink = lab.receiver()
        lab.config = router_config(lab.bus, lab.authority.ca, [provider(lab.vc, **EARLIEST)],
                                   [knative(lab.sink.url, encoding=encoding, **processor)])
        lab.col = lab.collector(lab.config)
        lab.dis = lab.dispatcher(lab.config)
        lab.ledger = lab.open_ledger(lab.bus, lab.vc)
        return lab
    return start


def all_delivered(lab, timeout=60):
    stored = lab.ledger.settle()
    lab.sink.wait_for(lambda _: len(set(lab.sink.ids())) >= stored, timeout, f"{stored} events")
    assert sorted(lab.sink.ids()) == sorted(event_id(*e) for e in lab.vc.events())
    return stored


def check_event(event, truth, vcenter):
    """Compares attributes and data with the output of govmomi."""
    cls = "eventex" if truth.get("EventTypeId") and "Severity" in truth else "extendedevent" if "EventTypeId" in truth else "event"
    created = milliseconds(truth["CreatedTime"])
    assert event["specversion"] == "1.0"
    assert event["id"] == event_id(truth["Key"], created)
    assert event["source"] == vcenter.url
    assert event["type"] == f"com.vmware.event.router/{cls}"
    assert event["eventclass"] == cls
    assert event["eventkey"] == str(truth["Key"])
    assert milliseconds(event["time"]) == created
    assert datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
    assert event["datacontenttype"] == "application/json"
    if "EventTypeId" in truth:
        assert event["subject"] == truth["EventTypeId"]
    assert event["vsphereapiversion"]
    data = event["data"]
    if "Score" in truth:  # FutureVendorEvent is not in the schema, so its own members are text
        assert (data["Score"], event["schemaunknown"]) == ("7", "true")
        return
    for field, value in truth.items():
        if field in ("CreatedTime", "Arguments", "Info", "LoginTime") or isinstance(value, (dict, list)) and value:
            continue
        assert data[field] == value, field
    if truth.get("Vm"):
        assert data["Vm"]["Name"] == truth["Vm"]["Name"] and data["Vm"]["Vm"] == truth["Vm"]["Vm"]


@pytest.mark.parametrize("encoding", ["binary", "structured"])
def test_every_event_arrives(pipeline, encoding):
    lab = pipeline(encoding)
    all_delivered(lab)
    truth = {event_id(e["Key"], milliseconds(e["CreatedTime"])): e for e in lab.vc.json()}
    for request in lab.sink.requests:
        assert request.method == "POST"
        if encoding == "binary":
            assert request.headers["ce-specversion"] == "1.0" and request.headers["content-type"] == "application/json"
        else:
            assert request.headers["content-type"].startswith("application/cloudevents+json")
            assert not [name for name in request.headers if name.startswith("ce-")]
        event = request.event()
        check_event(event, truth[event["id"]], lab.vc)


def test_new_events_arrive_in_vcenters_order(pipeline):
    lab = pipeline(backlog=10)
    for _ in range(5):
        lab.vc.burst(20)
    all_delivered(lab)
    stored = [key for _, key, _ in lab.ledger.stored()]
    assert stored == sorted(stored)


def test_messages_on_the_bus(pipeline):
    """The format in the stream: subject, media type, Nats-Msg-Id, attributes before data."""
    lab = pipeline(backlog=100)
    lab.ledger.settle()
    for message in lab.ledger.js.read("VC_lab"):
        assert re.fullmatch(r"vc\.lab(\.[A-Za-z0-9_=~-]+){2}\.(info|warning|error|user)\.(event|eventex|extendedevent)"
                            r"(\.[A-Za-z0-9_=~-]+)+", message.subject), message.subject
        assert message.headers["Content-Type"].startswith("application/cloudevents+json")
        assert not [name for name in message.headers if name.lower().startswith("ce-")]
        event = message.json()
        assert list(event)[-1] == "data" and list(event)[:2] == ["specversion", "id"]
        _, key, created = message.headers["Nats-Msg-Id"].rsplit("/", 2)
        assert event["id"] == event_id(key, created)
        assert message.subject.split(".", 6)[6] == event["subject"]
    assert lab.ledger.js.info("VC_lab")["config"]["duplicate_window"] == 30 * 60 * 10**9


def test_resumes_from_the_end_of_the_stream_after_a_kill(pipeline):
    lab = pipeline(backlog=3000)
    wait_until(lambda: lab.ledger.js.count("VC_lab") > 500, what="some events stored")
    lab.col.kill()
    lab.vc.burst(500)
    lab.col.start()
    all_delivered(lab)


def test_sigterm_drains(pipeline):
    lab = pipeline(backlog=2000)
    wait_until(lambda: lab.sink.count > 100, what="some events delivered")
    assert lab.dis.stop(20) == 0
    assert lab.col.stop(20) == 0
    sessions = lab.vc.stats()
    assert sessions["sessions"] == 0 and sessions["calls"]["Logout"] == 1
    lab.dis.start()
    lab.col.start()
    all_delivered(lab)  # a clean restart repeats no delivery


def test_metrics_port(pipeline):
    lab = pipeline(backlog=50)
    all_delivered(lab)
    for daemon in (lab.col, lab.dis):
        daemon.wait_ready()
        assert daemon.get("/livez")[0] == 200
        status, body = daemon.get("/readyz")
        assert status == 200 and "nats" in json.dumps(json.loads(body))
        assert daemon.metrics()
        assert daemon.get("/nothing")[0] == 404
    assert lab.col.metric("vcourier_collector_events_total", result="published") == lab.ledger.js.count("VC_lab")
    wait_until(lambda: lab.dis.metric("vcourier_dispatcher_events_total", result="delivered") == lab.sink.count,
               what="deliveries counted")


def test_no_secret_in_logs_or_metrics(pipeline):
    lab = pipeline(backlog=10)
    all_delivered(lab)
    for daemon in (lab.col, lab.dis):
        daemon.stop()
        assert PASSWORD not in daemon.text()


def test_sink_down_then_up(pipeline):
    """A receiver that fails temporarily only delays events."""
    lab = pipeline(backlog=0)
    lab.dis.wait_ready()
    lab.sink.answer = lambda _: Answer(503)
    lab.vc.burst(30)
    lab.sink.wait_count(1)
    lab.sink.answer = None
    refused = lab.sink.count
    stored = lab.ledger.settle()
    lab.sink.wait_for(lambda _: len(set(lab.sink.ids())) >= stored, 90, "all events")
    assert lab.sink.count >= stored and refused >= 1
    assert not [s for s in lab.ledger.js.streams() if s == "VCDEAD" and lab.ledger.js.count(s)]


def cloudevents_sdk():
    """The directory with npm's cloudevents, see `make cloudevents-sdk`; None if it does not exist."""
    directory = ROOT / "build" / "npm"
    return directory if shutil.which("node") and (directory / "node_modules" / "cloudevents").exists() else None


@pytest.mark.parametrize("encoding", ["binary", "structured"])
def test_an_independent_implementation_reads_it(pipeline, tmp_path, encoding):
    directory = cloudevents_sdk()
    if not directory:
        pytest.skip("npm's cloudevents is not there: needs node, then `make cloudevents-sdk`")
    lab = pipeline(encoding, backlog=60)
    all_delivered(lab)
    requests = [{"headers": r.headers, "body": r.body.decode()} for r in lab.sink.requests]
    (tmp_path / "requests.json").write_text(json.dumps(requests))
    script = """
        const { HTTP } = require("cloudevents");
        const requests = JSON.parse(require("fs").readFileSync(process.argv[1]));
        for (const r of requests) { const e = HTTP.toEvent(r); e.validate(); console.log(e.id + " " + e.subject); }
    """
    run = subprocess.run(["node", "-e", script, tmp_path / "requests.json"], cwd=directory, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:-1] == [f"{r.event()['id']} {r.event()['subject']}" for r in lab.sink.requests]


def test_through_a_proxy(lab):
    proxy = ForwardProxy()
    lab.closers.append(proxy.close)
    nats, vcenter = lab.nats(), lab.vcenter("-backlog", "20")
    lab.collector(router_config(nats, lab.authority.ca, [provider(vcenter, proxy=proxy.url, **EARLIEST)]))
    lab.open_ledger(nats, vcenter).settle()
    assert proxy.asked and set(proxy.asked) == {("CONNECT", vcenter.url.split("/")[2])}


@pytest.mark.parametrize("host, zipped", [("127.0.0.1", False), ("vcenter.localhost", True)])
def test_replies_are_compressed_unless_from_this_machine(lab, host, zipped):
    vc, bus = lab.vcenter("-backlog", "500"), lab.nats()
    config = router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest")])
    config["eventProvider"]["vcenter"]["address"] = vc.url.replace("127.0.0.1", host)
    lab.collector(config)
    js = lab.jetstream(bus)
    wait_until(lambda: js.count("VC_lab") >= 500)
    assert (vc.stats()["zipped"] > 0) == zipped


def test_a_changed_password_file(lab, tmp_path):
    """passwordFile is read at each login, so a new password needs no restart."""
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    nats, vcenter = lab.nats(), lab.vcenter("-backlog", "20")
    auth = {"type": "basic_auth", "basicAuth": {"username": USER, "passwordFile": str(secret)}}
    collector = lab.collector(router_config(nats, lab.authority.ca, [provider(vcenter, auth=auth, **EARLIEST)]))
    ledger = lab.open_ledger(nats, vcenter)
    ledger.settle()
    vcenter.stop()
    vcenter.argv += ["-backlog", "0"]
    vcenter.env = {"VCENTER_SIM_PASSWORD": "another-canary"}
    secret.write_text("another-canary\n")
    vcenter.start()
    collector.wait_ready()
    vcenter.burst(5)
    wait_until(lambda: not ledger.missing(), 60, "events after the rotation")
    assert "another-canary" not in collector.text() and PASSWORD not in collector.text()


def test_a_configuration_file_of_the_event_router(lab, tmp_path):
    """A configuration of an Event Router user, in block style, starts both processes."""
    bus, vcenter, sink = lab.nats(), lab.vcenter("-backlog", "10"), lab.receiver()
    text = f"""\
apiVersion: event-router.vmware.com/v1alpha1
kind: RouterConfig
metadata:
  name: router-config-knative
eventProcessor:
  name: veba-knative
  type: knative
  knative:
    insecureSSL: false
    encoding: binary
    destination:
      uri:
        scheme: http
        host: 127.0.0.1:{sink.port}
        path: /in
eventProvider:
  name: veba-vc-01
  type: vcenter
  vcenter:
    address: {vcenter.url}
    insecureSSL: false
    checkpoint: true
    auth:
      type: basic_auth
      basicAuth:
        username: "{USER}"
        password: "{PASSWORD}"
metricsProvider:
  name: veba-metrics
  type: default
  default:
    bindAddress: "0.0.0.0:8082"
certificates:
  rootCAs:
    - {lab.authority.ca}
bus:
  urls: {bus.url}
"""
    collector, dispatcher = lab.collector(text), lab.dispatcher(text)
    collector.wait_ready()
    dispatcher.wait_ready()
    vcenter.burst(25)
    sink.wait_count(25)
    assert {r.path for r in sink.requests} == {"/in"}
    assert {r.event()["source"] for r in sink.requests} == {vcenter.url}
