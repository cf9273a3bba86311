# SPDX-License-Identifier: Apache-2.0
"""Both modes of the NATS binding of CloudEvents 1.0.2, through every backend and both modes of the HTTP binding: attributes and data arrive as they were.

The cases follow the text of the specification: core (attributes, types), JSON format (3.1), HTTP and NATS bindings (3.1.3.2, percent-encoding)."""
import base64
import json
from urllib.parse import unquote

import pytest

from lab.aws import REGION, EventBridge
from lab.gateway import Gateway
from lab.stream import subject

FAST = {"retry": {"initial": "50ms", "max": "200ms"}, "ackWait": "2s"}
NEEDED = {"specversion": "1.0", "source": "/mine", "type": "com.example.made", "subject": "VmPoweredOnEvent"}
TIME = "2018-04-05T17:31:00.123456789+02:00"

# In binary mode: headers beside the needed ones, body, what arrives: attributes beside those, data
BINARY = {
    "required attributes alone": ({}, b"", {}, None),
    "JSON": ({"Content-Type": "application/json"}, b'{"a":[1,2.50,null,true,"x"]}', {"datacontenttype": "application/json"}, {"a": [1, 2.5, None, True, "x"]}),
    "JSON with a charset": ({"Content-Type": "application/json; charset=utf-8"}, b"[]", {"datacontenttype": "application/json; charset=utf-8"}, []),
    "a +json type": ({"Content-Type": "application/problem+json"}, b'{"a":1}', {"datacontenttype": "application/problem+json"}, {"a": 1}),
    "a number": ({"Content-Type": "application/json"}, b"7", {"datacontenttype": "application/json"}, 7),
    "text": ({"Content-Type": "text/plain"}, "\u20ac \"quoted\"".encode(), {"datacontenttype": "text/plain"}, "\u20ac \"quoted\"".encode()),
    "XML": ({"Content-Type": "application/xml"}, b"<a>&lt;</a>", {"datacontenttype": "application/xml"}, b"<a>&lt;</a>"),
    "bytes": ({"Content-Type": "application/octet-stream"}, bytes(range(256)), {"datacontenttype": "application/octet-stream"}, bytes(range(256))),
    "time, dataschema": ({"ce-time": TIME, "ce-dataschema": "https://example.com/s#1"}, b"", {"time": TIME, "dataschema": "https://example.com/s#1"}, None),
    "extensions": ({"ce-comexampleextension1": "value", "ce-n0": "42"}, b"", {"comexampleextension1": "value", "n0": "42"}, None),
    "names of headers in capitals": ({"CE-MyExt": "v"}, b"", {"myext": "v"}, None),
    "percent-encoded": ({"ce-name": "Euro%20%E2%82%AC%20%F0%9F%98%80"}, b"", {"name": "Euro \u20ac \U0001f600"}, None),
    "a percent sign and a quote": ({"ce-name": "100%25 %22a%22"}, b"", {"name": "100% \"a\""}, None),
}

# In structured mode: members beside the needed ones, what arrives
STRUCTURED = {
    "required attributes alone": ({}, {}, None),
    "JSON": ({"datacontenttype": "application/json", "data": {"a": [1, 2.5, None, True, "x"]}}, {"datacontenttype": "application/json"}, {"a": [1, 2.5, None, True, "x"]}),
    "JSON without a type": ({"data": {"a": 1}}, {}, {"a": 1}),
    "a string is JSON": ({"datacontenttype": "application/json", "data": "text"}, {"datacontenttype": "application/json"}, "text"),
    "data is null": ({"datacontenttype": "application/json", "data": None}, {"datacontenttype": "application/json"}, None),
    "text": ({"datacontenttype": "text/plain", "data": "\u20ac \"quoted\"\n"}, {"datacontenttype": "text/plain"}, "\u20ac \"quoted\"\n".encode()),
    "bytes": ({"datacontenttype": "application/octet-stream", "data_base64": base64.b64encode(bytes(range(256))).decode()},
              {"datacontenttype": "application/octet-stream"}, bytes(range(256))),
    "JSON in base64": ({"datacontenttype": "application/json", "data_base64": base64.b64encode(b'{"a":1}').decode()}, {"datacontenttype": "application/json"}, {"a": 1}),
    "integer and boolean extensions": ({"n": 42, "minus": -1, "yes": True, "no": False}, {"n": "42", "minus": "-1", "yes": "true", "no": "false"}, None),
    "an extension that is null is absent": ({"gone": None}, {}, None),
    "text outside ASCII": ({"name": "Euro \u20ac \U0001f600 100%"}, {"name": "Euro \u20ac \U0001f600 100%"}, None),
    "time, dataschema": ({"time": TIME, "dataschema": "https://example.com/s#1"}, {"time": TIME, "dataschema": "https://example.com/s#1"}, None),
}


