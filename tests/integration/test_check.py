# SPDX-License-Identifier: Apache-2.0
"""
`vcourier check` and the start of the daemons agree, for every option of the tables, with values at, inside and outside its
bounds and of other types. The daemons' --check, which reads the configuration like a start, reads a sample of these files
(VCOURIER_LONG=1: all). A sample of the valid files is used for a real start, without NATS.
"""
import copy
import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.stream import Stream, event
from lab.process import BUILD, ROOT, wait_until
from lab.product import knative, provider, router_config
from lab.pipeline import seeded

PROVIDERS = {
    "vcenter": {"address": "vc.invalid", "auth": {"type": "basic_auth", "basicAuth": {"username": "u", "password": "p"}}},
    "webhook": {"bindAddress": "127.0.0.1:0"},
    "horizon": {"address": "https://h.invalid", "auth": {"type": "active_directory", "activeDirectoryAuth": {
        "domain": "d", "username": "u", "password": "p"}}}}
PROVIDER = {"type": "vcenter", "name": "lab", "vcenter": PROVIDERS["vcenter"]}
# What a block of a source needs beside one of its options
COMPANIONS = {"auth": {"basicAuth": {"username": "u", "password": "p"}}, "wrap": {"source": "/s", "type": "t"}, "basicAuth": {"username": "u", "password": "p"}, "bearer": {"token": "t"},
              "paths": [{"path": "p"}]}
BACKENDS = {"knative": {"destination": {"uri": "http://127.0.0.1:9/"}}, "openfaas": {"address": "http://127.0.0.1:9"},
            "functions": {"directory": "/tmp"},
            "awsEventBridge": {"region": "eu-central-1", "ruleARN": "arn:aws:events:eu-central-1:123456789012:rule/a"}}
TYPES = {"awsEventBridge": "aws_event_bridge"}
VALUES = ["", "x", " ", "0", 0, 1, -1, 2**31, 2**63, 1.5, True, "1ms", "1s", "1h", "9999d", "P1D", "-1s", "1", "64KiB", "1GiB",
          "99999TiB", None, [], ["x"], [1], [""], {}, {"x": "y"}, "http://h.invalid/", "http://h.invalid/?q#f", "http://", "ftp://h",
          "127.0.0.1:0", "999.1.1.1:80", "1.2:80", "[::1]:0", "[:::]:80", "localhost:99999", "localhost:0", "/nonexistent",
          "a b", "*", "vc.>", "vcdead", "vcreplay", "y" * 70, "z" * 3000, "${NOT_SET}", "\u0001", "\u00e9", '{"a": [1]}', '{"a": 1}',
          "2026-01-31T00:00:00Z", "earliest", "a:b", "a/b", "nats://h:1", "tls://h", "nats://u:p@h:1"]


def config_with(backend="knative", provider="vcenter"):
    return {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "lab"},
            "eventProvider": {"type": provider, "name": "lab", provider: copy.deepcopy(PROVIDERS[provider])}, "bus": {"urls": ["nats://127.0.0.1:9"]},
            "metricsProvider": {"type": "default", "default": {"bindAddress": "127.0.0.1:0"}},
            "eventProcessor": {"type": TYPES.get(backend, backend), "name": "kn", backend: copy.deepcopy(BACKENDS[backend])}}


def leaves(node, path=()):
    """All options of the JSON Schema, which is generated from the tables. 0 in a path: the first block of a list."""
    if path and path[-1] == "paths":
        yield from leaves(node["items"], (*path, 0))
    for form in node.get("anyOf", [node]):
        if "properties" in form:
            for key, value in form["properties"].items():
                yield from leaves(value, (*path, key))
            return
    yield path, node


def with_value(path, value):
    backend, source = (next((name for name in names if name in path), default) for names, default in ((BACKENDS, "knative"), (PROVIDERS, "vcenter")))
    config = config_with(backend, source)
    block, companions = config, COMPANIONS if source != "vcenter" else {}
    for key in path[:-1]:
        if key == "bearer" and companions:
            block.clear()
            block["type"] = "bearer"
        if key != 0 and not isinstance(block.get(key), (dict, list)):
            block[key] = copy.deepcopy(companions.get(key, {}))
        block = block[key]
    block[path[-1]] = value
    return config


def cases():
    """(path, value, configuration)"""
    schema = json.loads((ROOT / "schemas" / "config.schema.json").read_text())
    for path, node in leaves(schema):
        special = [v for form in node.get("anyOf", []) for v in form.get("enum", [])]
        for form in node.get("anyOf", []):
            special += [form[k] + d for k in ("minimum", "maximum") if k in form for d in (-1, 0, 1)]
        for value in [*VALUES, *special]:
            yield path, value, with_value(path, value)


