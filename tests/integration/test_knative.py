# SPDX-License-Identifier: Apache-2.0
"""Knative, end to end: destinations in the cluster, tokens, trust, and the events that triggers of both dialects match."""
import base64
import json
import ssl
import subprocess
from collections import Counter

import pytest

from lab.stream import Stream, got_202, keys
from lab.kubernetes import Kubernetes
from lab.process import wait_until
from lab.receiver import Answer

FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "ackWait": "2s"}
SOON = {"retry": {**FAST["retry"], "rejectGrace": "300ms"}}  # when every event is refused: dead letters after a short time
BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default", "namespace": "fn"}


@pytest.fixture
def cluster(lab):
    cluster = Kubernetes(lab.directory, lab.authority)
    lab.closers.append(cluster.close)
    return cluster


def config(stream, destination, block=None, **options):
    return stream.config(
        {"type": "knative", "name": "kn", "knative": {"encoding": "binary", "destination": destination, **(block or {})},
         **{**FAST, **options}})


def in_cluster(lab, stream, cluster, destination, block=None, **options):
    """Starts a dispatcher as in a pod of the cluster, without waiting until it is ready."""
    destination = {"resolveInterval": "1s", "kubernetes": cluster.options, **destination}
    dispatcher = lab.daemon("dispatcher", config(stream, destination, block, **options))
    dispatcher.env = cluster.env
    return dispatcher.start()


def reason(dispatcher, text):
    wait_until(lambda: text in dispatcher.get("/readyz")[1], what=lambda: f"{text} on /readyz: {dispatcher.get('/readyz')}")
    assert dispatcher.get("/readyz")[0] == 503


def tls_server(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert, authority.key)
    return context


def test_a_broker_by_ref(lab, stream, cluster):
    """Missing, not ready, ready, moved, API server down: events wait or are delivered, and /readyz shows the reason."""
    one, two = lab.receiver(), lab.receiver()
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER})
    first = stream.publish(5)
    reason(dispatcher, "default in namespace fn does not exist")
    cluster.broker(None)
    reason(dispatcher, "Broker default has no address yet: Channel is not ready")
    assert not one.requests
    cluster.broker(one.url + "/fn/default")
    stream.idle()
    dispatcher.wait_ready()
    assert sorted(keys(one.requests)) == list(first) and {r.path for r in one.requests} == {"/fn/default"}
    cluster.down = True
    reason(dispatcher, "Kubernetes API")
    second = stream.publish(5)
    stream.idle()
    assert sorted(keys(one.requests)) == [*first, *second]
    cluster.down = False
    cluster.broker(two.url + "/new")
    dispatcher.wait_ready()
    asked = len(cluster.asked("/brokers/default"))
    wait_until(lambda: len(cluster.asked("/brokers/default")) > asked + 1, what="the next refresh")
    third = stream.publish(5)
    stream.idle()
    assert sorted(keys(two.requests)) == list(third)
    assert not stream.dead()


def test_a_broker_that_moved_is_found_before_the_next_refresh(lab, stream, cluster):
    old, new = lab.receiver(), lab.receiver()
    cluster.broker(old.url + "/a")
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER, "resolveInterval": "1h"}).wait_ready()
    first = stream.publish(3)
    stream.idle()
    old.answer = lambda request: Answer(404)
    cluster.broker(new.url + "/b")
    second = stream.publish(3)
    stream.idle()
    assert sorted(keys(new.requests)) == list(second)
    new.answer = lambda request: Answer(0)
    new.close()
    third = lab.receiver()
    cluster.broker(third.url + "/c")
    fourth = stream.publish(3)
    stream.idle()
    assert sorted(keys(third.requests)) == list(fourth)
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == len(first) * 3


def test_a_missing_permission_is_named(lab, stream, cluster):
    receiver = lab.receiver()
    cluster.broker(receiver.url)
    cluster.forbidden.add("brokers")
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER})
    reason(dispatcher, "not allowed to get brokers.eventing.knative.dev default in namespace fn")
    assert "k8s/components/knative/dispatcher/rbac.yaml" in dispatcher.get("/readyz")[1]
    cluster.forbidden.clear()
    dispatcher.wait_ready()


def test_the_pods_token_changes(lab, stream, cluster):
    """Half-written, expired, renewed: deliveries continue with the last address."""
    receiver = lab.receiver()
    cluster.broker(receiver.url)
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER}).wait_ready()
    cluster.mount(token="")
    reason(dispatcher, "service account")
    cluster.mount(token="expired")
    reason(dispatcher, "refuses our credentials")
    want = stream.publish(5)
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want)
    cluster.mount(token=cluster.token + "\n")
    dispatcher.wait_ready()


