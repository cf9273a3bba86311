# SPDX-License-Identifier: Apache-2.0
"""The backend `functions`, end to end: a directory of manifests, functions that fail, and files that change."""
import json
import subprocess
import threading
from collections import Counter, defaultdict

import pytest

from lab.process import BUILD, wait_until
from lab.receiver import Answer, Receiver
from lab.stream import counters, event, subject

FAST = {"retry": {"initial": "20ms", "max": "100ms"}, "ackWait": "2s", "emptyGrace": "2s"}
ON = "com.vmware.event.router/event"


class Functions:
    """A directory of manifests, and one server for all functions in it: /NAME."""

    def __init__(self, directory):
        self.directory = directory
        self.directory.mkdir()
        self.answers = {}  # name: a function that maps a Request to a status or an Answer
        self.receiver = Receiver(self.answer)

    def answer(self, request):
        answer = self.answers.get(self.name(request), lambda r: 200)(request)
        return Answer(answer) if isinstance(answer, int) else answer

    @staticmethod
    def name(request):
        return request.path.split("/")[1]

    def deploy(self, name, *filters, answer=None, service=None, file=None, **more):
        """A manifest with one Trigger for each filter; `filter` of a Trigger, or the members of its spec."""
        documents = [{"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": name}, "spec": {
            "template": {"spec": {"containers": [{"image": f"registry.example/{name}:1.4"}]}}}}]
        for i, spec in enumerate(filters):
            spec = spec if "filters" in spec or "filter" in spec else {"filter": {"attributes": spec}}
            documents.append({"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": {"name": f"{name}-trigger-{i}"}, "spec": {
                "broker": "default", **spec, "subscriber": {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name}}}})
        if answer:
            self.answers[name] = answer
        self.write(f"{name}.yaml", "\n---\n".join(json.dumps(d) for d in documents))

    def write(self, name, text):
        """As editors and `kubectl` do: another file, then a rename."""
        (self.directory / f".{name}.new").write_text(text)
        (self.directory / f".{name}.new").rename(self.directory / name)

    def remove(self, name):
        (self.directory / f"{name}.yaml").unlink()

    def got(self, name, ok=True):
        return Counter(r.event()["id"] for r in list(self.receiver.requests) if self.name(r) == name and (r.status == 200) == ok)

    def wait(self, condition):
        self.receiver.wait_for(lambda requests: condition(self), what="the calls")


@pytest.fixture
def functions(tmp_path):
    functions = Functions(tmp_path / "functions")
    yield functions
    functions.receiver.close()


def config(stream, functions, block=None, **options):
    return stream.config({"type": "functions", "name": "fn", "functions": {
        "directory": str(functions.directory), "serviceURL": functions.receiver.url + "/{name}", "refreshInterval": "1s", **(block or {})},
        **{**FAST, **options}})


def ids(keys):
    return [f"{k}-1700000000000" for k in keys]


def dead_letters(stream):
    """{(event id, function): reason}"""
    letters = [((json.loads(m.data)["id"], m.headers["Vcourier-Target"]), m.headers["Vcourier-Reason"]) for m in stream.dead()]
    assert len(letters) == len(dict(letters)), "a dead letter twice"
    return dict(letters)