def accepted(files):
    """The files that `vcourier check` accepts, and its output."""
    good, said = set(), ""
    for i in range(0, len(files), 500):
        run = subprocess.run([BUILD / "vcourier", "check", *files[i:i + 500]], capture_output=True, text=True, timeout=300)
        good |= set(re.findall(r"^(/\S+): ok$", run.stdout, re.M))
        said += run.stderr
        assert run.returncode in (0, 78), run.stderr[-2000:]
    return good, said


def bounds(said):
    """The bounds of durations and sizes, parsed from the error messages."""
    for path, words in set(re.findall(r"^\S+ ([\w.[\]]+): must be (between \S+ and \S+|at least \S+), got", said, re.M)):
        keys = [0 if key == "0" else key for key in path.replace("[0]", ".0").split(".")]
        for value in re.findall(r"\d\S*", words):
            yield keys, value, with_value(keys, value)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """[(description, file, whether check accepts it)], most of them invalid."""
    directory = tmp_path_factory.mktemp("check")
    rows = []

    def write(some):
        new = []
        for path, value, config in some:
            file = directory / f"{len(rows) + len(new)}.yaml"
            file.write_text(json.dumps(config))
            new.append((f"{'.'.join(map(str, path))}: {json.dumps(value)[:60]}", file))
        good, said = accepted([str(f) for _, f in new])
        rows.extend((what, file, str(file) in good) for what, file in new)
        return said
    said = write(cases())
    write(bounds(said))
    return rows


def starts(program, file):
    run = subprocess.run([BUILD / f"vcourier-{program}", "--check", "-c", file], capture_output=True, text=True, timeout=60)
    assert run.returncode in (0, 78), (file, run.returncode, run.stderr)
    return run.returncode == 0


def sample(rows, n):
    return rows if "VCOURIER_LONG" in os.environ else seeded().sample(rows, n)


def test_check_and_start_agree(table):
    good, bad = ([row for row in table if row[2] == verdict] for verdict in (True, False))
    assert len(good) > 1000 and len(bad) > 4000
    rows = sample(good, 400) + sample(bad, 400)
    with ThreadPoolExecutor(4) as pool:
        ours = list(pool.map(lambda row: starts("collector", row[1]) and starts("dispatcher", row[1]), rows))
    differ = [(what, f"check {'accepts' if ok else 'refuses'}") for (what, _, ok), start in zip(rows, ours) if ok != start]
    assert not differ, f"{len(differ)} of {len(rows)}: {differ[:20]}"


