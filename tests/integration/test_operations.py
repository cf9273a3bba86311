# SPDX-License-Identifier: Apache-2.0
"""Alerts: Prometheus accepts them, they fire under their conditions, each has a runbook and uses existing metrics."""
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from lab.process import ROOT

sys.path.insert(0, str(ROOT / "tests/pages"))
import page  # noqa: E402

RULES = yaml.safe_load((ROOT / "k8s/components/monitoring/prometheusrule.yaml").read_text())["spec"]
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]


def test_promtool(tmp_path):
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(RULES))
    shutil.copy(ROOT / "tests/data/prometheus-rules-test.yaml", tmp_path / "test.yaml")
    for command in (["check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"], ["test", "rules", "test.yaml"]):
        run = subprocess.run(["promtool", *command], cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda a: a["alert"])
def test_each_alert_has_a_runbook_and_existing_metrics(alert):
    assert f"### {alert['alert']}\n" in (ROOT / "docs/operations.md").read_text()
    assert alert["annotations"]["runbook_url"] == f"https://vcourier.example/docs/operations.md#{alert['alert'].lower()}"
    assert alert["labels"]["severity"] in ("critical", "warning", "info") and alert["annotations"]["summary"]
    source = "".join(p.read_text() for d in ("lib", "collector", "dispatcher") for p in (ROOT / d).rglob("*.c"))
    for metric in re.findall(r"vcourier_\w+", alert["expr"]):
        name = re.sub(r"^vcourier_(collector|dispatcher)_", "", metric)
        assert f'"{metric}"' in source or f'"{name}"' in source, metric


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_an_overlay_sets_the_address_of_the_runbooks(tmp_path):
    """The file of the page, and the component."""
    (tmp_path / "docs-url.yaml").write_text(page.block("docs/operations.md", "Alerts").text)
    components = [os.path.relpath(ROOT / "k8s/components" / name, tmp_path) for name in ("monitoring", "monitoring/runbooks")]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["docs-url.yaml"], "components": components}))
    run = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, text=True, check=True)
    objects = {o["kind"]: o for o in yaml.safe_load_all(run.stdout)}
    assert set(objects) == {"PodMonitor", "PrometheusRule"}
    rules = [rule for group in objects["PrometheusRule"]["spec"]["groups"] for rule in group["rules"]]
    assert [r["annotations"]["runbook_url"] for r in rules] == [
        f"https://docs.example.com/vcourier/operations.md#{alert['alert'].lower()}" for alert in ALERTS]


def test_every_runbook_has_an_alert():
    runbooks = re.findall(r"^### (Vcourier\w+)$", (ROOT / "docs/operations.md").read_text(), re.M)
    assert runbooks == [alert["alert"] for alert in ALERTS]
