# SPDX-License-Identifier: Apache-2.0
"""Several vCenters: dispatchers that share them, settings for some of them, vCenters that come and go while all runs."""
import json
import re
import socket
import subprocess
import threading

import pytest

from lab.fleet import Fleet
from lab.ledger import Ledger
from lab.process import BUILD, ROOT, free_port, wait_until
from lab.product import knative, provider, router_config
from lab.proxy import Proxy
from lab.receiver import Answer
from lab.stream import PROVIDER, ends, keys
from lab.vcenter import PASSWORD, USER

BERLIN, PARIS = ("berlin-1", "berlin-2"), ("paris",)


def providers(*names):
    return [PROVIDER | {"name": name} for name in names]


def status(daemon):
    run = subprocess.run([BUILD / "vcourier", "status", "--json", "-c", daemon.file], capture_output=True, text=True, timeout=60)
    return run.returncode, json.loads(run.stdout)


def is_taken(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def rows(model, name):
    return {e["stream"]: e["state"] for e in model["dispatchers"] if e["name"] == name}


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
    filtered = 10 - len([k for k in wanted if k in [*before["berlin-2"], *after["berlin-2"]]])
    assert ends(dispatcher) == {"delivered": len(wanted), "filtered": filtered, "dead": 0, "expired": 0}


def test_streams_come_and_go_under_load(lab, fleet):
    """A vCenter is added, removed and added again while a request of another one is under way, which neither ends nor is repeated. What waits for the
    vCenter that was removed, and its dead letters, are kept. Each event ends once."""
    answers, slow, release = {}, [], threading.Event()

    def answer(request):
        key = int(request.headers["ce-eventkey"])
        if key in slow:
            release.wait(120)
        return Answer(answers.get(key, 202))
    receiver = lab.receiver(answer)
    fast = {"retry": {"initial": "20ms", "max": "200ms", "rejectGrace": "0s"}, "concurrencyPerTarget": 16}
    dispatcher = lab.dispatcher(fleet.config(receiver.url, providers(*BERLIN), **fast)).wait_ready()

    def delivered():
        return {k for r in list(receiver.requests) if r.status == 202 for k in keys([r])}

    def change(*names):
        dispatcher.configure(fleet.config(receiver.url, providers(*names), **fast))

    slow.append(fleet.published + 1)  # before it is there: a dispatcher may be faster than this thread
    fleet.publish(1, vcenter="berlin-2")
    receiver.wait_for(lambda requests: len(requests) == 1, what="the request that stays under way")
    berlin = [*fleet.publish(3000, vcenter="berlin-1")]
    paris = [*fleet.publish(20, vcenter="paris")]
    answers.update({key: 422 for key in paris[10:]})
    receiver.wait_for(lambda requests: len(requests) > 100, what="the load")
    change(*BERLIN, *PARIS)
    wait_until(lambda: delivered() == {*berlin, *paris[:10]}, 60, "both vCenters are read")
    wait_until(lambda: len(fleet.dead()) == 10, 60, "the dead letters of the vCenter that was added")
    assert 'stream="VC_paris"' in str(dispatcher.metrics())

    answers.update({fleet.published + i: 503 for i in range(1, 11)})
    waiting = fleet.publish(10, vcenter="paris")
    wait_until(lambda: any(r.status == 503 for r in list(receiver.requests)), 60, "a first attempt that fails")
    change(*BERLIN)
    wait_until(lambda: 'stream is read no longer" stream=VC_paris' in dispatcher.text(), 60, lambda: dispatcher.text()[-2000:])
    answers.clear()
    berlin += fleet.publish(100, vcenter="berlin-1")
    wait_until(lambda: delivered() == {*berlin, *paris[:10]}, 60, "the others are read")
    found = wait_until(lambda: [r for r in [status(dispatcher)] if rows(r[1], "kn").get("VC_paris") == "orphaned"], 60, lambda: status(dispatcher))[0]
    assert found[0] == 1 and [e["state"] for e in found[1]["collectors"] if e["source"] == "paris"] == ["orphaned"]
    consumer = fleet.consumer(stream="VC_paris")
    assert consumer["num_pending"] + consumer["num_ack_pending"] == 10 and len(fleet.dead()) == 10
    assert 'stream="VC_paris"' not in str(dispatcher.metrics()) and dispatcher.reasons() == {}

    change(*BERLIN, *PARIS)
    wait_until(lambda: delivered() == {*berlin, *paris[:10], *waiting}, 60, "what waited is delivered")
    assert [keys([r]) for r in receiver.requests if r.status is None] == [slow], "its first request is still under way"
    release.set()
    wait_until(lambda: delivered() == {*berlin, *paris[:10], *waiting, *slow}, 60, "the slow one, too")
    for vcenter in (*BERLIN, *PARIS):
        fleet.idle(stream=f"VC_{vcenter}")
    accepted = keys(r for r in receiver.requests if r.status == 202)
    assert len(accepted) == len(set(accepted)) == len(berlin) + 21 and sorted(fleet.dead_ids()) == paris[10:]
    assert ends(dispatcher) == {"delivered": len(accepted), "filtered": 0, "dead": 10, "expired": 0}
    assert "restarting" not in dispatcher.text() and dispatcher.text().count("other eventProviders") == 3


def test_the_metrics_port_follows_the_file(lab, fleet):
    """The port of a dispatcher depends on the number of eventProviders. It changes with them, and the streams are not touched."""
    def port_of(n):
        return base + n
    base = next(port for port in iter(free_port, None) if not any(is_taken(port + i) for i in range(3)))
    bind = {"type": "default", "name": "m", "default": {"bindAddress": f"127.0.0.1:{base}"}}
    dispatcher = lab.daemon("dispatcher", fleet.config("http://127.0.0.1:9", providers(*BERLIN)) | {"metricsProvider": bind})
    dispatcher.argv = dispatcher.argv[:3]  # without --metrics
    dispatcher.port = port_of(2)
    dispatcher.start().wait_ready()
    dispatcher.configure(fleet.config("http://127.0.0.1:9", providers("berlin-1")) | {"metricsProvider": bind})
    dispatcher.port = port_of(1)
    dispatcher.wait_ready()
    assert "restarting" not in dispatcher.text() and is_taken(port_of(1)) and not is_taken(port_of(2))


def test_a_storm_in_one_vcenter_does_not_delay_another(lab, fleet):
    """While a backlog of 20,000 events of one vCenter is delivered, an event of another waits for not more of them than the dispatcher holds: after so
    many answers its request has come. The test counts the answers that it gives, so it does not depend on time."""
    arrived, answered, answers = [], [], threading.Semaphore(0)

    def answer(request):
        key = int(request.headers["ce-eventkey"])
        arrived.append(key)
        answers.acquire(timeout=120)
        answered.append(key)
        return Answer(202)

    def unacknowledged(vcenter):
        return fleet.consumer(stream=f"VC_{vcenter}")["num_ack_pending"]

    def counts():
        """By the dispatcher: events in memory, requests in flight. By NATS: what it sent of each vCenter. By the receiver: unanswered requests."""
        mine = json.loads(wire.request("vcourier.status.kn", b"").data)
        return mine["in_memory"], mine["in_flight"], unacknowledged("berlin-1"), unacknowledged("berlin-2"), len(arrived) - len(answered)

    def all_is_held():
        in_memory, in_flight, storm, others, unanswered = counts()
        return others == 1 and in_memory == storm + 1 and in_flight == unanswered
    fleet.publish(20000, vcenter="berlin-1")
    receiver = lab.receiver(answer, keep=False)
    lab.dispatcher(fleet.config(receiver.url, providers(*BERLIN))).wait_ready()
    wire = fleet.server.connect()
    for _ in range(5):
        enough = len(answered) + 2500
        answers.release(2500)
        wait_until(lambda enough=enough: len(answered) == enough, 60, "the storm is being delivered")
        [key] = fleet.publish(1, vcenter="berlin-2")
        wait_until(all_is_held, 60, counts)
        storm = unacknowledged("berlin-1")
        assert storm < 2000
        answers.release(storm)
        wait_until(lambda key=key: key in arrived, 60, f"its request after {storm} answers")
        wait_until(lambda enough=enough + storm: len(answered) == enough, 60, "these answers")
    answers.release(20005)
    fleet.idle(stream="VC_berlin-1")
    fleet.idle(stream="VC_berlin-2")
    assert len(arrived) == len(set(arrived)) == 20005


# ---- eventProvidersFrom


def write_vcenter(folder, name, vcenter, **more):
    """One file for a vCenter, with its password beside it."""
    (folder / f"{name}.password").write_text(PASSWORD)
    entry = provider(vcenter, name=name, startFrom="earliest", **more)
    entry["vcenter"]["auth"]["basicAuth"] = {"username": USER, "passwordFile": f"{name}.password"}
    (folder / f"{name}.yaml").write_text(json.dumps(entry))


def test_one_file_for_each_vcenter(lab):
    """A file that is added or removed concerns the dispatcher and no other collector; a broken one stops nothing that runs, and no other collector."""
    bus, vcenter, receiver, folder = lab.nats(), lab.vcenter("-backlog", "30"), lab.receiver(), lab.directory / "vcenters.d"
    js, n = lab.jetstream(bus), vcenter.stats()["events"]
    folder.mkdir()
    for name in ("a", "b"):
        write_vcenter(folder, name, vcenter)
    (folder / ".hidden.yaml").write_text("no: provider")
    (folder / "notes.txt").write_text("no YAML: [")
    config = router_config(bus, lab.authority.ca, processors=[knative(receiver.url)], eventProvidersFrom="vcenters.d")
    collectors = {name: lab.collector(config, "--name", name, name=f"collector-{name}").wait_ready() for name in ("a", "b")}
    dispatcher = lab.dispatcher(config).wait_ready()
    receiver.wait_for(lambda requests: len(requests) >= 2 * n, what="the events of two vCenters")

    write_vcenter(folder, "c", vcenter)
    collectors["c"] = lab.collector(config, "--name", "c", name="collector-c").wait_ready()
    receiver.wait_for(lambda requests: len(requests) >= 3 * n, what="the events of the vCenter that was added")

    (folder / "d.yaml").write_text("type: vcenter\nname: [")
    wait_until(lambda: "invalid configuration: the old one stays in use" in dispatcher.text(), 30, "the broken file is reported")
    assert "d.yaml:3:1" in dispatcher.text()
    collectors["b"].stop()
    collectors["b"].start().wait_ready()
    assert "d.yaml:3:1" in collectors["b"].text()
    (folder / "d.yaml").unlink()

    (folder / "b.yaml").unlink()
    collectors["b"].stop()
    found = wait_until(lambda: [m for _, m in [status(dispatcher)] if rows(m, "kn").get("VC_b") == "orphaned"], 30, lambda: status(dispatcher))[0]
    assert rows(found, "kn") == {"VC_a": "up to date", "VC_b": "orphaned", "VC_c": "up to date"}
    assert {e["source"]: e["state"] for e in found["collectors"]} == {"a": "reading", "b": "orphaned", "c": "reading"}
    wait_until(lambda: len(receiver.requests) == sum(js.count(f"VC_{v}") for v in "abc"), 30, "each stored event is delivered once")
    assert js.count("VC_b") >= n
    for name in ("a", "c"):
        assert "configuration changed" not in collectors[name].text() and "configuration invalid" not in collectors[name].text()
    # its own file does
    write_vcenter(folder, "c", vcenter, pollMax="700ms")
    wait_until(lambda: "configuration changed" in collectors["c"].text(), 30, "the collector has read its file again")


# Longer than a token, with the same first bytes and the same FNV-1a hash: found by trying.
LONG = [f"datacenter-frankfurt-am-main-building-seven-second-flo-cluster-{n}" for n in (479599, 662382)]
SAME_TOKEN = f'its short form in NATS, {LONG[0][:54]}~02C7AB82, is that of "{LONG[0]}", too'

BROKEN = [
    ({}, "vcenters.d: No such file or directory"),
    ({"a.yaml": "type: vcenter\nname: ["}, "a.yaml:3:1: did not find expected node content"),
    ({"a.yaml": "[]"}, "a.yaml:1:1: type is missing"),
    ({"a.yaml": "just text"}, "a.yaml:1:1: type is missing"),
    ({"a.yaml": "\0"}, "a.yaml:1:1: a NUL byte"),
    ({"a.yaml": "{type: vcenter, name: x}", "b.yml": "eventProviders: [{type: vcenter, name: x}]"}, "a name may be given only once"),
    ({f"{i}.yaml": json.dumps({**PROVIDER, "name": name}) for i, name in enumerate(LONG)}, SAME_TOKEN),
    ({"a.yaml": "{type: vcenter, name: x, vcenter: {address: h, bad: 1}}"}, "vcenter.bad: unknown key"),
    ({"a.yaml": "{type: vcenter, name: x, vcenter: {address: h, auth: {basicAuth: {username: u, passwordFile: gone}}}}"}, "this file cannot be read here"),
]


@pytest.mark.parametrize("files, message", BROKEN, ids=[m for _, m in BROKEN])
def test_files_that_are_wrong(tmp_path, files, message):
    file, folder = tmp_path / "config.yaml", tmp_path / "vcenters.d"
    file.write_text(json.dumps(router_config("nats://127.0.0.1:1", processors=[knative("http://b")], eventProvidersFrom="vcenters.d")))
    if files:
        folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == (0 if "cannot be read here" in message else 78) and message in run.stderr, run.stderr


def test_two_files_for_one_vcenter(tmp_path):
    """A warning at the check, which names the file and the other eventProvider; a collector that starts shows it, too."""
    folder, file = tmp_path / "vcenters.d", tmp_path / "config.yaml"
    folder.mkdir()
    file.write_text(json.dumps(router_config("nats://127.0.0.1:1", processors=[knative("http://b")], eventProvidersFrom="vcenters.d")))
    for name in ("a", "b"):
        (folder / f"{name}.yaml").write_text(json.dumps({**PROVIDER, "name": name}))
    for command in (["vcourier", "check", file], ["vcourier-collector", "-c", file, "--name", "b", "--check"]):
        run = subprocess.run([BUILD / command[0], *command[1:]], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0 and re.search(r"b\.yaml:1:\d+: vcenter\.address: is also the address of a: ", run.stdout + run.stderr), run


@pytest.mark.parametrize("kind", ["one file", "a file for each"])
def test_a_thousand_vcenters(tmp_path, kind):
    """Are checked, and 1,001 are refused. Memory is bounded: a small file takes little, also when there are many."""
    def write(n):
        entries = [{**PROVIDER, "name": f"vc{i:04}", "vcenter": {**PROVIDER["vcenter"], "address": f"https://vc{i}.invalid/sdk"}} for i in range(n)]
        if kind == "one file":
            return file.write_text(json.dumps(router_config("nats://127.0.0.1:1", None, entries, [knative("http://b")])))
        for entry in entries:
            (folder / f"{entry['name']}.yaml").write_text(json.dumps(entry))
        return file.write_text(json.dumps(router_config("nats://127.0.0.1:1", processors=[knative("http://b")], eventProvidersFrom="vcenters.d")))
    folder, file = tmp_path / "vcenters.d", tmp_path / "config.yaml"
    folder.mkdir()
    write(1000)
    commands = {"vcourier": ["check", file], "vcourier-dispatcher": ["-c", file, "--check"],
                "vcourier-collector": ["-c", file, "--name", "vc0999", "--check"]}
    for program, arguments in commands.items():
        run = subprocess.run(["prlimit", "--data=100000000", BUILD / program, *arguments], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0 and f"{file}: ok" in run.stdout, run.stderr[-2000:]
        assert program != "vcourier" or run.stdout.count("  collector  vc") == 1000
    write(1001)
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    errors = [line for line in run.stderr.splitlines() if not line.startswith("warning: ")]
    assert run.returncode == 78 and len(errors) == 1 and "more than 1000 entries" in errors[0] and len(run.stderr) < 10000, run.stderr


# ---- the size of streams


def test_streams_that_do_not_fit(lab):
    """The error has the sizes in bytes: what a stream wants, what the others have, and the limit, as far as nats-server tells it."""
    account = {"limit": "accounts { A { jetstream: { max_file: 5GB }, users: [ { user: u, password: p } ] } }\nno_auth_user: u", "none": ""}
    for name, extra in account.items():
        bus, vcenter = lab.nats(name, extra=extra, max_store="5GB"), lab.vcenter(name=f"vcenter-{name}")
        config = router_config(bus, lab.authority.ca, [provider(vcenter, name=f"vc{i}") for i in range(3)])
        config["bus"]["stream"] = {"maxBytes": "2GB"}
        collectors = [lab.collector(config, "--name", f"vc{i}", name=f"{name}-vc{i}") for i in range(2)]
        for collector in collectors:
            collector.wait_ready()
        last = lab.collector(config, "--name", "vc2", name=f"{name}-vc2")
        wait_until(lambda: "no room for maxBytes 2000000000 bytes beside " in last.text(), 60, lambda: last.text())
        limit = "the account may use 5368709120 (" if name == "limit" else "max_file_store of nats-server leaves less ("
        # a stream that exists on disk would be cut to a smaller size
        assert limit in last.text() and "raise that limit, or lower maxBytes of a stream that is new" in last.text(), last.text()
        run = subprocess.run([BUILD / "vcourier", "check", "--connect", last.file], capture_output=True, text=True, timeout=60)
        if name == "limit":
            assert run.returncode == 1 and "FAILED storage: maxBytes 2000000000 for each of 1 streams to create" in run.stdout, run.stdout
            # and a bucket, whose max_bytes of -1 counts in nats-server 2.10
            assert re.search("the account may use 5368709120, of which (40[0-9]{8}|3999999999) are reserved", run.stdout), run.stdout
        else:
            assert "1 streams to create reserve 2000000000 bytes" in run.stdout, run.stdout


# ---- a fleet


def test_twelve_vcenters(lab):
    """Collectors and dispatchers for 12 vCenters, a storm in one, one that is down, a collector that is killed: the books of each balance."""
    fleet = Fleet(lab, 12)
    fleet.start()
    names = list(fleet.vcenters)
    fleet.rate(20)
    fleet.vcenters[names[0]].burst(5000)
    fleet.vcenters[names[1]].fault("503", n=-1)
    fleet.collectors[names[2]].kill()
    wait_until(lambda: fleet.js.count(f"VC_{names[0]}") > 5000, 60, "the storm is stored")
    wait_until(lambda: fleet.collectors[names[1]].reasons(), 60, "the collector reports the vCenter that is down")
    fleet.collectors[names[2]].start()
    fleet.vcenters[names[1]].lab("clear")
    fleet.rate(0)
    assert fleet.settle() > 5000
    for name in names[:3]:
        Ledger(fleet.js, f"VC_{name}", fleet.vcenters[name]).settle()
    uuids = {uuid for name in names for uuid, _, _ in Ledger(fleet.js, f"VC_{name}", None).stored()[:1]}
    assert len(uuids) == len(names), "each is a vCenter of its own"


# ---- a leaf node for each site


LEAF = json.loads((ROOT / "docs/examples/mirror.json").read_text())


def test_a_site_behind_a_leaf_node(lab):
    """docs/scale.md: the collector writes to the server of its site, the centre mirrors the stream and delivers. The link is cut and comes back:
    meanwhile the site stores, and each event is then delivered once."""
    port = free_port()
    hub = lab.nats("hub", domain="hub", extra=f'server_name: hub\nleafnodes {{ listen: "127.0.0.1:{port}" }}')
    link = Proxy(port)
    lab.closers.append(link.close)
    site = lab.nats("site", domain="site", extra='server_name: site\nleafnodes { reconnect: 1, remotes: '
                    f'[ {{ url: "nats://127.0.0.1:{link.port}" }} ] }}')
    vcenter, receiver = lab.vcenter("-backlog", "200"), lab.receiver()
    collector = lab.collector(router_config(site, lab.authority.ca, [provider(vcenter, startFrom="earliest")])).wait_ready()
    ledger = lab.open_ledger(site, vcenter)
    ledger.settle()
    centre = lab.jetstream(hub)
    centre.create("VC_lab", LEAF)
    dispatcher = lab.dispatcher(router_config(hub, providers=[PROVIDER], processors=[knative(receiver.url)])).wait_ready()
    receiver.wait_for(lambda requests: len(requests) >= 200, what="the events of the site")

    link.down()
    vcenter.burst(300)
    ledger.settle()
    assert collector.reasons() == {} and dispatcher.reasons() == {}, "neither needs the link"
    link.up()
    stored = len(ledger.stored())
    receiver.wait_for(lambda requests: len(requests) >= stored, what="the events of the time without a link")
    wait_until(lambda: centre.count("VC_lab") == stored, 60, lambda: f"{centre.info('VC_lab')['state']}")
    assert sorted(keys(receiver.requests)) == sorted(key for _, key, _ in ledger.stored())
