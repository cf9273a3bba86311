# SPDX-License-Identifier: Apache-2.0
"""Knative Eventing: a Broker (MTChannelBasedBroker over InMemoryChannel), Triggers, OIDC authentication and transport encryption."""
import json
import subprocess
import time
from pathlib import Path

import page
import pki
from deployment import HERE, kubectl
from lab.process import BUILD, ROOT, wait_until
from projects import MANIFESTS, deploy, documents, image, wait_for
from scenarios import say

CERTIFICATES = ROOT / "build/interop/crds/cert-manager.io_certificates.yaml"
NAMESPACE = "knative-eventing"
SUBJECT = "VmPoweredOnEvent"  # of the Trigger in knative.yaml
OURS = {f"ko://knative.dev/eventing/cmd/{path}": image(f"knative-{name}") for path, name in {
    "controller": "controller", "webhook": "webhook", "mtchannel_broker": "mtbroker", "broker/ingress": "ingress", "broker/filter": "filter",
    "in_memory/channel_controller": "imc-controller", "in_memory/channel_dispatcher": "imc-dispatcher"}.items()}
# Of their folder config: core without job sinks, ping sources, request and reply, and without the autoscaler of the webhook, which needs a metrics server.
FILES = ("config/core/*.yaml", "config/core/configmaps/*.yaml", "config/core/resources/*.yaml", "config/core/roles/*.yaml", "config/core/webhooks/*.yaml",
         "config/core/deployments/controller.yaml", "config/core/deployments/webhook.yaml", "config/channels/in-memory-channel/*.yaml",
         "config/channels/in-memory-channel/*/*.yaml", "config/brokers/mt-channel-broker/roles/*.yaml",
         "config/brokers/mt-channel-broker/deployments/controller.yaml", "config/brokers/mt-channel-broker/deployments/broker-*.yaml",
         "third_party/eventing-integrations-latest/*.yaml")
# Their servers with TLS: {Secret: name of the Service}. cert-manager would make the Secrets.
SERVERS = {"mt-broker-ingress-server-tls": "broker-ingress", "mt-broker-filter-server-tls": "broker-filter", "imc-dispatcher-server-tls": "imc-dispatcher"}


def up():
    found = [d for pattern in FILES for path in sorted((MANIFESTS / "knative").glob(pattern)) for d in documents(path.read_text())]
    first = [d for d in found if d["kind"] == "Namespace"]
    deploy(first, OURS)
    deploy([d for d in found if d not in first], OURS)
    wait_for(NAMESPACE)


def address():
    return json.loads(kubectl("-n", "default", "get", "broker", "default", "-o", "json"))["status"].get("address", {})


def wait_objects():
    kubectl("-n", "default", "wait", "--for=condition=Ready", "broker/default", "trigger/powered-on", "trigger/all", "--timeout=180s")


def logs(*deployments):
    return "".join(f"{name}: {kubectl('-n', NAMESPACE, 'logs', f'deployment/{name}', '--tail=8', check=False).stdout}\n" for name in deployments)


def ask(d, path):
    """What the dispatcher itself says. While it is not ready, the status is 503."""
    (_, _, _, pod), = d.pods("dispatcher-knative").values()
    return subprocess.run(["curl", "-sS", f"http://{pod}:8082{path}"], capture_output=True, text=True, check=False).stdout


def status(d):
    """What `vcourier status` prints."""
    server = kubectl("-n", "vcourier", "get", "service", "nats-client", "-o", "jsonpath={.spec.clusterIP}")
    return subprocess.run([BUILD / "vcourier", "status", "--server", f"nats://{server}:4222", "--user", "cli", "--password-file", "secrets/cli"],
                          cwd=d.directory, capture_output=True, text=True, check=False).stdout


def retries(d):
    return sum(int(float(line.rpartition(" ")[2])) for line in ask(d, "/metrics").splitlines() if line.startswith("vcourier_dispatcher_retries_total"))


def books(d, what, before):
    """As d.books(). The Trigger's subscriber has exactly the events that its filter wants, of those that came after `before`."""
    d.books(what)
    wanted = {i for i, subject in d.stream().items() if subject == SUBJECT and i not in before}
    wait_until(lambda: wanted <= set(d.received("powered-on")["ids"]), 60, lambda: f"{what}: the Trigger misses {len(wanted - set(d.received('powered-on')['ids']))}")
    got = d.received("powered-on")
    assert set(got["ids"]) == wanted, f"{what}: the Trigger let {len(set(got['ids']) - wanted)} other events pass"
    say(f"Trigger on type and subject {SUBJECT}: its subscriber has {len(wanted)} of {len(d.stream()) - len(before)} events, exactly those")


