# SPDX-License-Identifier: Apache-2.0
"""The manifests of k8s/, rendered by kustomize."""
import copy
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = [ROOT / "k8s" / "base", *sorted((ROOT / "k8s" / "overlays").iterdir())]
# Components that no overlay of k8s/ has, as the page combines them.
COMBINED = {"tls": ["knative", "console", "toolbox", "bus-tls", "bus-tls/cert-manager"],
            "tls-ha": ["knative", "console", "ha", "bus-tls/ha", "bus-tls/cert-manager"],
            "external-nats": ["knative", "console", "toolbox", "ha", "bus-ca", "external-nats"],
            "observed": ["knative", "toolbox", "monitoring", "nats-exporter"],
            "observed-ha": ["knative", "ha", "monitoring", "nats-exporter"]}
_rendered = {}


def kustomize(overlay):
    """The run of kustomize, by the kubectl of `make interop` or the installed one."""
    kubectl = {"env": {**os.environ, "PATH": f"{ROOT}/build/interop/bin:{os.environ['PATH']}"}, "capture_output": True, "text": True}
    try:
        version = subprocess.run(["kubectl", "version", "--client"], **kubectl).stdout
    except OSError:
        pytest.skip("kubectl (1.27 or later) is not installed")
    if not re.search(r"Kustomize Version: v[5-9]", version):
        pytest.skip("kubectl is too old: kustomize 5 is needed (Debian 12 has 2.0)")
    return subprocess.run(["kubectl", "kustomize", overlay], **kubectl)


def render(overlay):
    """The objects of an overlay."""
    if overlay not in _rendered:
        run = kustomize(overlay)
        assert run.returncode == 0, run.stderr
        _rendered[overlay] = list(yaml.safe_load_all(run.stdout))
    return copy.deepcopy(_rendered[overlay])


def write_overlay(directory, components, resources=()):
    """An overlay beside this checkout, as a user writes it."""
    k8s = os.path.relpath(ROOT / "k8s", directory)
    directory.mkdir(exist_ok=True)
    (directory / "kustomization.yaml").write_text(json.dumps({
        "resources": [f"{k8s}/base", *resources], "components": [f"{k8s}/components/{c}" for c in components]}))
    return directory
