# SPDX-License-Identifier: Apache-2.0
"""EventBridge: events through PutEvents, requests for 1,000 of them, patterns matched in a second.

The receiver accepts every entry without checks. It is written in Python and limits the first figure. A match is compared with a
plain scan of the same event by the strict JSON scanner.
"""
import json
import os
import subprocess
import time

from lab.stream import Stream
from lab.process import BUILD
from lab.receiver import Answer

EVENTS, MATCHES = int(os.environ.get("BENCH_EVENTS", "20000")), 200_000
DATA = {"Key": 1, "ChainId": 1, "CreatedTime": "2026-11-22T10:11:12.345Z", "UserName": "VSPHERE.LOCAL\\Administrator",
        "Datacenter": {"Name": "Berlin", "Datacenter": {"Type": "Datacenter", "Value": "datacenter-2"}},
        "ComputeResource": {"Name": "Prod-A", "ComputeResource": {"Type": "ClusterComputeResource", "Value": "domain-c8"}},
        "Host": {"Name": "esx-07.lab", "Host": {"Type": "HostSystem", "Value": "host-21"}},
        "Vm": {"Name": "web-0815", "Vm": {"Type": "VirtualMachine", "Value": "vm-4711"}}, "Ds": None, "Net": None, "Dvs": None,
        "FullFormattedMessage": "web-0815 on esx-07.lab in Berlin is powered on", "ChangeTag": "", "Template": False}
PATTERN = {"source": [{"prefix": "https://"}], "detail": {"subject": ["VmPoweredOnEvent", "VmPoweredOffEvent"], "data": {
    "Vm": {"Name": [{"wildcard": "web-*"}]}, "Datacenter": {"Name": [{"anything-but": "Lab"}]}, "Key": [{"numeric": [">", 0]}]}}}


def entries(request):
    if "PutEvents" not in request.headers["x-amz-target"]:
        return Answer(200, body=b'{"Rules":[]}')
    n = len(request.json()["Entries"])
    return Answer(200, body=json.dumps({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}] * n}).encode())


def deliveries(lab):
    stream = Stream(lab, lab.nats())
    stream.make_stream()
    receiver = lab.receiver(entries, keep=False)
    stream.publish(EVENTS, data=DATA)
    block = {"region": "eu-west-1", "endpoint": receiver.url, "pattern": PATTERN, "auth": {"type": "aws_access_key",
             "awsAccessKeyAuth": {"accessKey": "A", "secretKey": "S"}}}
    config = stream.config({"type": "aws_event_bridge", "name": "aws", "awsEventBridge": block})
    start = time.monotonic()
    lab.dispatcher(config)
    stream.idle("aws")
    yield "stream to bus, each matched and signed", EVENTS / (time.monotonic() - start), "events/s"
    yield "requests for 1,000 events (at most 110)", receiver.count * 1000 / EVENTS, "requests"


def matches(lab):
    pattern, event = lab.directory / "pattern", lab.directory / "event"
    pattern.write_text(json.dumps(PATTERN))
    event.write_text(json.dumps({"version": "0", "id": "", "detail-type": "VmPoweredOnEvent", "source": "https://vc/sdk", "account": "1",
                                 "time": "2026-11-22T10:11:12Z", "region": "eu-west-1", "resources": [],
                                 "detail": {"specversion": "1.0", "id": "1", "subject": "VmPoweredOnEvent", "data": DATA}}))
    run = subprocess.run([BUILD / "bench" / "pattern_loop", pattern, event, str(MATCHES)], capture_output=True, text=True, check=True)
    ours, scan, matched, scanned = map(float, run.stdout.split())
    assert matched == scanned == MATCHES
    yield f"patterns of 5 fields on an event of {event.stat().st_size} bytes", MATCHES / ours, "matches/s"
    yield "a match in the time of so many bare scans", ours / scan, "scans"


def run(lab):
    yield from matches(lab)
    yield from deliveries(lab)