def test_outside_the_cluster(lab, stream, cluster):
    receiver = lab.receiver()
    cluster.put("serving.knative.dev/v1", "Service", "fn", "sink", address={"url": receiver.url + "/base/"})
    ref = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "sink"}
    lab.dispatcher(config(stream, {"ref": ref, "uri": {"path": "/in"}, "kubernetes": {"kubeconfig": cluster.kubeconfig()}})).wait_ready()
    stream.publish(1)
    stream.idle()
    assert receiver.requests[0].path == "/in"


@pytest.mark.parametrize("certs", ["status", "config", "caFile", "insecureSSL"])
def test_trusted_authorities(lab, stream, cluster, certs):
    receiver = lab.receiver(context=tls_server(lab.authority))
    ca = lab.authority.ca.read_text()
    cluster.broker(receiver.url, **({"CACerts": ca} if certs == "status" else {}))
    destination = {"ref": BROKER, **({"CACerts": ca} if certs == "config" else {})}
    block = {"caFile": {"caFile": str(lab.authority.ca)}, "insecureSSL": {"insecureSSL": True}}.get(certs, {})
    dispatcher = in_cluster(lab, stream, cluster, destination, block)
    want = stream.publish(3)
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want)
    assert ("insecureSSL" in dispatcher.text()) == (certs == "insecureSSL")


def test_a_client_certificate(lab, stream, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-keyout", "client.key", "-out", "client.pem", "-subj", "/CN=dispatcher"], cwd=tmp_path, check=True,
                   capture_output=True)
    context = tls_server(lab.authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(tmp_path / "client.pem")
    receiver = lab.receiver(context=context)
    block = {"caFile": str(lab.authority.ca), "certFile": str(tmp_path / "client.pem"), "keyFile": str(tmp_path / "client.key")}
    lab.dispatcher(config(stream, {"uri": receiver.url}, block))
    want = stream.publish(2)
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want)


def test_through_a_proxy(lab, stream):
    proxy = lab.receiver()
    lab.dispatcher(config(stream, {"uri": "http://broker.invalid/in"}, {"proxy": proxy.url}))
    want = stream.publish(2)
    stream.idle()
    assert sorted(keys(proxy.requests)) == list(want)
    assert {(r.path, r.headers["host"]) for r in proxy.requests} == {("http://broker.invalid/in", "broker.invalid")}


def test_an_untrusted_destination_gets_no_event(lab, stream, cluster):
    receiver = lab.receiver(context=tls_server(lab.authority))
    cluster.broker(receiver.url)
    dispatcher = in_cluster(lab, stream, cluster, {"ref": BROKER})
    want = stream.publish(3)
    wait_until(lambda: dispatcher.lines("deliveries pause"), what="the pause")
    assert not receiver.requests and not stream.dead()
    cluster.broker(receiver.url, CACerts=lab.authority.ca.read_text())
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want)


def test_a_token_for_the_audience(lab, stream, cluster):
    """The token is requested once, sent with each event, and requested again when it is refused."""
    good = {"Bearer oidc-apps-vcourier-1"}
    receiver = lab.receiver(lambda request: Answer(202 if request.headers.get("authorization") in good else 401))
    cluster.broker(receiver.url, audience="eventing.knative.dev/broker/fn/default")
    in_cluster(lab, stream, cluster, {"ref": BROKER}, {"encoding": "structured"})
    stream.publish(20)
    stream.idle()
    assert {r.headers["authorization"] for r in receiver.requests} == good
    assert cluster.audiences == [["eventing.knative.dev/broker/fn/default"]]
    good.clear()
    good.add("Bearer oidc-apps-vcourier-2")
    want = stream.publish(20)
    stream.idle()
    accepted = [r for r in receiver.requests if r.headers["authorization"] in good]
    assert Counter(keys(accepted)) == Counter(want)
    assert len(cluster.audiences) == 2 and not stream.dead()


@pytest.mark.parametrize("auth, header", [
    ({"type": "basic_auth", "basicAuth": {"username": "u", "password": "p w"}}, "Basic dTpwIHc="),
    ({"type": "bearer", "bearer": {"token": "abc"}}, "Bearer abc")])
