# SPDX-License-Identifier: Apache-2.0
"""vcourier emit: a made-up event of each class, printed, posted and put before one dispatcher."""
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import jsonschema
import pytest

from lab.process import BUILD, ROOT, free_port, wait_until
from lab.receiver import Answer
from test_operator import bad_characters
from test_schemas import make, validator

FAST = {"retry": {"initial": "50ms", "max": "200ms", "rejectGrace": "0s"}, "ackWait": "2s"}


def emit(*arguments, code=0):
    run = subprocess.run([BUILD / "vcourier", "emit", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert run.returncode == code, run.stdout + run.stderr
    return run


def event(*arguments):
    return json.loads(emit(*arguments).stdout)


def classes():
    """The 443 event classes, by the table of types."""
    base = dict(line.split()[1:3] for line in (ROOT / "schemas" / "vsphere.table").read_text().splitlines() if line.startswith("class "))

    def is_event(name):
        while name in base and name != "Event":
            name = base[name]
        return name == "Event"
    return [name for name in base if is_event(name)]


def test_an_event_of_each_class_is_valid():
    names = classes()
    assert len(names) == 443
    with ThreadPoolExecutor(4) as pool:
        events = list(pool.map(event, names))
    check = validator("event.schema.json")
    for name, made in zip(names, events):
        check.validate(made)
        assert made["subject"] == (name if made["eventclass"] == "event" else "com.example.SampleEvent") and made["vcouriertest"] == "true"
        assert "schemaunknown" not in made and "stub" not in made and "trimmed" not in made, name


def test_each_class_equals_govmomis_json(tmp_path):
    """govmomi reads the XML of the sample and writes the same JSON."""
    make("build/oracle")
    names = classes()
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda name: emit(name, "--soap").stdout, names))
    # one page of all events
    head, tail = replies[0].split("<returnval ")[0], "</QueryEventsResponse>" + replies[0].split("</QueryEventsResponse>")[1]
    page = tmp_path / "page.xml"
    page.write_text(head + "".join("<returnval " + r.split("<returnval ")[1].split("</QueryEventsResponse>")[0] for r in replies) + tail)
    run = subprocess.run([ROOT / "build" / "oracle", "-convert", f"{BUILD}/vcourier convert --data -", page], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-5000:]
    assert re.findall(r"(\d+) events equal", run.stdout) == ["443"]


def test_an_eventex_id():
    made = event("esx.problem.net.connectivity.lost", "--set", "severity=error", "--set", "data.Arguments.0.Key=nic",
                 "--set", "data.Arguments.0.Value=007", "--set", "data.Arguments.1.Key=x")
    validator("event.schema.json").validate(made)
    assert (made["type"], made["eventclass"], made["subject"], made["severity"]) == (
        "com.vmware.event.router/eventex", "eventex", "esx.problem.net.connectivity.lost", "error")
    assert made["data"]["EventTypeId"] == made["subject"] and [a["Key"] for a in made["data"]["Arguments"]] == ["nic", "x"]
    assert made["data"]["Arguments"][0]["Value"] == "007"


def test_settings():
    made = event("VmPoweredOnEvent", "--set", "data.Vm.Name=web-1=\u00e4\"<&>", "--set", "data.Vm.Vm=VirtualMachine:vm-42", "--set", "data.Host=null",
                 "--set", "data.Template=false", "--set", "source=https://vc1/sdk", "--set", "id=7-x", "--set", "team=blue", "--set", "team=red",
                 "--set", "time=2026-11-22T10:00:00Z")
    assert made["data"]["Vm"] == {"Name": "web-1=\u00e4\"<&>", "Vm": {"Type": "VirtualMachine", "Value": "vm-42"}}
    assert made["data"]["Host"] is None and made["data"]["Template"] is False
    assert (made["source"], made["id"], made["team"], made["time"]) == ("https://vc1/sdk", "7-x", "red", "2026-11-22T10:00:00Z")
    assert event("VmPoweredOnEvent", "--style", "vsphere")["type"] == "com.vmware.vsphere.VmPoweredOnEvent.v0"


