# SPDX-License-Identifier: Apache-2.0
"""Other senders to the webhook: the CloudEvents SDKs for JavaScript, Python and Go. `make interop` installs them. Tests of a missing one
are skipped with a reason. Expected is the event that the SDK was given."""
import base64
import json
import os
import shutil
import subprocess
from datetime import datetime

import pytest

from lab.process import ROOT
from lab.webhook import Webhook

INTEROP = ROOT / "build" / "interop"
PROGRAMS = ROOT / "tests" / "interop"
GO = INTEROP / "go" / "bin" / "send"

SDKS = {
    "javascript": (["node", PROGRAMS / "send.js"], {"NODE_PATH": str(INTEROP / "node_modules")},
                   lambda: shutil.which("node") and (INTEROP / "node_modules" / "cloudevents").exists()),
    "python": (["/usr/bin/python3", PROGRAMS / "send.py"], {"PYTHONPATH": str(INTEROP / "python")},
               lambda: (INTEROP / "python" / "cloudevents").exists()),
    "go": ([GO], {}, GO.exists),
}
COMMON = {"specversion": "1.0", "source": "https://sender.example/a?b=c", "type": "com.example.alarm", "time": "2026-11-22T10:11:12.345Z"}
EVENTS = [
    {"id": "object", "datacontenttype": "application/json", "subject": "esx-17", "dataschema": "https://sender.example/schema",
     "severity": "error", "data": {"n": 1, "list": [1.5, None, True], "text": "a <b> & é 😀"}},
    {"id": "a b", "datacontenttype": "application/json", "data": {}},
    {"id": "text", "datacontenttype": "text/plain", "data": "plain text, é"},
    {"id": "octets", "datacontenttype": "application/octet-stream", "data_base64": base64.b64encode(b"\xff\x00\x01").decode()},
]


def sent(url, sdk, *requests):
    """The status of the answer to each request."""
    argv, env, there = SDKS[sdk]
    if not there():
        pytest.skip(f"CloudEvents' SDK for {sdk} is not installed: make interop")
    run = subprocess.run([*argv, url], input="".join(json.dumps(r) + "\n" for r in requests), capture_output=True, text=True, timeout=120,
                         env={**os.environ, **env})
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def same(stored, event):
    """A time may be written in another way, and octets as the text that they are."""
    stored, event = dict(stored), dict(event)
    assert datetime.fromisoformat(stored.pop("time").replace("Z", "+00:00")) == datetime.fromisoformat(event.pop("time").replace("Z", "+00:00"))
    if "data_base64" in stored and "data" in event:
        stored["data"] = base64.b64decode(stored.pop("data_base64")).decode()
    assert stored == event


@pytest.mark.parametrize("mode", ["structured", "binary"])
@pytest.mark.parametrize("sdk", SDKS)
def test_sdk_senders(lab, sdk, mode):
    events = [{**COMMON, **event} for event in EVENTS]
    hook = Webhook(lab)
    url = f"http://{hook.address}/webhook"
    assert sent(url, sdk, *({"mode": mode, "event": event} for event in events)) == [202] * len(events)
    assert sent(url, sdk, {"mode": mode, "event": events[0]}) == [202]  # sent again: stored once
    stored = [message.json() for message in hook.stored()]
    assert len(stored) == len(events)
    for one, event in zip(stored, events):
        same(one, event)


@pytest.mark.parametrize("sdk", SDKS)
def test_attributes_that_are_not_ascii(lab, sdk):
    """In binary mode Go's SDK percent-encodes them, as the HTTP binding wants; the two others send bytes of Latin-1, which are refused."""
    event = {**COMMON, "id": "ü", "data": {}, "datacontenttype": "application/json"}
    hook = Webhook(lab)
    binary, structured = sent(f"http://{hook.address}/webhook", sdk, {"mode": "binary", "event": event}, {"mode": "structured", "event": event})
    assert (binary, structured) == (202 if sdk == "go" else 400, 202)
    assert hook.ids() == ["ü"]


def test_sdk_batch(lab):
    """Of the three only Go's SDK sends batches."""
    events = [{**COMMON, **event} for event in EVENTS]
    hook = Webhook(lab)
    assert sent(f"http://{hook.address}/webhook", "go", {"mode": "batch", "events": events}) == [202]
    for message, event in zip(hook.stored(), events, strict=True):
        same(message.json(), event)