def test_auth(lab, stream, auth, header):
    """The Event Router read knative.auth but did not use it."""
    receiver = lab.receiver()
    lab.dispatcher(config(stream, {"uri": receiver.url}, {"auth": auth}))
    stream.publish(1)
    stream.idle()
    assert receiver.requests[0].headers["authorization"] == header


def matches(trigger, event):
    """Applies a Trigger's filter.attributes: all must match exactly."""
    return all(event.get(name) == value for name, value in trigger.items())


# Triggers of users' functions: VEBA 0.7 with the Event Router, VEBA 0.8 with the VSphereSource
TRIGGERS = {
    "router": [({"type": "com.vmware.event.router/event", "subject": "VmPoweredOnEvent"}, "VmPoweredOnEvent"),
               ({"type": "com.vmware.event.router/event", "subject": "DrsVmPoweredOnEvent"}, "DrsVmPoweredOnEvent"),
               ({"type": "com.vmware.event.router/eventex", "subject": "com.vmware.vc.HA.X"}, "com.vmware.vc.HA.X")],
    "vsphere": [({"type": "com.vmware.vsphere.VmPoweredOnEvent.v0"}, "VmPoweredOnEvent"),
                ({"type": "com.vmware.vsphere.com.vmware.vc.HA.X.v0"}, "com.vmware.vc.HA.X"),
                ({"type": "com.vmware.vsphere.DrsVmPoweredOnEvent.v0", "eventclass": "event"}, "DrsVmPoweredOnEvent")],
}


@pytest.mark.parametrize("encoding", ["binary", "structured"])
@pytest.mark.parametrize("style", ["router", "vsphere"])
def test_triggers_of_both_dialects(lab, stream, style, encoding):
    receiver = lab.receiver()
    lab.dispatcher(config(stream, {"uri": receiver.url}, {"typeStyle": style, "encoding": encoding}))
    names = ["VmPoweredOnEvent", "DrsVmPoweredOnEvent", "com.vmware.vc.HA.X"]
    for name in names:
        stream.publish(1, name)
    stream.idle()
    events = {r.event()["subject"]: r.event() for r in receiver.requests}
    assert set(events) == set(names)
    for trigger, name in TRIGGERS[style]:
        assert [n for n, event in events.items() if matches(trigger, event)] == [name], trigger
    other = "vsphere" if style == "router" else "router"
    assert not any(matches(t, e) for t, _ in TRIGGERS[other] for e in events.values())


def test_the_bytes_of_the_data_are_unchanged(lab, stream):
    receiver = lab.receiver()
    lab.dispatcher(config(stream, {"uri": receiver.url}))
    data = json.loads('{"a":1.50,"b":12345678901234567890,"c":"\\u003c\\u00e9 \\ud83d\\ude00","d":[1,2]}')
    stream.publish(1, data=data)
    stored = next(iter(stream.js.read("VC_lab"))).data
    stream.idle()
    assert receiver.requests[0].body == stored[stored.index(b'"data":') + 7:-1]


def test_a_sink_for_dead_letters(lab, stream, cluster):
    """Each dead letter is stored in our stream first. Then the sink gets it, with the attributes that Knative's dispatcher would add."""
    receiver = lab.receiver(lambda request: Answer(400, body=b"no such thing") if keys([request])[0] == 2 else None)
    fails = [2]

    def busy(request):
        fails[0] -= 1
        return Answer(503 if fails[0] >= 0 else 202)
    sink = lab.receiver(busy)
    cluster.put("serving.knative.dev/v1", "Service", "fn", "dead", address={"url": sink.url})
    ref = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "dead", "namespace": "fn"}
    dispatcher = lab.daemon("dispatcher", config(stream, {"uri": receiver.url + "/in"}, {"typeStyle": "vsphere"}, deadLetterSink={
        "ref": ref, "uri": "/letters", "kubernetes": cluster.options}))
    dispatcher.env = cluster.env
    dispatcher.start()
    want = stream.publish(3)
    stream.idle()
    assert sorted(set(keys(receiver.requests))) == list(want)
    assert stream.dead_ids() == [2]
    assert [r.path for r in sink.requests] == ["/letters"] * 3
    letter = sink.requests[-1].json()
    original = json.loads(stream.dead()[0].data)
    assert letter.pop("knativeerrordest") == receiver.url + "/in"
    assert letter.pop("knativeerrorcode") == "400"
    assert base64.b64decode(letter.pop("knativeerrordata")) == b"HTTP 400: no such thing"
    assert letter == original
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="dead") == 1