def test_the_triggers_of_the_event_router_and_of_veba_fire(lab, stream, functions):
    """Shapes of the Triggers that users have, and the type that each function then gets."""
    shapes = {
        "router": ({"type": ON, "subject": "VmPoweredOnEvent"}, ON),
        "subject-only": ({"subject": "VmPoweredOnEvent"}, ON),
        "veba08": ({"type": "com.vmware.vsphere.VmPoweredOnEvent.v0"}, "com.vmware.vsphere.VmPoweredOnEvent.v0"),
        "before-2021-09": ({"type": "com.vmware.vsphere.VmPoweredOnEvent"}, "com.vmware.vsphere.VmPoweredOnEvent"),
        "source": ({"source": "https://vc.invalid/sdk", "type": "com.vmware.vsphere.VmPoweredOnEvent.v0"},
                   "com.vmware.vsphere.VmPoweredOnEvent.v0"),
        "eventclass": ({"eventclass": "event"}, ON),
        "everything": ({}, ON),
        "dialects": ({"filters": [{"any": [{"suffix": {"type": "VmPoweredOnEvent.v0"}}, {"exact": {"subject": "X"}}]},
                                  {"not": {"exact": {"severity": "error"}}}]}, "com.vmware.vsphere.VmPoweredOnEvent.v0"),
    }
    for name, (spec, _) in shapes.items():
        functions.deploy(name, spec)
    functions.deploy("eventex", {"type": "com.vmware.event.router/eventex", "subject": "com.vmware.vc.HA.X"})
    functions.deploy("eventex08", {"type": "com.vmware.vsphere.com.vmware.vc.HA.X.v0"})
    functions.deploy("other", {"subject": "VmPoweredOffEvent"})
    functions.write("own.yml", f"url: {functions.receiver.url}/own\nfilter: {{subject: VmPoweredOnEvent}}\nencoding: structured\n")
    dispatcher = lab.dispatcher(config(stream, functions)).wait_ready()
    on = ids(stream.publish(2))
    ha = ids(stream.publish(1, "com.vmware.vc.HA.X"))
    nobody = ids(stream.publish(1, "VmCreatedEvent"))
    stream.idle("fn")
    calls = defaultdict(list)
    for r in functions.receiver.requests:
        calls[functions.name(r)].append(r)
    for name, (_, kind) in shapes.items():
        want = {"everything": on + ha + nobody, "eventclass": on + nobody}.get(name, on)
        assert Counter(r.event()["id"] for r in calls[name]) == Counter(want), name
        on_type = {r.event()["type"] for r in calls[name] if r.event()["subject"] == "VmPoweredOnEvent"}
        assert on_type == {kind}, name
    assert [r.event()["id"] for r in calls["eventex"]] == [r.event()["id"] for r in calls["eventex08"]] == ha
    assert calls["eventex08"][0].headers["ce-type"] == "com.vmware.vsphere.com.vmware.vc.HA.X.v0"
    assert not calls["other"]
    assert {r.headers["content-type"] for r in calls["own"]} == {"application/cloudevents+json"}
    assert calls["veba08"][0].headers["ce-id"] in on and json.loads(calls["veba08"][0].body) == {"Key": 1}
    assert counters(dispatcher)["all"] == counters(dispatcher)["delivered"] == 4


def test_check_names_the_files_that_are_left_out(stream, functions, tmp_path):
    functions.deploy("good", {"subject": "VmPoweredOnEvent"})
    functions.write("bad.yaml", "url: http://h/\nfliter: {subject: X}\n")
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(config(stream, functions)))
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert 'left out: bad.yaml:2:1: fliter: unknown key (did you mean "filter"?)' in run.stdout + run.stderr


def test_fan_out_to_50_functions_of_which_3_fail(lab, stream, functions):
    bad = {"f7", "f23", "f49"}
    for i in range(50):
        functions.deploy(f"f{i}", {"subject": "VmPoweredOnEvent"}, answer=(lambda r: 500) if f"f{i}" in bad else None)
    dispatcher = lab.dispatcher(config(stream, functions, retry={"initial": "20ms", "max": "100ms", "maxAge": "3s"})).wait_ready()
    events = ids(stream.publish(20))
    stream.idle("fn")
    for i in range(50):
        assert functions.got(f"f{i}") == (Counter() if f"f{i}" in bad else Counter(events)), f"f{i}"
    assert dead_letters(stream) == {(e, f): "gave_up" for e in events for f in bad}
    assert counters(dispatcher) == {"delivered": 0, "filtered": 0, "dead": 20, "expired": 0, "pending": 0, "all": 20}


def test_kill_during_fan_out_to_50_functions_of_which_3_fail(lab, stream, functions):
    """The failing ones recover after the last kill: every function has every event, and there is no dead letter."""
    broken = threading.Event()
    broken.set()
    bad = {"f7", "f23", "f49"}
    for i in range(50):
        functions.deploy(f"f{i}", {"type": ON}, answer=(lambda r: 503 if broken.is_set() else 200) if f"f{i}" in bad else None)
    dispatcher = lab.dispatcher(config(stream, functions, concurrency=32))
    events = ids(stream.publish(60))
    for i in range(4):
        functions.wait(lambda f: len(f.receiver.requests) > 500 * (i + 1))
        dispatcher.kill()
        dispatcher.start()
    broken.clear()
    stream.idle("fn", timeout=120)
    for i in range(50):
        got = functions.got(f"f{i}")
        assert set(got) == set(events), f"f{i} missed {sorted(set(events) - set(got))[:5]}"
    assert not stream.dead()


def test_a_rejected_event_is_a_dead_letter_of_that_function(lab, stream, functions):
    functions.deploy("good", {"subject": "VmPoweredOnEvent"})
    functions.deploy("picky", {"subject": "VmPoweredOnEvent"}, answer=lambda r: 400 if r.event()["id"].startswith("2-") else 200)
    lab.dispatcher(config(stream, functions))
    events = ids(stream.publish(5))
    stream.idle("fn")
    assert functions.got("good") == Counter(events)
    assert functions.got("picky") == Counter(e for e in events if not e.startswith("2-"))
    assert dead_letters(stream) == {(events[1], "picky"): "rejected"}


