# SPDX-License-Identifier: Apache-2.0
"""Other receivers of our requests: the CloudEvents SDKs for JavaScript, Python and Go, and the ingress of a real
Knative Broker. `make interop` installs them. Tests of a missing one are skipped with a reason."""
import base64
import json
import os
import shutil
import subprocess
from datetime import datetime
from urllib.parse import unquote

import pytest

from lab.process import ROOT, Process, wait_until
from lab.product import knative

INTEROP = ROOT / "build" / "interop"
PROGRAMS = ROOT / "tests" / "interop"
GO = INTEROP / "go" / "bin"

SDKS = {
    "javascript": (["node", PROGRAMS / "receive.js"], {"NODE_PATH": str(INTEROP / "node_modules")},
                   lambda: shutil.which("node") and (INTEROP / "node_modules" / "cloudevents").exists()),
    "python": (["/usr/bin/python3", PROGRAMS / "receive.py"], {"PYTHONPATH": str(INTEROP / "python")},
               lambda: (INTEROP / "python" / "cloudevents").exists()),
    "go": ([GO / "receive"], {}, lambda: (GO / "receive").exists()),
}

EVENTS = [
    ("VmPoweredOnEvent", {"Key": 1, "Vm": {"Name": "a <b> & é 😀", "Vm": {"Type": "VirtualMachine", "Value": "vm-1"}}}, {}),
    ("com.vmware.vc.HA.X", {"Key": 2, "Arguments": [{"Key": "n", "Value": 1.5}], "Fault": None}, {"severity": "warning"}),
    ("Odd % name, \"quoted\" é", {"Key": 3}, {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}),
]


def publish(stream):
    """Publishes the events. Returns them as stored in the stream: {id: event}"""
    for name, data, more in EVENTS:
        number = stream.published + 1
        stream.js.last_seq("VC_lab")
        event = {"specversion": "1.0", "id": f"{number}-1700000000000", "source": "https://vc.lab/sdk",
                 "type": "com.vmware.event.router/" + ("eventex" if "." in name else "event"), "subject": name,
                 "time": "2026-11-22T10:11:12.345Z", "datacontenttype": "application/json", "vsphereapiversion": "8.0.1.0",
                 "eventclass": "event", **more, "data": data}
        before = stream.js.last_seq("VC_lab")
        stream.js.wire.publish(f"vc.lab.dc.c.info.event.E{number}", json.dumps(event, separators=(",", ":")).encode(), headers={
            "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": f"u/{number}/1"})
        stream.published += 1
        wait_until(lambda: stream.js.last_seq("VC_lab") > before, what="the event in the stream")
    stored = [json.loads(m.data) for m in stream.js.read("VC_lab")]
    return {event["id"]: event for event in stored}


def parsed(time):
    return datetime.fromisoformat(str(time).replace("Z", "+00:00"))


def compare(want, got, binary):
    """SDKs that do not decode the percent-encoding of headers return it, although the specification requires decoding."""
    assert "error" not in got, got
    for name, value in want.items():
        if name == "time":
            assert parsed(got["time"]) == parsed(value)
        elif name == "data":
            assert (json.loads(got["data"]) if isinstance(got["data"], str) else got["data"]) == value
        else:
            assert got[name] == value or (binary and unquote(got[name]) == value), (name, got[name], value)
    assert {n for n, v in got.items() if v is not None} <= set(want) | {"data_base64"}


@pytest.mark.parametrize("encoding", ["binary", "structured"])
@pytest.mark.parametrize("sdk", SDKS)
def test_sdk_receivers(lab, stream, sdk, encoding):
    argv, env, there = SDKS[sdk]
    if not there():
        pytest.skip(f"CloudEvents' SDK for {sdk} is not installed: make interop")
    receiver = lab.receiver()
    lab.dispatcher(stream.config(knative(receiver.url, encoding=encoding)))
    want = publish(stream)
    stream.idle()
    lines = [json.dumps({"headers": r.headers, "body": base64.b64encode(r.body).decode()}) for r in receiver.requests]
    run = subprocess.run([str(a) for a in argv], input="\n".join(lines) + "\n", text=True, capture_output=True, timeout=60,
                         env={**os.environ, **env})
    got = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(got) == len(want), run.stderr
    for event in got:
        compare(want[event["id"]], event, encoding == "binary")


@pytest.mark.parametrize("encoding", ["binary", "structured"])
def test_the_ingress_of_a_broker(lab, stream, tmp_path, encoding):
    """The ingress accepts every event. The events that it forwards to the channel are those that triggers receive."""
    if not (GO / "ingress").exists():
        pytest.skip("the ingress of a Knative Broker is not installed: make interop")
    channel = lab.receiver()
    ingress = Process("ingress", [GO / "ingress", f"fn/default={channel.url}/"], tmp_path)
    lab.processes.append(ingress)
    ingress.start()
    wait_until(lambda: ingress.text().strip(), what="the ingress listens")
    uri = f"http://127.0.0.1:{int(ingress.text().split()[0])}/fn/default"
    lab.dispatcher(stream.config(knative(uri, encoding=encoding)))
    want = publish(stream)
    stream.idle()
    assert not stream.dead()
    got = {r.headers["ce-id"]: r for r in channel.requests}
    assert set(got) == set(want)
    for key, event in want.items():
        request = got[key]
        assert request.body == json.dumps(event["data"], separators=(",", ":")).encode()
        assert request.headers["ce-type"] == event["type"]
        subject = request.headers["ce-subject"].encode("latin-1").decode("utf-8")
        assert subject == event["subject"] or (encoding == "binary" and unquote(subject) == event["subject"])
        assert "ce-knativearrivaltime" in request.headers
