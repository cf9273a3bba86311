# SPDX-License-Identifier: Apache-2.0
"""
What the console writes from an event, web/action.js, is accepted by those for whom it is: the Trigger by a real API server with Knative's
definitions, the pattern of EventBridge by event-ruler, the filter by our own check. Each selects the event that it was made from.
"""
import json
import re
import shutil
import subprocess

import pytest
import yaml

from lab.apiserver import ApiServer, missing
from lab.process import BUILD, ROOT
from lab.stream import PROVIDER, event, subject
from test_event_ruler import oracle
from test_kube_apiserver import CRDS

HOSTILE = 'a"b: {c}\n- #\u2028\u0085\ufeff \u202e*&!%@`\\'
PROGRAM = f"""
import * as action from {json.dumps((ROOT / "web/action.js").as_uri())};
import {{ readFileSync }} from "node:fs";
const cases = JSON.parse(readFileSync(0, "utf8"));
const texts = (c) => Object.fromEntries([["trigger", action.trigger(c.event, c.chosen, c.style)], ["openfaas", action.openfaas(c.event, c.chosen)],
  ["eventbridge", action.eventbridge(c.event, c.chosen, c.style)], ["filter", action.filter(c.stored, c.event, c.chosen)],
  ["subject", {{ text: action.subject(c.stored, c.chosen) }}]].map(([kind, made]) => [kind, made.text]));
console.log(JSON.stringify(cases.map(texts)));
"""
VM = {"Vm": {"Name": "web-1", "Vm": {"Value": "vm-1"}}, "Datacenter": {"Name": "dc"}, "UserName": "VSPHERE.LOCAL\\olga", "Ports": [443, 80], "Ok": True, "Note": None}


def case(name, paths, style="router", data=None, **attributes):
    one = json.loads(event(1, name, data=VM if data is None else data, **attributes))

    def value(path):
        at = one
        for key in path:
            at = at[key]
        return at
    return {"event": one, "stored": subject(re.sub("[^A-Za-z0-9._-]", "=00", name), one["severity"]), "style": style,
            "chosen": [{"path": path, "value": value(path)} for path in paths]}


CASES = [
    case("VmPoweredOnEvent", []),
    case("VmPoweredOnEvent", [["subject"], ["severity"], ["eventclass"]], "vsphere"),
    case("VmPoweredOnEvent", [["data", "Vm", "Name"], ["data", "UserName"], ["source"]]),
    case("VmPoweredOnEvent", [["data", "Ports", 0], ["data", "Ports", 1], ["data", "Ok"], ["data", "Note"], ["type"]], "vsphere"),
    case("com.vmware.vc.HA.DasHostFailedEvent", [["severity"], ["data", "Vm", "Vm", "Value"]], severity="error"),
    case("esx.problem.net.connectivity.lost", [["vsphereapiversion"], ["eventkey"]], "vsphere"),
    case("x" * 300, [["subject"]]),
    case("-." * 60, []),
    case(HOSTILE, [["subject"], ["data", "Vm", "Name"]], data={"Vm": {"Name": HOSTILE}, HOSTILE: {HOSTILE: HOSTILE}}),
    case(HOSTILE, [["data", HOSTILE, HOSTILE]], "vsphere", data={HOSTILE: {HOSTILE: HOSTILE}}),
]


@pytest.fixture(scope="module")
def texts():
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    run = subprocess.run(["node", "--input-type=module", "--eval", PROGRAM], input=json.dumps(CASES), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def dialect(one):
    """The type that a dispatcher with this typeStyle sends."""
    return f"com.vmware.vsphere.{one['event']['subject']}.v0" if one["style"] == "vsphere" else one["event"]["type"]


@pytest.mark.skipif(bool(missing()) or not CRDS.exists(), reason="no API server or no definitions: `make interop` builds them")
def test_the_trigger_is_accepted_by_an_api_server(texts, tmp_path, authority):
    server = ApiServer(tmp_path, authority)
    try:
        server.start().define(CRDS)
        for one, text in zip(CASES, texts, strict=True):
            run = server.kubectl("apply", "--dry-run=server", "--validate=strict", "-o", "json", "-f", "-", input=text["trigger"])
            assert run.returncode == 0 and run.stderr == "", run.stderr + text["trigger"]
            attributes = json.loads(run.stdout)["spec"]["filter"]["attributes"]
            sent = {**one["event"], "type": dialect(one)}
            assert attributes["type"] == sent["type"] and attributes.items() <= {k: str(v) for k, v in sent.items()}.items()
        wrong = server.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=texts[0]["trigger"].replace("attributes:", "attribute:"))
        assert wrong.returncode != 0 and "unknown field" in wrong.stderr, "the definition is the real one"
    finally:
        server.close()


