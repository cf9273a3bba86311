# SPDX-License-Identifier: Apache-2.0
"""vcourier events: the classes, what the vCenter describes, and what the streams hold."""
import json
import subprocess
from collections import Counter

import pytest

from lab.process import BUILD, free_port, wait_until
from test_emit import classes


def events(lab, *options, code=0):
    run = subprocess.run([BUILD / "vcourier", "events", "-c", lab.col.file, *options], capture_output=True, text=True, timeout=120)
    assert run.returncode == code, run.stdout + run.stderr
    return run


def catalogue(lab, *options):
    return {e["name"]: e for e in map(json.loads, events(lab, "--json", *options).stdout.splitlines())}


def test_the_catalogue_has_every_class_every_description_and_every_event(pipeline):
    lab = pipeline("-backlog", "300")
    lab.ledger.settle()
    seen = catalogue(lab)
    stored = Counter(m.subject.split(".", 6)[6] for m in lab.ledger.js.read("VC_lab"))
    assert {n: e["events"] for n, e in seen.items() if e["events"]} == dict(stored) and len(stored) > 10
    assert set(classes()) <= set(seen) and {e["class"] for n, e in seen.items() if n not in classes() and "FutureVendor" not in n} == {"eventex"}
    on = seen["VmPoweredOnEvent"]
    # govmomi's simulator/esx/event_manager.go has the description
    assert (on["class"], on["base"], on["severity"], on["category"], on["description"]) == (
        "event", "VmEvent", "info", "info", "VM powered on"), on
    described = [e for e in seen.values() if e.get("description")]
    assert len(described) > 40 and all(e["severity"] in ("info", "warning", "error", "user") for e in described)
    newest = {}
    for m in lab.ledger.js.read("VC_lab"):
        newest[m.subject.split(".", 6)[6]] = m.stored_ms
    for name, ms in newest.items():
        assert seen[name]["last_seen"], name
    assert set(catalogue(lab, "--seen")) == set(stored)
    assert set(catalogue(lab, "poweredon")) >= {"VmPoweredOnEvent"} and "VmPoweredOffEvent" not in catalogue(lab, "poweredon")
    text = events(lab, "--seen").stdout.splitlines()
    assert [line.split()[0] for line in text] == ["EVENT", *sorted(stored)]


def test_a_standby_does_not_reply_and_without_a_collector_it_says_so(pipeline):
    lab = pipeline("-backlog", "10", standby=True)
    lab.ledger.settle()
    second = lab.collector(lab.config, name="second").wait_ready()
    wait_until(lambda: second.metric("vcourier_collector_leader") == 0, 30, "it is a standby")
    assert "description" in catalogue(lab)["VmPoweredOnEvent"]
    lab.col.signal(19)  # SIGSTOP: the standby alone runs
    run = events(lab, "--json")
    assert "no collector describes its events" in run.stderr and len(run.stdout.splitlines()) >= 443
    lab.col.signal(18)
    second.kill()
    lab.col.kill()
    run = events(lab, "--json", "--seen")
    assert "no collector describes its events" in run.stderr and '"events":' in run.stdout and "description" not in run.stdout


@pytest.mark.parametrize("code, options", [(69, ["--server", f"nats://127.0.0.1:{free_port()}"]), (64, ["--sseen"]), (78, ["-c", "/nonexistent"])])
def test_without_nats(code, options):
    run = subprocess.run([BUILD / "vcourier", "events", "--json", *options], capture_output=True, text=True, timeout=60)
    assert run.returncode == code, run.stderr
    if code == 69:
        assert {json.loads(line)["name"] for line in run.stdout.splitlines()} == set(classes())
        assert "only the classes of the type table are listed" in run.stderr
    else:
        assert run.stdout == ""