def is_json(kind):
    kind = kind.split(";")[0].strip().lower()
    return kind in ("", "application/json") or kind.endswith("+json")


def text_of(value):
    return json.dumps(value) if isinstance(value, (bool, int)) else value


def from_structured(body):
    """(id, attributes, data): JSON format, 3.1."""
    event = json.loads(body)
    data = event.pop("data", None)
    if "data_base64" in event:
        data = base64.b64decode(event.pop("data_base64"))
        data = json.loads(data) if is_json(event.get("datacontenttype", "")) else data
    elif isinstance(data, str) and not is_json(event.get("datacontenttype", "")):
        data = data.encode()
    return event.pop("id"), {k: text_of(v) for k, v in event.items() if v is not None}, data


def from_binary(headers, body):
    """(id, attributes, data): HTTP binding, 3.1."""
    attributes = {name[3:]: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    if "content-type" in headers:
        attributes["datacontenttype"] = headers["content-type"]
    data = (json.loads(body) if is_json(headers.get("content-type", "")) else body) if body else None
    return attributes.pop("id"), attributes, data


def publish(stream):
    """{id: (attributes, data)} of all cases."""
    wanted = {}
    for n, (headers, body, attributes, data) in enumerate(BINARY.values()):
        wanted[f"b{n}"] = (NEEDED | attributes, data)
        stream.js.wire.publish(subject(), body, headers={**{f"ce-{k}": v for k, v in NEEDED.items()}, "ce-id": f"b{n}", **headers})
    for n, (members, attributes, data) in enumerate(STRUCTURED.values()):
        wanted[f"s{n}"] = (NEEDED | attributes, data)
        stream.js.wire.publish(subject(), json.dumps({**NEEDED, "id": f"s{n}", **members}).encode(), headers={"Content-Type": "application/cloudevents+json"})
    return wanted


def name_of(key):
    cases = BINARY if key[0] == "b" else STRUCTURED
    return f"{'binary' if key[0] == 'b' else 'structured'}: {list(cases)[int(key[1:])]}"


def knative(lab, stream, encoding):
    receiver = lab.receiver()
    lab.dispatcher(stream.config(receiver.url, knative={"encoding": encoding}, **FAST)).wait_ready()
    wanted = publish(stream)
    requests = receiver.wait_count(len(wanted))
    if encoding == "binary":  # JSON format, 3.1.1: no datacontenttype means application/json, which other formats must say
        attributes, data = wanted[f"s{list(STRUCTURED).index('JSON without a type')}"]
        attributes["datacontenttype"] = "application/json"
    return wanted, [from_structured(r.body) if encoding == "structured" else from_binary(r.headers, r.body) for r in requests]


def openfaas(lab, stream):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    gateway.deploy("fn", "VmPoweredOnEvent")
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    lab.dispatcher(stream.config({"type": "openfaas", "name": "kn", "openfaas": {"address": gateway.url, "auth": auth}, **FAST})).wait_ready()
    wanted = publish(stream)
    stream.idle()
    return wanted, [from_structured(call.body) for call in gateway.calls]


def eventbridge(lab, stream):
    aws = EventBridge()
    lab.closers.append(aws.close)
    auth = {"type": "aws_access_key", "awsAccessKeyAuth": {"accessKey": aws.keys[0].access_key, "secretKey": aws.keys[0].secret_key}}
    lab.dispatcher(stream.config({"type": "aws_event_bridge", "name": "kn", "awsEventBridge": {
        "region": REGION, "eventBus": "default", "endpoint": aws.url, "auth": auth}, **FAST})).wait_ready()
    wanted = publish(stream)
    stream.idle()
    return wanted, [from_structured(entry["Detail"]) for entry in aws.buses["default"]]


BACKENDS = {"knative, structured": lambda *a: knative(*a, "structured"), "knative, binary": lambda *a: knative(*a, "binary"),
            "openfaas": openfaas, "eventbridge": eventbridge}


@pytest.mark.parametrize("backend", BACKENDS)
def test_events_arrive_as_they_were(lab, stream, backend):
    wanted, arrived = BACKENDS[backend](lab, stream)
    got = {key: (attributes, data) for key, attributes, data in arrived}
    wrong = {name_of(key): (got.get(key), want) for key, want in wanted.items() if got.get(key) != want}
    assert not wrong, f"{len(wanted) - len(wrong)} of {len(wanted)}: {json.dumps(wrong, indent=1, default=repr)}"
    assert stream.dead() == []
    print(f"{backend}: {len(wanted)} of {len(wanted)} cases")
