#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the panels of the Grafana dashboard from a real Prometheus, with matplotlib: docs/dashboard.png.

A simulated vCenter, collector, NATS and dispatcher run for a while; the receiver refuses one event in fifty and fails for a time. Place, title, queries,
legend and unit of each panel come from the dashboard's JSON. Grafana itself draws them in another style."""
import json
import re
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lab.lab import Lab  # noqa: E402
from lab.process import ROOT, wait_until  # noqa: E402
from lab.product import provider, router_config  # noqa: E402
from lab.prometheus import RULES  # noqa: E402
from lab.receiver import Answer  # noqa: E402

DASHBOARD = json.loads((ROOT / "k8s/components/grafana/vcourier.json").read_text())
VALUES = {"$source": ".*", "$dispatcher": ".*", "$__rate_interval": "15s"}
STEP, CELL = 2, (0.58, 0.33)  # seconds between two points; inches of a cell of Grafana's grid
UNITS = {"ops": (1, "/s"), "s": (1, " s"), "percentunit": (100, " %"), "bytes": (2**-20, " MiB")}


def replaced(text):
    for name, value in VALUES.items():
        text = text.replace(name, value)
    return text


def legend(target, labels):
    return re.sub(r"{{(\w+)}}", lambda m: labels.get(m[1], ""), target.get("legendFormat", ""))


def stat(axes, prometheus, panel):
    values = prometheus.query(replaced(panel["targets"][0]["expr"]))
    axes.text(0.5, 0.45, f"{values[0][1]:.0f}" if values else "no data", ha="center", va="center", fontsize=20)
    axes.set_axis_off()


def table(axes, prometheus, panel):
    axes.set_axis_off()
    rows = [(" ".join(v for k, v in sorted(labels.items()) if k not in ("__name__", "daemon", "namespace", "job", "alertstate")), n)
            for labels, n in prometheus.query(replaced(panel["targets"][0]["expr"]))]
    for i, (text, n) in enumerate(rows[:6]):
        axes.text(0.02, 0.85 - i * 0.15, f"{n:.0f}  {text[:90]}", fontsize=7)
    if not rows:
        axes.text(0.5, 0.5, "none", ha="center", fontsize=9)


def timeseries(axes, prometheus, panel, span):
    for target in panel["targets"]:
        reply = json.loads(prometheus.get("api/v1/query_range", query=replaced(target["expr"]), start=span[0], end=span[1], step=STEP))
        assert reply["status"] == "success", reply
        for series in reply["data"]["result"]:
            points = [(float(t) - span[0], float(n)) for t, n in series["values"]]
            axes.plot([t for t, _ in points], [n for _, n in points], linewidth=1, label=legend(target, series["metric"])[:30])
    factor, unit = UNITS.get(panel["fieldConfig"]["defaults"].get("unit"), (1, ""))
    axes.yaxis.set_major_formatter(lambda n, _: f"{n * factor:g}{unit}")
    axes.set_ylim(bottom=0)
    axes.tick_params(labelsize=6)
    axes.grid(linewidth=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=5, loc="upper left", ncols=2)


def draw(prometheus, span, path):
    height = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in DASHBOARD["panels"]) + 1
    figure = plt.figure(figsize=(24 * CELL[0], height * CELL[1]))
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        left, bottom = (at["x"] + 1.1) / 24, 1 - (at["y"] + at["h"] + 0.2) / height
        axes = figure.add_axes((left, bottom, (at["w"] - 1.3) / 24, (at["h"] - (0.9 if panel["type"] == "row" else 1.8)) / height))
        if panel["type"] == "row":
            axes.set_axis_off()
            axes.text(0, 0, replaced(panel["title"]).replace(": .*", ""), fontsize=12, weight="bold")
            continue
        axes.set_title(panel["title"], fontsize=8, loc="left", pad=3)
        {"stat": stat, "table": table}.get(panel["type"], timeseries)(axes, prometheus, panel, *([span] if panel["type"] == "timeseries" else []))
    figure.savefig(path, dpi=75)


def main():
    path, seconds = Path(sys.argv[1]), int(sys.argv[2])
    broken = []
    with tempfile.TemporaryDirectory(prefix="vcourier-panels-") as directory:
        lab = Lab(directory)
        try:
            nats, vcenter = lab.nats(), lab.vcenter("-backlog", "500", "-rate", "20")
            receiver = lab.receiver(lambda r: Answer(503) if broken else Answer(400 if int(r.event()["eventkey"]) % 50 == 0 else 202), keep=False)
            config = router_config(nats, lab.authority.ca, [provider(vcenter, startFrom="earliest")], [
                {"type": "knative", "name": "kn", "knative": {"destination": {"uri": receiver.url}}, "retry": {"rejectGrace": "1s"}}])
            daemons = lab.collector(config), lab.dispatcher(config)
            prometheus = lab.prometheus(*daemons, rules=RULES)
            for daemon in daemons:
                daemon.wait_ready()
            wait_until(lambda: daemons[1].metric("vcourier_dispatcher_dead_lettered_total") > 0, 60, "a dead letter")
            begin = time.time()
            for share, fails in ((0.4, False), (0.2, True), (0.4, False)):
                broken[:] = [True] * fails
                time.sleep(seconds * share)
            draw(prometheus, (begin, time.time()), path)
        finally:
            lab.close()
    print(f"{path}: {len(DASHBOARD['panels'])} panels, {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