def runs(program, file):
    """Whether the daemon starts, logs its start, and ends with success after SIGTERM."""
    with subprocess.Popen([BUILD / f"vcourier-{program}", "-c", file, "--log-level", "info"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        said, end = b"", time.monotonic() + 60
        while b"started" not in said and time.monotonic() < end:
            line = process.stderr.readline()
            if not line:
                break
            said += line
        process.terminate()
        rest = process.communicate(timeout=60)[1]
    return process.returncode == 0, (said + rest).decode()


def test_accepted_configurations_start(table):
    rows = sample([row for row in table if row[2]], 250)
    bus = [row for row in table if row[2] and row[0].startswith("bus.") and row not in rows]
    with ThreadPoolExecutor(4) as pool:
        for program in ("collector", "dispatcher"):
            for (what, file, _), (ok, said) in zip(rows + bus, pool.map(lambda row: runs(program, row[1]), rows + bus)):
                assert ok, f"{program} with {what} ({file}): {said}"


def test_all_errors_are_reported_at_once(tmp_path):
    """A start reports the same errors as check: those of the common blocks and those of the entry."""
    config = config_with()
    config["log"] = {"level": "loud"}
    config["bus"]["subjectPrefix"] = "a.b"
    config["eventProcessor"] |= {"concurrency": 0, "nonsense": 1}
    config["eventProvider"]["vcenter"]["pageSize"] = 0
    file = tmp_path / "router.yaml"
    file.write_text(json.dumps(config, indent=1))

    def errors(*command):
        run = subprocess.run([*command, file], capture_output=True, text=True, timeout=60)
        assert run.returncode == 78
        return {line for line in run.stderr.splitlines() if not line.startswith("warning: ")}
    by_check = errors(BUILD / "vcourier", "check")
    dispatcher, collector = (errors(BUILD / f"vcourier-{p}", "-c") for p in ("dispatcher", "collector"))
    assert len(by_check) == 5 and dispatcher | collector == by_check and len(dispatcher & collector) == 2


def test_two_names_of_one_vcenter(tmp_path):
    """A warning of check and at the start, with the line; each of the two names the other."""
    config = config_with()
    one = config.pop("eventProvider")
    two, three = json.loads(json.dumps(one)), json.loads(json.dumps(one))
    one["name"], two["name"], three["name"] = "first", "second", "third"
    one["vcenter"]["address"], two["vcenter"]["address"], three["vcenter"]["address"] = "127.0.0.1:1", "https://127.0.0.1:1/sdk/", "https://127.0.0.1:2/sdk"
    config["eventProviders"] = [one, two]
    config["eventProvidersFrom"] = ["more"]
    file, more = tmp_path / "router.yaml", tmp_path / "more"
    more.mkdir()
    (more / "third.yaml").write_text(json.dumps(three))
    file.write_text(json.dumps(config, indent=1))

    def warnings(text):
        return [re.search(r"(\w+\.yaml:\d+):\d+: (.*address: is also the address of \w+)", line) for line in text.splitlines() if "is also" in line]
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0
    lines = [f"router.yaml:{n}" for n, line in enumerate(file.read_text().splitlines(), 1) if '"address"' in line and "127.0.0.1" in line]
    assert [m.groups() for m in warnings(run.stderr)] == [
        (lines[0], "eventProviders[0].vcenter.address: is also the address of second"),
        (lines[1], "eventProviders[1].vcenter.address: is also the address of first")]
    for name, count in (("first", 1), ("third", 0)):
        started = subprocess.run([BUILD / "vcourier-collector", "-c", file, "--name", name, "--check"], capture_output=True, text=True, timeout=60)
        assert len(warnings(started.stderr)) == count, started.stderr
    three["vcenter"]["address"] = "127.0.0.1:1"
    (more / "third.yaml").write_text(json.dumps(three))
    run = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True, timeout=60)
    assert len(warnings(run.stderr)) == 3 and "third.yaml:1:" in run.stderr


def test_twenty_vcenters_in_one_file(lab):
    bus = lab.nats()
    stream = Stream(lab, bus)
    receiver = lab.receiver()
    names = [f"vc{i}" for i in range(20)]
    for name in names:
        stream.make_stream(stream=f"VC_{name}", vcenter=name, max_bytes=16 << 20)
    config = router_config(bus, providers=[{**PROVIDER, "name": name} for name in names], processors=[knative(receiver.url + "/in")])
    dispatcher = lab.daemon("dispatcher", config)
    assert accepted([str(dispatcher.file)])[0]
    dispatcher.start().wait_ready()
    for name in names:
        stream.publish(2, vcenter=name)
    receiver.wait_count(40)
    for name in names:
        stream.idle(stream=f"VC_{name}")
    assert sorted(receiver.ids()) == sorted(json.loads(event(i))["id"] for i in range(1, 41))
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_events_total", result="delivered") == 40)
    assert not stream.dead()


def test_connect_names_the_user_that_nats_refuses(lab):
    bus = lab.nats(extra='authorization { user: a, password: right }')
    file = lab.directory / "router.yaml"
    for user, named in (({"user": "a", "password": "wrong"}, "user a: "), ({}, "no user is given: ")):
        config = router_config(bus, lab.authority.ca, [provider(lab.vcenter(name=f"vc{len(user)}"))], [knative(lab.receiver().url)])
        config["bus"] |= user
        file.write_text(json.dumps(config))
        run = subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=60)
        assert run.returncode == 77 and f"FAILED NATS: {named}" in run.stdout and "wrong" not in run.stdout + run.stderr, run


@pytest.mark.parametrize("encoding", ["binary", "structured"])
def test_connect_sends_no_event(lab, encoding):
    """A function that does not look at the method would take the headers of the binary mode for an event."""
    receiver, file = lab.receiver(), lab.directory / "router.yaml"
    backend = knative(receiver.url, encoding=encoding, auth={"type": "basic_auth", "basicAuth": {"username": "u", "password": "p"}})
    file.write_text(json.dumps(router_config(lab.nats(), lab.authority.ca, [provider(lab.vcenter())], [backend])))
    run = subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=60)
    request, = receiver.options
    assert request.method == "OPTIONS" and request.headers["authorization"] == "Basic dTpw" and not request.body, run
    assert not [name for name in request.headers if name.startswith("ce-") or name == "content-type"], request.headers
