# SPDX-License-Identifier: Apache-2.0
"""The metrics of the real processes: the documented names and no others, every series of a closed set from the start, and on each
series the name of its source or dispatcher."""
import re
import subprocess

import pytest

from lab.gateway import Gateway
from lab.process import ROOT, wait_until
from lab.product import provider, router_config
from lab.prometheus import parse
from lab.receiver import Answer
from lab.stream import Stream

PAGE = (ROOT / "docs/operations.md").read_text()
METRIC = re.compile(r"`(\w+)(?:\{([\w, ]+)\})?`")
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def documented():
    """{(metric, its labels)} of the tables of docs/operations.md; the head of a table has the prefix of its names."""
    section = PAGE.split("\n## Metrics\n")[1].split("\n## ")[0]
    out = set()
    for table in re.findall(r"(?:^\|.*\n)+", section, re.M):
        head, _, *rows = table.splitlines()
        prefix = re.search(r"`(vcourier_\w*)`", head)[1]
        for row in rows:
            out |= {(prefix + m[1], m[2] or "") for m in METRIC.finditer(row.split("|")[1])}
    return out


def exported(daemon, own):
    """{(metric, its labels)}, less the labels that all series of the process have: these must be there."""
    types, series = parse(daemon.get("/metrics")[1])
    out = set()
    for name, labels, _ in series:
        family = name if name in types else HISTOGRAM.sub("", name)
        assert family in types and own.items() <= labels.items(), (name, labels)
        if not family.startswith("process_"):
            out.add((family, ", ".join(k for k in labels if k not in own and k not in ("backend", "le"))))
    return out


@pytest.fixture
def gateway():
    gateway = Gateway().start()
    yield gateway
    gateway.close()


def test_every_metric_is_documented_and_every_documented_metric_exists(pipeline, gateway):
    lab = pipeline("-backlog", "20")
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    backend = {"type": "openfaas", "name": "of", "openfaas": {"address": gateway.url, "auth": auth, "refreshInterval": "1s"}}
    gateway.deploy("fn", "VmPoweredOnEvent,VmPoweredOffEvent,VmReconfiguredEvent")
    dispatcher = lab.dispatcher(router_config(lab.bus, providers=[provider(lab.vc)], processors=[backend]), name="of").wait_ready()
    lab.ledger.settle()
    lab.vc.burst(20)
    collector = {"source": "lab"}, lab.col
    of = {"dispatcher": "of"}, dispatcher
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_requests_total") > 0, 60, "a request")
    wait_until(lambda: all(d.metric("vcourier_stream_max_bytes", stream="VC_lab") == 8 << 30 for _, d in (collector, of)), 60, "the stream's size")
    assert exported(lab.col, collector[0]) | exported(dispatcher, of[0]) == documented()
    assert lab.col.metric("vcourier_stream_bytes", stream="VC_lab") > 0