def delivers_to_a_broker(d):
    """Knative Eventing: destination.ref to a Broker, Triggers on type and subject."""
    began = time.monotonic()
    up()
    kubectl("apply", "-f", HERE / "knative.yaml")
    wait_objects()
    kubectl("-n", "default", "rollout", "status", "deployment/powered-on", "--timeout=120s")
    say(f"Knative Eventing, a Broker and two Triggers are Ready after {time.monotonic() - began:.0f} s")
    d.burst()
    d.books("before the Broker")
    d.before = set(d.stream())
    config = d.config()
    config["eventProcessors"][0]["knative"]["destination"] = {"ref": {
        "apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default", "namespace": "default"}}
    d.configure(config)
    d.apply()
    kubectl("-n", "vcourier", "rollout", "status", "deployment/dispatcher-knative", "--timeout=180s")
    d.wait_ready()
    for _ in range(5):
        d.burst()
    books(d, "Broker", d.before)
    say(f"the dispatcher found {address()['url']}")


def ingress_deleted(d):
    """The pod of the Broker's ingress is deleted under load. InMemoryChannel keeps events in memory, so its own pod is left alone."""
    before = kubectl("-n", NAMESPACE, "get", "pods", "-l", "eventing.knative.dev/brokerRole=ingress", "-o", "name").split()
    for _ in range(5):
        d.burst()
    began = time.monotonic()
    kubectl("-n", NAMESPACE, "delete", *before, "--wait=false", "--grace-period=0", "--force")
    for _ in range(15):
        d.burst()
    kubectl("-n", NAMESPACE, "rollout", "status", "deployment/mt-broker-ingress", "--timeout=120s")
    took = time.monotonic() - began
    books(d, "ingress deleted", d.before)
    repeated = retries(d)
    assert repeated > 0, "the dispatcher did not notice"
    say(f"the ingress was up again after {took:.1f} s; the dispatcher repeated {repeated} deliveries")


def feature(name, value):
    """Changes a feature flag and makes the Broker and its Triggers again. A channel of before keeps the subscribers that it had, beside the new ones."""
    kubectl("-n", "default", "delete", "broker/default", "trigger/powered-on", "trigger/all")
    kubectl("-n", NAMESPACE, "patch", "configmap", "config-features", "--type=merge", "-p", json.dumps({"data": {name: value}}))
    kubectl("apply", "-f", HERE / "knative.yaml")


def authenticates(d):
    """OIDC authentication: the dispatcher gets a token for the Broker's audience. Knative admits another namespace only by an EventPolicy."""
    feature("authentication-oidc", "enabled")
    audience = wait_until(lambda: address().get("audience"), 120, lambda: f"the Broker has an audience: {address()}")
    wait_objects()
    # until the ingress has read the ConfigMap it admits everybody
    wait_until(lambda: d.burst(5) or "HTTP 403" in status(d), 180, lambda: f"the Broker refuses another namespace: {status(d)}\n{logs('mt-broker-ingress')}")
    refused, = [line.strip() for line in status(d).splitlines() if "HTTP 403" in line]
    waiting = len(set(d.stream()) - set(d.received("knative")["ids"]))
    assert waiting > 0
    kubectl("apply", "-f", "-", input=page.block("docs/knative.md", "Where Knative authenticates").text)
    kubectl("-n", "default", "wait", "--for=condition=Ready", "eventpolicy/vcourier", "--timeout=60s")
    books(d, "OIDC", d.before)
    say(f"audience {audience}; before the EventPolicy {waiting} events waited: {refused}")


def encrypts(d):
    """transport-encryption strict: https with the Broker's CACerts, as between the parts of Knative. The test makes the Secrets that cert-manager would make."""
    directory = d.directory / "knative-tls"
    directory.mkdir()
    pki.authority(directory, "eventing")
    for secret, service in SERVERS.items():
        pki.certificate(directory, secret, "eventing", f"/CN={service}", f"DNS:{service}.{NAMESPACE}.svc.cluster.local,DNS:{service}.{NAMESPACE}.svc", "serverAuth")
        kubectl("-n", NAMESPACE, "create", "secret", "generic", secret, f"--from-file=tls.crt={secret}.crt", f"--from-file=tls.key={secret}.key",
                "--from-file=ca.crt=eventing.crt", cwd=directory)
    kubectl("apply", "--server-side", "-f", CERTIFICATES)  # the definition: Knative's controllers list these objects, even where none exists
    feature("transport-encryption", "strict")
    found = wait_until(lambda: (now := address()) and now.get("url", "").startswith("https") and now, 180, lambda: f"the Broker has https: {address()}")
    assert found["CACerts"].strip() == Path(directory / "eventing.crt").read_text().strip(), found
    wait_objects()
    for _ in range(5):
        d.burst()
    books(d, "https", d.before)
    say(f"{found['url']} with its CACerts and audience {found.get('audience')}")


SCENARIOS = [delivers_to_a_broker, ingress_deleted, authenticates, encrypts]
