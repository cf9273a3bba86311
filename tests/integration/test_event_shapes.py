# SPDX-License-Identifier: Apache-2.0
"""Events of other publishers: their data arrives unchanged, with every backend and content mode."""
import base64
import json

import pytest

from lab.aws import REGION, EventBridge
from lab.stream import subject
from lab.gateway import Gateway

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}
REQUIRED = {"ce-specversion": "1.0", "ce-id": "b1", "ce-source": "s", "ce-type": "t", "ce-subject": "VmPoweredOnEvent"}
DATA = [  # Content-Type, body, members of the structured event: JSON format of CloudEvents 1.0.2, section 3.1
    ("application/json", b'{"a":1.50,"b":[]}', {"data": {"a": 1.5, "b": []}}),
    ("Application/JSON; charset=UTF-8", b' "text" ', {"data": "text"}),
    ("application/vnd.acme+json", b"null", {"data": None}),
    (None, b'{"a":1}', {"data": {"a": 1}}),
    ("text/plain", b'{"a":1}', {"data": '{"a":1}'}),
    ("application/octet-stream", b"\x00\xff", {"data_base64": base64.b64encode(b"\x00\xff").decode()}),
    ("application/json", b"{not json", {"data_base64": base64.b64encode(b"{not json").decode()}),
    ("application/json", b"", {}),
]


def publish(stream):
    """Publishes one event for each row, in binary mode, with ids d0, d1, ..."""
    for i, (kind, body, _) in enumerate(DATA):
        stream.js.wire.publish(subject(), body, headers={**REQUIRED, "ce-id": f"d{i}", **({"Content-Type": kind} if kind else {})})


def check(events):
    by_id = {e["id"]: e for e in events}
    for i, (kind, _, want) in enumerate(DATA):
        event = by_id[f"d{i}"]
        assert {k: v for k, v in event.items() if k in ("data", "data_base64")} == want, DATA[i]
        assert event.get("datacontenttype") == kind


def test_binary_data_to_knative(lab, stream):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, knative={"encoding": "structured"}, **FAST)).wait_ready()
    publish(stream)
    check([r.json() for r in receiver.wait_count(len(DATA))])
    stream.idle()
    assert stream.dead() == []


def test_binary_data_to_openfaas(lab, stream):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    gateway.deploy("fn", "VmPoweredOnEvent")
    lab.dispatcher(stream.config(
        {"type": "openfaas", "name": "kn", "openfaas": {"address": gateway.url, "auth": {"type": "basic_auth", "basicAuth": {
            "username": gateway.user, "password": gateway.password}}}, **FAST})).wait_ready()
    publish(stream)
    stream.idle()
    check([json.loads(call.body) for call in gateway.calls])
    assert stream.dead() == []


def test_binary_data_to_eventbridge(lab, stream):
    aws = EventBridge()
    lab.closers.append(aws.close)
    keys = aws.keys[0]
    lab.dispatcher(stream.config(
        {"type": "aws_event_bridge", "name": "kn", "awsEventBridge": {
            "region": REGION, "eventBus": "default", "endpoint": aws.url, "auth": {"type": "aws_access_key", "awsAccessKeyAuth": {
                "accessKey": keys.access_key, "secretKey": keys.secret_key}}}, **FAST})).wait_ready()
    publish(stream)
    stream.idle()
    check([json.loads(entry["Detail"]) for entry in aws.buses["default"]])
    assert stream.dead() == []


def test_binary_data_through_binary_mode(lab, stream):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    publish(stream)
    by_id = {r.headers["ce-id"]: r for r in receiver.wait_count(len(DATA))}
    for i, (kind, body, _) in enumerate(DATA):
        assert by_id[f"d{i}"].body == body
        assert by_id[f"d{i}"].headers.get("content-type") == (kind or "application/json")


# ---- headers without a value: cnats takes the next line as the value