def test_a_function_that_hangs_delays_no_other(lab, stream, functions):
    release = threading.Event()
    functions.deploy("slow", {"subject": "VmPoweredOnEvent"}, answer=lambda r: 200 if release.wait(120) else 500)
    functions.deploy("quick", {"subject": "VmPoweredOnEvent"})
    lab.dispatcher(config(stream, functions, concurrency=16, timeout="100s"))
    events = ids(stream.publish(200))
    functions.wait(lambda f: len(f.got("quick")) == 200)
    assert not functions.got("slow")
    release.set()
    stream.idle("fn", timeout=120)
    assert functions.got("slow") == functions.got("quick") == Counter(events)


def test_the_directory_changes_while_events_flow(lab, stream, functions):
    functions.deploy("a", {"subject": "VmPoweredOnEvent"})
    dispatcher = lab.dispatcher(config(stream, functions)).wait_ready()
    events = ids(stream.publish(3))
    stream.idle("fn")
    functions.deploy("b", {"subject": "VmPoweredOnEvent"})
    first = last = next(iter(stream.publish(1)))
    while not functions.got("b"):  # each event goes to all functions that there are when it is accepted
        last = next(iter(stream.publish(1)))
        stream.idle("fn")
    events += ids(range(first, last + 1))
    assert functions.got("a") == Counter(events)
    functions.write("a.yaml", "not: [yaml")
    wait_until(lambda: "left out: a.yaml:2:1" in dispatcher.get("/readyz")[1], what="the broken file on /readyz")
    assert dispatcher.get("/readyz")[0] == 200
    after = ids(stream.publish(2))
    stream.idle("fn")
    assert functions.got("a") == Counter(events + after), "what was good stays in use"
    functions.remove("a")
    wait_until(lambda: dispatcher.get("/readyz")[1].count('"why":""') and "a.yaml" not in dispatcher.get("/readyz")[1]
               and "no file any more" not in dispatcher.get("/readyz")[1], what="the removal is confirmed")
    ids(stream.publish(2))
    stream.idle("fn")
    assert functions.got("a") == Counter(events + after)
    assert not stream.dead()


def test_an_empty_directory_decides_nothing_for_good(lab, stream, functions):
    """A volume that is mounted late: no event is filtered before the directory was empty for emptyGrace."""
    dispatcher = lab.dispatcher(config(stream, functions, emptyGrace="1h"))
    events = ids(stream.publish(5))
    wait_until(lambda: "has no function" in dispatcher.get("/readyz")[1], what="the reason on /readyz")
    assert dispatcher.get("/readyz")[0] == 503
    functions.deploy("late", {"subject": "VmPoweredOnEvent"})
    dispatcher.wait_ready()
    functions.wait(lambda f: len(f.got("late")) == 5)
    assert functions.got("late") == Counter(events)
    assert counters(dispatcher)["filtered"] == 0


def test_a_directory_that_stays_empty_filters_after_the_grace(lab, stream, functions):
    dispatcher = lab.dispatcher(config(stream, functions, emptyGrace="1s"))
    stream.publish(5)
    stream.idle("fn")
    assert counters(dispatcher)["filtered"] == 5


def test_a_directory_that_vanishes_stops_nothing(lab, stream, functions):
    functions.deploy("a", {"subject": "VmPoweredOnEvent"})
    dispatcher = lab.dispatcher(config(stream, functions)).wait_ready()
    away = functions.directory.with_name("away")
    functions.directory.rename(away)
    wait_until(lambda: "No such file or directory" in dispatcher.get("/readyz")[1], what="the reason on /readyz")
    events = ids(stream.publish(5))
    stream.idle("fn")
    assert functions.got("a") == Counter(events)
    away.rename(functions.directory)
    dispatcher.wait_ready()


def test_an_event_is_sent_again_to_one_function_only(lab, stream, functions):
    """A message that names its target, as a redrive or a replay does, is sent to this function only."""
    functions.deploy("a", {"subject": "VmPoweredOnEvent"})
    functions.deploy("b", {"subject": "VmPoweredOnEvent"})
    lab.dispatcher(config(stream, functions)).wait_ready()
    for i, target in ((8, "b"), (9, "gone")):
        stream.js.wire.publish(subject(), event(i), headers={
            "Content-Type": "application/cloudevents+json", "Nats-Msg-Id": f"again/{i}", "Vcourier-Target": target})
    stream.published = 9
    last = ids(stream.publish(1))
    stream.idle("fn")
    assert functions.got("a") == Counter(last) and functions.got("b") == Counter(ids([8]) + last)
    assert not stream.dead()