def column(page, head):
    """The first column of the table of a page with this head."""
    rows = (ROOT / "docs" / page).read_text().split(f"| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    return [row.split("`")[1] for row in rows]


def values(daemon, metric, label):
    return {labels[label]: n for name, labels, n in parse(daemon.get("/metrics")[1])[1] if name == metric}


def test_sets_are_complete_at_0_before_anything_happened(pipeline):
    """A counter that appears at 1 has no increase that Prometheus sees."""
    lab = pipeline()
    quiet = Stream(lab, lab.nats("quiet"))
    quiet.make_stream()
    of = lab.dispatcher(quiet.config("http://127.0.0.1:9")).wait_ready()
    lab.col.wait_ready()
    reasons = column("delivery.md", "reason")
    assert "rejected" in reasons and "backlog" in reasons
    assert values(of, "vcourier_dispatcher_dead_lettered_total", "reason") == dict.fromkeys(reasons, 0)
    assert values(of, "vcourier_dispatcher_errors_total", "kind") == dict.fromkeys(["connect", "tls", "timeout", "protocol"], 0)
    assert values(of, "vcourier_dispatcher_events_total", "result") == dict.fromkeys(["delivered", "filtered", "dead", "expired"], 0)
    assert values(of, "vcourier_dispatcher_stalls_total", "kind") == {"pull": 0, "deliver": 0}
    assert values(of, "vcourier_up", "peer") == {"nats": 1, "knative": 1}
    collector = "vcourier_collector_"
    assert values(lab.col, collector + "sessions_total", "reason") == {"login": 1, "refused": 0}
    assert values(lab.col, collector + "stalls_total", "reason") == {"permission_gap": 0, "unseen": 0}
    errors = values(lab.col, collector + "publish_errors_total", "code")
    assert {"connect", "timeout", "forbidden", "conflict", "full", "limit"} <= set(errors) and not any(errors.values())
    assert values(lab.col, "vcourier_up", "peer") == {"nats": 1, "vcenter": 1}
    names = {name for name, _, _ in parse(lab.col.get("/metrics")[1])[1]}
    assert {collector + "fenced_total", collector + "epochs_total", collector + "event_gaps_total"} <= names


def test_the_bus_is_lost_and_back_for_each_process(pipeline):
    lab = pipeline()
    dispatcher = lab.dispatcher(Stream(lab, lab.bus).config("http://127.0.0.1:9")).wait_ready()
    lab.col.wait_ready()
    for up in (0, 1):
        lab.bus.start() if up else lab.bus.stop()
        for daemon in (lab.col, dispatcher):
            wait_until(lambda: daemon.metric("vcourier_up", peer="nats") == up, 60, f"{daemon.name}: {up}")
    for daemon in (lab.col, dispatcher):
        assert daemon.metric("vcourier_nats_reconnects_total") >= 1


def test_one_target_pauses_while_another_resumes(lab, stream, gateway):
    """The gauge tells the state of all targets, not the last change of one."""
    gateway.deploy("bad", "BadEvent")
    gateway.deploy("mended", "MendedEvent")
    failing = {"bad", "mended"}
    gateway.fail(failing)
    auth = {"type": "basic_auth", "basicAuth": {"username": gateway.user, "password": gateway.password}}
    dispatcher = lab.dispatcher(stream.config({"type": "openfaas", "name": "of", "openfaas": {
        "address": gateway.url, "auth": auth, "refreshInterval": "1s"}}, retry={"initial": "20ms", "max": "200ms"})).wait_ready()
    metric = dispatcher.metric
    stream.publish(10, "MendedEvent")
    stream.publish(10, "BadEvent")
    wait_until(lambda: metric("vcourier_dispatcher_paused_targets") == 2, 60, "both pause")
    failing.discard("mended")
    wait_until(lambda: metric("vcourier_dispatcher_events_total", result="delivered") == 10, 60, "one is mended")
    wait_until(lambda: metric("vcourier_dispatcher_paused_targets") == 1, 60, "one pauses")
    assert metric("vcourier_dispatcher_circuit_state") == 2 and metric("vcourier_up", peer="openfaas") == 1
    failing.clear()
    wait_until(lambda: metric("vcourier_dispatcher_circuit_state") == 0, 60, "both run")
    stream.idle("of")


def test_buckets_have_the_unit_of_their_metric(lab, stream):
    """Tries are whole numbers; events wait for up to a day (`retry.maxAge`)."""
    fails = [2]

    def answer(request):
        fails[0] -= 1
        return Answer(503 if fails[0] >= 0 else 202)
    dispatcher = lab.dispatcher(stream.config(lab.receiver(answer).url, retry={"initial": "20ms", "max": "100ms"})).wait_ready()
    stream.publish(1)
    stream.idle()
    _, series = parse(dispatcher.get("/metrics")[1])
    buckets = {}
    for name, labels, n in series:
        if name.endswith("_bucket"):
            buckets.setdefault(name, {})[labels["le"]] = n
    attempts = buckets["vcourier_dispatcher_delivery_attempts_bucket"]
    assert attempts["2"] == 0 and attempts["3"] == attempts["+Inf"] == 1
    assert all(le == "+Inf" or float(le).is_integer() for le in attempts)
    assert str(86400) in buckets["vcourier_dispatcher_event_age_at_delivery_seconds_bucket"]


def test_promtool_finds_no_fault_in_names_and_help(pipeline):
    lab = pipeline()
    dispatcher = lab.dispatcher(Stream(lab, lab.bus).config("http://127.0.0.1:9")).wait_ready()
    lab.col.wait_ready()
    for daemon in (lab.col, dispatcher):
        text = daemon.get("/metrics")[1]
        run = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name, shown", [('a "b" \\ c', 'a \\"b\\" \\\\ c'), ("münchen-1", "münchen-1")])
def test_any_name_is_a_valid_label(lab, stream, name, shown):
    entry = {"type": "knative", "name": name, "knative": {"encoding": "binary", "destination": {"uri": "http://127.0.0.1:9"}}}
    dispatcher = lab.dispatcher(stream.config(entry))
    wait_until(lambda: dispatcher.metrics() or not dispatcher.running(), 60, "the port")
    assert f'vcourier_build_info{{dispatcher="{shown}",version=' in dispatcher.get("/metrics")[1]