EMPTY = {  # name: headers in order
    "before an attribute": {"X-Note": "", **REQUIRED},
    "within": {"ce-specversion": "1.0", "ce-id": "b1", "X-Note": "", "ce-source": "s", "ce-type": "t", "ce-subject": "VmPoweredOnEvent"},
    "an attribute": {"ce-specversion": "1.0", "ce-empty": "", "ce-id": "b1", "ce-source": "s", "ce-type": "t",
                     "ce-subject": "VmPoweredOnEvent"},
    "two": {"X-Note": "", "X-More": "", **REQUIRED},
    "the last": {**REQUIRED, "X-Note": ""},
    "the only one beside": {"X-Note": "", **REQUIRED, "X-More": ""},
    "before the type": {**REQUIRED, "X-Note": "", "Content-Type": "text/plain"},
    "looks like one": {**REQUIRED, "X-Note": "ce-source: other"},
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_header_without_a_value(lab, stream, name):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    stream.js.wire.publish(subject(), b"body", headers=EMPTY[name])
    stream.idle()
    assert [m.headers for m in stream.dead()] == []
    [request] = receiver.requests
    assert {k: request.headers[k] for k in REQUIRED} == REQUIRED
    assert request.body == b"body"
    assert request.headers.get("content-type") == EMPTY[name].get("Content-Type")


def test_header_names_in_any_case(lab, stream):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, knative={"encoding": "structured"}, **FAST)).wait_ready()
    stream.js.wire.publish(subject(), b'{"a":1}', headers={**{k.upper(): v for k, v in REQUIRED.items()}, "content-type": "application/json"})
    structured = {"specversion": "1.0", "id": "b2", "source": "s", "type": "t", "data": {"x": 1}}
    stream.js.wire.publish(subject(), json.dumps(structured).encode(), headers={
        "content-type": "APPLICATION/CloudEvents+JSON; charset=utf-8", "CE-SpecVersion": "1.0"})
    first, second = sorted((r.json() for r in receiver.wait_count(2)), key=lambda e: e["id"])
    assert first["data"] == {"a": 1} and first["id"] == "b1" and first["datacontenttype"] == "application/json"
    assert second == structured


# ---- messages that are too large for a dead letter with their content

LARGE = {
    "headers of 65,400 bytes": (subject(), b"no event", {f"X-{i}": "x" * 990 for i in range(65)}),
    "large headers, and a body that leaves no room": (subject(), b"x" * 985_000, {f"X-{i}": "x" * 990 for i in range(60)}),
    "a subject that is cut behind a dot": (f"vc.lab.b{'a.' * 590}a", b"no event", {}),
    "a subject of one token": (f"vc.{'lab'}.{'a' * 1200}", b"no event", {}),
    "many headers": (subject(), b"no event", {f"X-{i}": "x" for i in range(500)}),
    "all attributes that an event may have": (subject(), b"{}", {**REQUIRED, "ce-time": "x", "ce-dataschema": "s", "Content-Type": "a/b",
                                                              **{f"ce-x{i}": "y" for i in range(24)}, "ce-specversion": "0.9"}),
}


@pytest.mark.parametrize("name", LARGE)
def test_every_message_has_a_dead_letter_that_fits(lab, stream, name):
    """A message without a dead letter would stop the dispatcher for as long as it is in the stream."""
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, **FAST)).wait_ready()
    to, body, headers = LARGE[name]
    stream.publish(1)
    stream.js.wire.publish(to, body, headers=headers)
    stream.publish(5)
    stream.idle()
    assert len(receiver.requests) == 6
    [letter] = stream.dead()
    kept = {k: v for k, v in letter.headers.items() if k in headers}
    assert letter.headers["Vcourier-Reason"] == "invalid_event" and letter.subject.startswith("vcdead.kn.") and ".." not in letter.subject
    assert len(kept) + int(letter.headers.get("Vcourier-Headers-Left-Out", 0)) == len(headers) and kept.items() <= headers.items()
    assert letter.data == body or letter.headers["Vcourier-Body"].startswith("omitted") and letter.headers["Vcourier-Sequence"] == "2"
    assert "attributes" not in name or len(kept) == len(headers)