@pytest.mark.parametrize("arguments, why", [
    (["VmPoweredOn"], "did you mean VmPoweredOnEvent?"), (["VmPoweredOnEvnt"], "did you mean VmPoweredOnEvent?"),
    (["VmEventArgument"], "not a class of events"), (["no such"], "no such event"), (["a..b"], "no such event"), (["\x1b[31m.x"], "no such event"),
    ([], "NAME is missing"), (["Event", "Event"], "unexpected argument"),
    (["VmPoweredOnEvent", "--set", "data.Vn.Name=x"], "did you mean Vm?"), (["VmPoweredOnEvent", "--set", "data.Vm"], "not PATH=VALUE"),
    (["VmPoweredOnEvent", "--set", "data.Vm=x"], "is not an object"), (["VmPoweredOnEvent", "--set", "data.Template=2"], "is not true or false"),
    (["VmPoweredOnEvent", "--set", "data.Key=3000000000"], "data.Key does not fit into 32 bits"),
    (["VmPoweredOnEvent", "--set", "data.=x"], "has no member"), (["VmPoweredOnEvent", "--set", "=x"], "neither data.MEMBER nor an attribute"),
    (["VmPoweredOnEvent", "--set", "Severity=x"], "neither data.MEMBER nor an attribute"),
    (["VmPoweredOnEvent", "--set", "severity=fatal"], "none of info, warning, error, user"),
    (["VmPoweredOnEvent", "--set", "time=now"], "is not a time"), (["VmPoweredOnEvent", "--set", "specversion=2"], "cannot be set"),
    (["VmPoweredOnEvent", "--set", "data=x"], "cannot be set"), (["VmPoweredOnEvent", "--set", "team="], "empty or not UTF-8"),
    (["VmPoweredOnEvent", "--set", "data." + "Vm." * 200 + "Name=x"], "the path is too long"),
    (["VmPoweredOnEvent"] + ["--set", "a=b"] * 65, "more than 64"),
    (["VmPoweredOnEvent", "--to", "ftp://x"], "not an http or https URL"), (["VmPoweredOnEvent", "--to", "http://a:b@x/"], "without a user"),
    (["VmPoweredOnEvent", "--to", "http://x/", "--dispatcher", "kn"], "exclude each other"), (["VmPoweredOnEvent", "--count", "0"], "number from 1 on"),
    (["VmPoweredOnEvent", "--style", "x"], "none of router, vsphere")])
def test_wrong_usage(arguments, why):
    run = emit(*arguments, code=64)
    assert why in run.stderr and run.stdout == "" and not bad_characters(run.stderr), run.stderr


# ---- to a URL

@pytest.mark.parametrize("mode", [[], ["--structured"]], ids=["binary", "structured"])
def test_it_is_posted(lab, mode):
    receiver = lab.receiver(lambda request: Answer(202, body=b"taken\x1b[31m"))
    out = emit("VmPoweredOnEvent", "--set", "data.Vm.Name=web-1", "--to", receiver.url, "--count", 3, *mode).stdout
    assert len(receiver.requests) == 3 and len({r.event()["id"] for r in receiver.requests}) == 3
    for request in receiver.requests:
        validator("event.schema.json").validate(request.event())
        assert request.event()["data"]["Vm"]["Name"] == "web-1" and request.event()["vcouriertest"] == "true"
        kind = "application/cloudevents+json" if mode else "application/json"
        assert request.headers["content-type"] == kind and ("ce-id" in request.headers) != bool(mode)
    assert out.count("HTTP 202") == 3 and "\x1b" not in out


def test_a_receiver_that_refuses_or_is_absent(lab):
    assert "HTTP 500" in emit("VmPoweredOnEvent", "--to", lab.receiver(lambda request: Answer(500)).url, "--count", 2, code=1).stdout
    assert emit("VmPoweredOnEvent", "--to", f"http://127.0.0.1:{free_port()}/", code=69).stderr.count("\n") == 1


# ---- before one dispatcher

def test_only_this_dispatcher_gets_it_with_filter_retry_and_dead_letter(lab, stream):
    """It is filtered, retried, and becomes a dead letter as an event of a vCenter does."""
    tries = []

    def answer(request):
        tries.append(request)
        return Answer(503 if len(tries) == 1 else 400 if request.event()["data"]["Vm"]["Name"] == "bad" else 202)
    receiver, other = lab.receiver(answer), lab.receiver()
    pattern = '{"data": {"Vm": {"Name": [{"prefix": "web"}, "bad"]}}}'
    dispatcher = lab.dispatcher(stream.config(receiver.url, filter={"pattern": pattern}, **FAST)).wait_ready()
    config = stream.config(other.url, **FAST)
    config["eventProcessor"]["name"] = "second"
    lab.dispatcher(config, name="second").wait_ready()
    for name in ("web-1", "db-1", "bad"):
        out = emit("VmPoweredOnEvent", "-c", dispatcher.file, "--set", f"data.Vm.Name={name}", "--dispatcher", "kn").stdout
        assert re.fullmatch(r"\S+: for kn, stored in VCREPLAY as \d+\n", out)
    wait_until(lambda: len(stream.dead()) == 1, 30, "the dead letter")
    accepted = [r.event()["data"]["Vm"]["Name"] for r in receiver.requests]
    assert accepted.count("web-1") == 2 and "db-1" not in accepted and other.requests == []
    [letter] = stream.dead()
    assert letter.subject == "vcdead.kn.lab.sample-datacenter.sample-computeresource.info.event.VmPoweredOnEvent"
    validator("event.schema.json").validate(receiver.requests[0].event())
    assert stream.js.info("VC_lab")["state"]["messages"] == 0, "the log of the vCenter is not touched"


def test_a_dispatcher_that_does_not_exist(lab, stream):
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    assert "kn" in emit("VmPoweredOnEvent", "-c", dispatcher.file, "--dispatcher", "nk", code=64).stderr
    assert emit("VmPoweredOnEvent", "--server", f"nats://127.0.0.1:{free_port()}", "--dispatcher", "kn", code=69).stdout == ""