def test_a_sink_that_is_down_delays_no_event(lab, stream):
    receiver = lab.receiver(lambda request: Answer(400))
    sink = lab.receiver(lambda request: Answer(400))
    dispatcher = lab.dispatcher(config(stream, {"uri": receiver.url}, deadLetterSink={"uri": sink.url}, **SOON))
    want = stream.publish(2)
    stream.idle()
    assert stream.dead_ids() == list(want)
    assert len(dispatcher.lines("dead letter sink rejected a dead letter")) == 2


def test_a_sink_that_temporarily_refuses_gets_its_dead_letters(lab, stream):
    """Its ingress is starting and replies 415 to everything at first."""
    receiver = lab.receiver(lambda request: Answer(400 if keys([request])[0] in (2, 4) else 202))
    sink = lab.receiver(lambda request: Answer(415))
    dispatcher = lab.dispatcher(config(stream, {"uri": receiver.url}, deadLetterSink={"uri": sink.url}))
    stream.publish(6)
    sink.wait_count(6)
    assert stream.dead_ids() == [2, 4]
    sink.answer = None
    stream.idle()
    assert sorted(keys(filter(got_202, sink.requests))) == [2, 4]
    assert not dispatcher.lines("dead letter sink rejected a dead letter")
    assert dispatcher.metric("vcourier_dispatcher_events_total", result="dead") == 2


def test_a_missing_sink_delays_no_event(lab, stream, cluster):
    receiver = lab.receiver(lambda request: Answer(400))
    dispatcher = lab.daemon("dispatcher", config(stream, {"uri": receiver.url}, emptyGrace="2s", deadLetterSink={
        "ref": {**BROKER, "name": "dead"}, "kubernetes": cluster.options}, **SOON))
    dispatcher.env = cluster.env
    dispatcher.start()
    want = stream.publish(2)
    stream.idle(timeout=120)
    assert stream.dead_ids() == list(want)
    assert len(dispatcher.lines("dead letter sink rejected a dead letter.*it has no address yet")) == 2


def test_a_sink_whose_address_is_known_later(lab, stream, cluster):
    """The dead letters wait for it for up to emptyGrace."""
    receiver, sink = lab.receiver(lambda request: Answer(400)), lab.receiver()
    dispatcher = lab.daemon("dispatcher", config(stream, {"uri": receiver.url}, emptyGrace="2m", deadLetterSink={
        "ref": {**BROKER, "name": "dead"}, "kubernetes": cluster.options}, **SOON))
    dispatcher.env = cluster.env
    dispatcher.start()
    want = stream.publish(2)
    wait_until(lambda: len(stream.dead()) == 2, what="the dead letters are in the stream")
    wait_until(lambda: len(cluster.asked("eventing.knative.dev")) >= 6, 90, "the address is resolved repeatedly")
    cluster.broker(sink.url, name="dead")
    stream.idle(timeout=120)
    assert sorted(keys(sink.requests)) == list(want)
    assert not dispatcher.lines("dead letter sink rejected a dead letter")


def test_fields_of_a_delivery_spec(lab, stream):
    """retry: 2 means three attempts. Events are sent one after the other, so that the destination is not paused meanwhile."""
    receiver = lab.receiver(lambda request: Answer(500))
    lab.dispatcher(config(stream, {"uri": receiver.url}, retry={
        "retry": 2, "backoffPolicy": "linear", "backoffDelay": "PT0.01S", "timeout": "PT5S", "retryAfterMax": "PT1S"}))
    want = stream.publish(1)
    stream.idle()
    assert Counter(keys(receiver.requests)) == Counter({1: 3})
    assert stream.dead_ids() == list(want)
    assert stream.dead()[0].headers["Vcourier-Reason"] == "gave_up"


def test_a_large_body_is_sent_at_once(lab):
    """Without "Expect: 100-continue" (RFC 9110 10.1.1), for which many receivers have no answer."""
    stream = Stream(lab, lab.nats(extra="max_payload: 8MB"))
    stream.make_stream()
    receiver = lab.receiver()
    want = [*stream.publish(1, data={"text": "x" * 100_000}), *stream.publish(1, data={"text": "x" * 400_000}),
            *stream.publish(1, data={"text": "x" * 3_000_000})]
    lab.dispatcher(config(stream, {"uri": receiver.url}))
    stream.idle()
    assert sorted(keys(receiver.requests)) == want
    assert not [r.headers for r in receiver.requests if "expect" in r.headers]
    assert {r.headers["content-type"] for r in receiver.requests} == {"application/json"}
