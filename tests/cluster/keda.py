# SPDX-License-Identifier: Apache-2.0
"""KEDA: the component `scaling/knative` scales the dispatcher by its backlog, up and down again."""
import json
import subprocess
import time

from deployment import BURST, kubectl
from lab.process import wait_until
from projects import MANIFESTS, deploy, documents, image, wait_for
from scenarios import say

OPERATOR, ADAPTER = "ghcr.io/kedacore/keda:main", "ghcr.io/kedacore/keda-metrics-apiserver:main"
COMMANDS = {OPERATOR: "/bin/keda-operator", ADAPTER: "/bin/keda-adapter"}
OURS = {OPERATOR: image("keda"), ADAPTER: image("keda-adapter")}
BACKLOG = 20 * BURST  # four times the lag at which KEDA wants one more replica
SLOW_MS = 3000


def up():
    text = subprocess.run(["kubectl", "kustomize", MANIFESTS / "keda/default"], capture_output=True, text=True, check=True).stdout
    # the admission webhooks are a third program, which refuses wrong ScaledObjects
    found = [d for d in documents(text) if d["metadata"]["name"] not in ("keda-admission", "keda-admission-webhooks")]
    for document in found:
        for container in document["spec"]["template"]["spec"]["containers"] if document["kind"] == "Deployment" else []:
            container["command"] = [COMMANDS[container["image"]]]
    deploy(found, OURS)
    wait_for("keda")
    kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.external.metrics.k8s.io", "--timeout=120s")


def replicas():
    return int(kubectl("-n", "vcourier", "get", "deployment", "dispatcher-knative", "-o", "jsonpath={.spec.replicas}"))


def why(d):
    return (kubectl("-n", "vcourier", "describe", "hpa,scaledobject")[-3000:] + kubectl("-n", "keda", "logs", "deployment/keda-operator", "--tail=20") + d.reasons())


def scales_by_backlog(d):
    """KEDA: a slow backend and a backlog, up to the replicas that the backlog asks for, and down again when it is drained."""
    began = time.monotonic()
    up()
    say(f"KEDA is up after {time.monotonic() - began:.0f} s")
    d.add("scaling/knative")
    kubectl("-n", "vcourier", "wait", "--for=condition=Ready", "scaledobject/dispatcher-knative", "--timeout=120s")
    minimum = json.loads(kubectl("-n", "vcourier", "get", "scaledobject", "dispatcher-knative", "-o", "json"))["spec"]["minReplicaCount"]
    assert replicas() == minimum
    d.get("knative", f"/slow?ms={SLOW_MS}", data=b"")
    began = time.monotonic()
    for _ in range(BACKLOG // BURST):
        d.burst()
    most = wait_until(lambda: (now := replicas()) >= 3 and now, 180, lambda: f"{replicas()} replicas\n{why(d)}")
    took = time.monotonic() - began
    again = d.apply()
    assert replicas() >= most, f"an apply took replicas away: {again}"
    d.wait_ready()
    say(f"a backlog of {BACKLOG}: from {minimum} to {most} replicas after {took:.0f} s; kubectl apply -k leaves {replicas()}")
    d.get("knative", "/slow?ms=0", data=b"")
    d.books("scaled up")
    began = time.monotonic()
    wait_until(lambda: replicas() == minimum, 300, lambda: f"{replicas()} replicas\n{why(d)}")
    d.wait_ready()
    say(f"drained: {minimum} replica again after {time.monotonic() - began:.0f} s")
    d.burst()
    d.books("scaled down")
    kubectl("-n", "vcourier", "delete", "scaledobject/dispatcher-knative")
    d.remove("scaling/knative")


SCENARIOS = [scales_by_backlog]