def test_the_pattern_of_eventbridge_is_accepted_and_matches(texts, tmp_path):
    """By event-ruler, and by our engine, which sees the same event and none of another name."""
    cases = []
    for one, text in zip(CASES, texts, strict=True):
        sent = {"source": one["event"]["source"], "detail-type": one["event"]["subject"], "detail": {**one["event"], "type": dialect(one)}}
        cases.append((text["eventbridge"], [json.dumps(sent), json.dumps({**sent, "detail-type": "Other"})]))
    for (pattern, events), verdict in zip(cases, oracle(cases), strict=True):
        assert verdict == "mn", (verdict, pattern, events)
        (tmp_path / "pattern").write_text(pattern)
        run = subprocess.run([BUILD / "vcourier", "match", "-p", tmp_path / "pattern"], input="\n".join(events), capture_output=True, text=True)
        assert run.stdout.split() == ["match", "nomatch"], (run.stdout, run.stderr, pattern)


def test_the_filter_is_accepted_by_our_check(texts, tmp_path):
    for one, text in zip(CASES, texts, strict=True):
        made = yaml.safe_load(text["filter"])
        processor = {"type": "knative", "name": "kn", "knative": {"encoding": "binary", "destination": {"uri": {"scheme": "http", "host": "x", "path": "/"}}}}
        config = {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "lab"},
                  "eventProvider": PROVIDER, "eventProcessor": {**processor, **made}}
        (tmp_path / "config.yaml").write_text(json.dumps(config))
        run = subprocess.run([BUILD / "vcourier", "check", tmp_path / "config.yaml"], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr + text["filter"]
        assert selects(made["filter"]["subject"], one["stored"])
        if "pattern" in made["filter"]:
            (tmp_path / "pattern").write_text(json.dumps(made["filter"]["pattern"]))
            run = subprocess.run([BUILD / "vcourier", "match", "-p", tmp_path / "pattern"], input=json.dumps(one["event"]), capture_output=True, text=True)
            assert run.stdout.split() == ["match"], (run.stdout, run.stderr, made)


def selects(wide, stored):
    wide, stored = wide.split("."), stored.split(".")
    return len(wide) == len(stored) and all(w in ("*", s) for w, s in zip(wide, stored))


def test_the_subject_and_the_annotation_name_the_event(texts):
    for one, text in zip(CASES, texts, strict=True):
        assert selects(text["subject"], one["stored"])
        assert yaml.safe_load(text["openfaas"]) == {"functions": {"my-function": {"annotations": {"topic": one["event"]["subject"]}}}}


# what is not well, and a word of the runbook's title that it must lead to
STATES = [
    ({"connected": False}, "BusUnreachable"),
    ({"streams": [{"name": "VC_lab", "ok": False, "state": "does not exist"}]}, "NoLeader"),
    ({"streams": [{"name": "VC_lab", "ok": False, "state": "not permitted"}]}, "PublishFailing"),
    ({"streams": [{"name": "VC_lab", "ok": True, "state": "", "bytes": 95, "max_bytes": 100}]}, "StreamNearlyFull"),
    ({"collectors": [{"source": "lab", "ok": False, "state": "no reply"}]}, "ProcessDown"),
    ({"collectors": [{"source": "lab", "ok": False, "state": "no leader"}]}, "NoLeader"),
    ({"collectors": [{"source": "lab", "ok": False, "state": "failing", "why": "nats: timeout"}]}, "BusUnreachable"),
    ({"collectors": [{"source": "lab", "ok": False, "state": "failing", "why": "stream: no space"}]}, "PublishFailing"),
    ({"collectors": [{"source": "lab", "ok": False, "state": "failing", "why": "permission: System.Read"}]}, "PermissionMissing"),
    ({"collectors": [{"source": "lab", "ok": False, "state": "failing", "why": "vcenter: connection refused"}]}, "VcenterUnreachable"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "no reply"}]}, "DispatcherMissing"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "has never run"}]}, "DispatcherMissing"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "not fetched"}]}, "DispatcherStalled"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "failing", "why": "functions: connection refused"}]}, "BackendUnreachable"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "failing", "why": "consumer: timeout"}]}, "BusUnreachable"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "AHEAD of its stream"}]}, "ConsumerAhead"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "paused 1 of 2"}], "replicas": [{"name": "kn", "report": {"down": True}}]}, "BackendUnreachable"),
    ({"dispatchers": [{"name": "kn", "stream": "VC_lab", "ok": False, "state": "paused"}], "replicas": [{"name": "kn", "report": {"paused": 1, "targets": 2}}]}, "BackendPaused"),
]


def test_each_state_leads_to_its_runbook():
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    program = f"""import {{ faults }} from {json.dumps((ROOT / "web/faults.js").as_uri())};
        console.log(JSON.stringify({json.dumps([{"connected": True, **{k: v for k, v in s.items() if k == "connected"}, "status": {"streams": [], "collectors": [], "dispatchers": [], **s}}
                                                for s, _ in STATES])}.map((s) => faults(s).map((f) => f.runbook))));"""
    run = subprocess.run(["node", "--input-type=module", "--eval", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [[f"vcourier{word.lower()}"] for _, word in STATES]
