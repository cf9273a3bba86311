# SPDX-License-Identifier: Apache-2.0
"""Contour with Envoy: status and metrics over TLS, with the components `contour` and `contour/knative`."""
import json
import subprocess
import time

import pki
from deployment import HERE, kubectl
from lab.process import wait_until
from projects import MANIFESTS, deploy, documents, image, wait_for
from scenarios import say

HOST = "vcourier.example.com"  # of the component
CONTOUR, ENVOY = "ghcr.io/projectcontour/contour:v1.33.0", "docker.io/envoyproxy/envoy:distroless-v1.35.2"
OURS = {CONTOUR: image("contour"), ENVOY: image("envoy")}


class Envoy:
    """A client of the Service of Envoy that knows only the authority of the page's certificate."""

    def __init__(self, authority):
        self.address = kubectl("-n", "projectcontour", "get", "service", "envoy", "-o", "jsonpath={.spec.clusterIP}")
        self.authority = authority

    def curl(self, url, *options):
        """(status, body)"""
        port = 443 if url.startswith("https") else 80
        run = subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", self.authority, "--resolve", f"{HOST}:{port}:{self.address}",
                              "-w", "\n%{http_code}", *options, url], capture_output=True, text=True, check=False)
        body, _, status = run.stdout.rpartition("\n")
        return int(status or 0), body or run.stderr

    def answers(self, path):
        return wait_until(lambda: (answer := self.curl(f"https://{HOST}{path}")) and answer[0] == 200 and answer[1], 60,
                          lambda: f"{path} through Envoy: {self.curl(f'https://{HOST}{path}')}")


def delivered(metrics):
    """events_total{result="delivered"} of a dispatcher"""
    values = [line.rpartition(" ")[2] for line in metrics.splitlines()
              if line.startswith("vcourier_dispatcher_events_total{") and 'result="delivered"' in line]
    assert values, metrics
    return sum(int(float(value)) for value in values)


def up():
    text = "\n---\n".join(path.read_text() for path in sorted((MANIFESTS / "contour/contour").glob("*.yaml")))

    def change(document):
        if document["kind"] == "Deployment":
            document["spec"]["replicas"] = 1  # two find no second node
    deploy(documents(text), OURS, change)
    wait_for("projectcontour")


def check_paths(d, envoy):
    """The paths of the collector and of the dispatcher: what the process says of itself, as JSON, and its counters, which agree with the books."""
    d.burst()
    d.books("through Envoy")
    for name in ("vcenter", "knative"):
        state = json.loads(envoy.answers(f"/status/{name}"))
        assert state["ready"] is True, state
        json.loads(envoy.answers(f"/stats/{name}"))
        assert "vcourier_" in envoy.answers(f"/metrics/{name}")
    stored = len(d.stream())
    wait_until(lambda: delivered(envoy.answers("/metrics/knative")) == stored, 60,
               lambda: f"{delivered(envoy.answers('/metrics/knative'))} delivered by the metrics, {stored} stored")
    status, _ = envoy.curl(f"https://{HOST}/readyz")
    assert status == 404, status
    return f"6 paths over TLS; {stored} events delivered, by the metrics and by the books"


def serves_httpproxy(d):
    """Contour and Envoy with an HTTPProxy: the paths of the old appliance over TLS."""
    began = time.monotonic()
    up()
    say(f"Contour and Envoy are up after {time.monotonic() - began:.0f} s")
    pki.authority(d.directory, "page")
    pki.certificate(d.directory, "page-server", "page", f"/CN={HOST}", f"DNS:{HOST}", "serverAuth")
    make_secret(d, "vcourier")
    d.add("contour", "contour/knative")
    kubectl("-n", "vcourier", "wait", "--for=jsonpath={.status.currentStatus}=valid", "httpproxy/vcourier", "--timeout=60s")
    envoy = Envoy(d.directory / "page.crt")
    found = check_paths(d, envoy)
    status, _ = envoy.curl(f"http://{HOST}/status/vcenter")
    assert status == 301, status
    status, text = envoy.curl(f"https://{HOST}/status/vcenter", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0")
    assert status == 0 and "alert protocol version" in text, (status, text)
    say(f"HTTPProxy valid; {found}; HTTP is sent on to https, TLS 1.1 is refused")


def serves_httproutes(d):
    """The Gateway API in place of the HTTPProxy, with Contour as its implementation: the same paths."""
    d.remove("contour", "contour/knative")
    kubectl("-n", "vcourier", "delete", "httpproxy/vcourier", "networkpolicy/contour")
    kubectl("apply", "--server-side", "-f", MANIFESTS / "contour/gateway/00-crds.yaml")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", HERE / "contour.yaml")
    make_secret(d, "gateway")
    kubectl("label", "namespace", "projectcontour", "vcourier.io/gateway=true")
    kubectl("-n", "projectcontour", "rollout", "restart", "deployment/contour")
    kubectl("-n", "gateway", "wait", "--for=condition=Programmed", "gateway/gateway", "--timeout=120s")
    d.add("gateway", "gateway/knative")

    def accepted():
        routes = json.loads(kubectl("-n", "vcourier", "get", "httproutes", "-o", "json"))["items"]
        return [{c["type"]: c["status"] for c in parent["conditions"]} for r in routes for parent in r.get("status", {}).get("parents", [])]
    wait_until(lambda: accepted() == [{"Accepted": "True", "ResolvedRefs": "True"}] * 2, 60, lambda: f"both routes are accepted: {accepted()}")
    say(f"Gateway programmed, 2 HTTPRoutes accepted; {check_paths(d, Envoy(d.directory / 'page.crt'))}")
    d.remove("gateway", "gateway/knative")


def make_secret(d, namespace):
    kubectl("-n", namespace, "create", "secret", "tls", "vcourier-tls", "--cert=page-server.crt", "--key=page-server.key", cwd=d.directory)


SCENARIOS = [serves_httpproxy, serves_httproutes]
