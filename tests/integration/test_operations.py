# SPDX-License-Identifier: Apache-2.0
"""Alerts: Prometheus accepts them, they fire under their conditions, each has a runbook and uses existing metrics."""
import re
import shutil
import subprocess

import pytest
import yaml

from lab.process import ROOT

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
    assert alert["labels"]["severity"] in ("critical", "warning", "info") and alert["annotations"]["summary"]
    source = "".join(p.read_text() for d in ("lib", "collector", "dispatcher") for p in (ROOT / d).rglob("*.c"))
    for metric in re.findall(r"vcourier_\w+", alert["expr"]):
        name = re.sub(r"^vcourier_(collector|dispatcher)_", "", metric)
        assert f'"{metric}"' in source or f'"{name}"' in source, metric


def test_every_runbook_has_an_alert():
    runbooks = re.findall(r"^### (Vcourier\w+)$", (ROOT / "docs/operations.md").read_text(), re.M)
    assert runbooks == [alert["alert"] for alert in ALERTS]
