# SPDX-License-Identifier: Apache-2.0
"""The Grafana dashboard: every query returns data from a real Prometheus that scrapes real processes, and the layout is sound."""
import json
import re
import subprocess

import pytest
import yaml

from lab.pipeline import build
from lab.process import ROOT, wait_until
from lab.product import provider, router_config
from lab.prometheus import RULES, faster, parse
from lab.receiver import Answer

COMPONENT = ROOT / "k8s" / "components" / "grafana"
DASHBOARD = json.loads((COMPONENT / "vcourier.json").read_text())
PANELS = [p for p in DASHBOARD["panels"] if p["type"] != "row"]
VARIABLES = {v["name"]: v for v in DASHBOARD["templating"]["list"]}
# As Grafana replaces them: "All" of a variable is its allValue; the intervals are shorter than a person's.
VALUES = {"$source": ".*", "$dispatcher": ".*", "$__rate_interval": "10s", "[24h]": "[1m]"}


def queries():
    for panel in PANELS:
        for target in panel["targets"]:
            query = target["expr"]
            for name, value in VALUES.items():
                query = query.replace(name, value)
            yield panel["title"], target, query


def test_layout():
    ids = [p["id"] for p in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids)) and len({p["title"] for p in PANELS}) == len(PANELS)
    taken = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken and at["x"] + at["w"] <= 24, panel["title"]
        taken |= cells
    assert [p["title"].split(":")[0] for p in DASHBOARD["panels"] if p["type"] == "row"] == ["Overview", "Source", "Dispatcher", "Dead letters"]


def test_grafanas_schemas():
    """With every key required that Grafana itself writes."""
    program = ROOT / "build" / "interop" / "bin" / "check-dashboard"
    if not program.exists():
        pytest.skip("the schemas of dashboards are not built (`make interop`)")
    run = subprocess.run([program, COMPONENT / "vcourier.json"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("panel", PANELS, ids=lambda p: p["title"])
def test_each_panel_is_described_and_uses_the_variables(panel):
    assert panel["description"].endswith(".")
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert set(re.findall(r"\$(\w+)", target["expr"])) <= {*VARIABLES, "__rate_interval"}
        assert "min by" not in target["expr"] and "avg" not in target["expr"]
        assert set(re.findall(r"{{(\w+)}}", target.get("legendFormat", ""))) <= {
            "source", "dispatcher", "instance", *re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", target["expr"])))}


def test_the_config_map_is_found_by_grafanas_sidecar():
    component = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text())
    generated, = component["configMapGenerator"]
    assert generated["files"] == ["vcourier.json"] and generated["options"]["labels"]["grafana_dashboard"] == "1"


def test_every_query_returns_data(lab):
    """A source, a dispatcher, events, one that is refused, and an alert."""
    build(lab, "-backlog", "50", "-rate", "20")
    lab.config["eventProvider"]["vcenter"]["insecureSSL"] = True  # the alert
    lab.col.configure(lab.config)
    receiver = lab.receiver(lambda request: Answer(400 if int(request.event()["eventkey"]) % 10 == 0 else 202))
    dispatcher = lab.dispatcher(router_config(lab.bus, providers=[provider(lab.vc)], processors=[
        {"type": "knative", "name": "kn", "knative": {"destination": {"uri": receiver.url}},
         "retry": {"initial": "20ms", "max": "100ms", "rejectGrace": "300ms"}}]))
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_dead_lettered_total") > 0, 60, "a dead letter")
    wait_until(lambda: dispatcher.metric("vcourier_stream_max_bytes", stream="VCDEAD") > 0, 60, "the size of VCDEAD")
    prometheus = lab.prometheus(lab.col, dispatcher, rules=faster(RULES, 100))
    for variable in ("source", "dispatcher"):
        metric = re.fullmatch(rf"label_values\((\w+), {variable}\)", VARIABLES[variable]["query"]["query"])[1]
        assert {labels[variable] for labels, _ in prometheus.query(metric)} == {{"source": "lab", "dispatcher": "kn"}[variable]}

    def empty():
        return [(title, query) for title, _, query in queries() if not [n for _, n in prometheus.query(query) if n == n]]
    wait_until(lambda: not empty(), 60, empty)
    for title, target, query in queries():
        for label in re.findall(r"{{(\w+)}}", target.get("legendFormat", "")):
            got = prometheus.query(query)
            assert any(label in labels for labels, _ in got), (title, label, got[:2])
    names = {name for daemon in (lab.col, dispatcher) for name, _, _ in parse(daemon.get("/metrics")[1])[1]}
    used = {name for _, _, query in queries() for name in re.findall(r"vcourier_\w+", query)}
    assert used <= names
