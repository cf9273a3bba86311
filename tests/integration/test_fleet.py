# SPDX-License-Identifier: Apache-2.0
"""Several vCenters: dispatchers that share them, settings for some of them, vCenters that come and go while all runs."""
import json
import subprocess

import pytest

from lab.process import BUILD, wait_until
from lab.product import knative
from lab.receiver import Answer
from lab.stream import PROVIDER, keys

BERLIN, PARIS = ("berlin-1", "berlin-2"), ("paris",)


def providers(*names):
    return [PROVIDER | {"name": name} for name in names]


def status(daemon):
    run = subprocess.run([BUILD / "vcourier", "status", "--json", "-c", daemon.file], capture_output=True, text=True, timeout=60)
    return run.returncode, json.loads(run.stdout)


def rows(model, name):
    return {e["stream"]: e["state"] for e in model["dispatchers"] if e["name"] == name}


def books(daemon):
    """Stored for this dispatcher = delivered + filtered + dead + expired, and nothing pending."""
    assert daemon.metric("vcourier_dispatcher_pending") == daemon.metric("vcourier_dispatcher_ack_pending") == 0
    return {result: int(daemon.metric("vcourier_dispatcher_events_total", result=result))
            for result in ("delivered", "filtered", "dead", "expired")}


@pytest.fixture
def fleet(stream):
    for name in BERLIN + PARIS:
        stream.make_stream(f"VC_{name}", name)
    return stream


def test_dispatchers_share_the_vcenters(lab, fleet):
    """Each reads the vCenters that its `vcenters` names, and has a consumer on those streams only."""
    receivers = {name: lab.receiver() for name in ("b", "p")}
    config = fleet.config(knative(receivers["b"].url, name="b"), providers(*BERLIN, *PARIS), vcenters=["berlin-*"])
    config["eventProcessors"] = [config.pop("eventProcessor"), {**knative(receivers["p"].url, name="p"), "vcenters": ["paris"]}]
    dispatchers = {name: lab.dispatcher(config, "--name", name, name=name).wait_ready() for name in receivers}
    sent = {vcenter: fleet.publish(50, vcenter=vcenter) for vcenter in BERLIN + PARIS}
    wanted = {"b": [*sent["berlin-1"], *sent["berlin-2"]], "p": [*sent["paris"]]}
    for name, receiver in receivers.items():
        receiver.wait_for(lambda requests, name=name: len(requests) >= len(wanted[name]), what=f"all events of {name}")
        assert sorted(keys(receiver.requests)) == wanted[name]
    assert [fleet.js.api(f"CONSUMER.NAMES.VC_{v}")["consumers"] for v in (*BERLIN, *PARIS)] == [["b"], ["b"], ["p"]]
    model = wait_until(lambda: [m for _, m in [status(dispatchers["b"])] if set(rows(m, "b").values()) == {"up to date"}], 30)[0]
    assert rows(model, "b") == {f"VC_{v}": "up to date" for v in BERLIN}
    assert set(rows(model, "p")) == {"VC_paris"}


def test_settings_for_some_vcenters(lab, fleet):
    """perVcenter replaces filter and startFrom; the first block that names a vCenter counts."""
    before = {v: fleet.publish(5, vcenter=v) for v in (*BERLIN, *PARIS)}
    receiver = lab.receiver()
    more = [{"vcenters": ["berlin-1"], "filter": {"subject": "vc.*.*.*.*.*.VmPoweredOffEvent"}},
            {"vcenters": ["berlin-*"], "filter": {"pattern": {"data": {"Key": [{"numeric": [">", 18]}]}}}},
            {"vcenters": ["paris"], "startFrom": "now"}]
    dispatcher = lab.dispatcher(fleet.config(receiver.url, providers(*BERLIN, *PARIS), perVcenter=more)).wait_ready()
    after = {v: fleet.publish(5, vcenter=v) for v in (*BERLIN, *PARIS)}
    off = fleet.publish(3, "VmPoweredOffEvent", vcenter="berlin-1")
    wanted = [*off, *(k for k in [*before["berlin-2"], *after["berlin-2"]] if k > 18), *after["paris"]]
    receiver.wait_for(lambda requests: len(requests) >= len(wanted), what="the wanted events")
    for vcenter in (*BERLIN, *PARIS):
        fleet.idle(stream=f"VC_{vcenter}")
    assert sorted(keys(receiver.requests)) == sorted(wanted)
    # NATS applies the filter of berlin-1; of berlin-2 the dispatcher got all, and filtered some
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_pending") == 0, 30)
    assert books(dispatcher) == {"delivered": len(wanted), "filtered": 10 - len([k for k in wanted if k in [*before["berlin-2"], *after["berlin-2"]]]),
                                 "dead": 0, "expired": 0}


def test_vcenters_come_and_go_while_the_dispatcher_runs(lab, fleet):
    """The changed file is enough. What waits for a vCenter that was removed is kept, and status calls it orphaned."""
    answer = {"status": 202}
    receiver = lab.receiver(lambda request: Answer(answer["status"]))
    fast = {"retry": {"initial": "20ms", "max": "200ms"}}
    dispatcher = lab.dispatcher(fleet.config(receiver.url, providers(*BERLIN), **fast)).wait_ready()
    pid = dispatcher.pid
    sent = [*fleet.publish(10, vcenter="berlin-1"), *fleet.publish(10, vcenter="paris")]
    receiver.wait_for(lambda requests: len(requests) >= 10, what="the events of berlin-1")

    dispatcher.configure(fleet.config(receiver.url, providers(*BERLIN, *PARIS), **fast))
    receiver.wait_for(lambda requests: len(requests) >= 20, what="the events of the vCenter that was added")
    fleet.idle(stream="VC_paris")

    answer["status"] = 503
    sent += fleet.publish(10, vcenter="paris")
    receiver.wait_for(lambda requests: len(requests) >= 21, what="a first attempt that fails")
    dispatcher.configure(fleet.config(receiver.url, providers(*BERLIN), **fast))
    found = wait_until(lambda: [r for r in [status(dispatcher)] if rows(r[1], "kn").get("VC_paris") == "orphaned"], 60,
                       lambda: f"orphaned: {status(dispatcher)}")[0]
    assert found[0] == 1 and [e["state"] for e in found[1]["collectors"] if e["source"] == "paris"] == ["orphaned"]
    assert fleet.js.count("VC_paris") == 20

    answer["status"] = 202
    dispatcher.configure(fleet.config(receiver.url, providers(*BERLIN, *PARIS), **fast))
    wait_until(lambda: {k for r in receiver.requests if r.status == 202 for k in keys([r])} == set(sent), 60, "all are delivered")
    fleet.idle(stream="VC_paris")
    assert dispatcher.pid == pid and dispatcher.running() and fleet.dead() == []


def test_a_storm_in_one_vcenter_does_not_delay_another(lab, fleet):
    """While a backlog of 20,000 events of one vCenter is delivered, an event of another waits for not more of them than the dispatcher holds."""
    arrived = []

    def answer(request):
        arrived.append(int(request.headers["ce-eventkey"]))
        return Answer(202)
    storm = set(fleet.publish(20000, vcenter="berlin-1"))
    receiver = lab.receiver(answer, keep=False)
    lab.dispatcher(fleet.config(receiver.url, providers(*BERLIN))).wait_ready()
    wait_until(lambda: len(arrived) > 100, 60, "the storm is being delivered")
    overtaken = []
    while len(arrived) < 15000:
        before = len(arrived)
        [key] = fleet.publish(1, vcenter="berlin-2")
        assert key not in storm
        wait_until(lambda key=key: key in arrived[before:], 60, "the event of the other vCenter")
        overtaken.append(arrived.index(key, before) - before)
    assert len(overtaken) >= 5 and max(overtaken) < 2000, overtaken
    fleet.idle(stream="VC_berlin-1")
    fleet.idle(stream="VC_berlin-2")
    assert len(arrived) == len(set(arrived)) == 20000 + len(overtaken)
