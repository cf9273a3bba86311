# SPDX-License-Identifier: Apache-2.0
"""vcourier in the cluster, deployed with the commands of docs/kubernetes.md, and what a test asks it. Runs inside the node's namespaces."""
import json
import os
import shutil
import ssl
import subprocess
import tempfile
import time
import urllib.request

import yaml

import page
from lab.nats_wire import Wire
from lab.process import BUILD, ROOT, wait_until
from lab.stored_events import subjects_by_id
from lab.vcenter import milliseconds

HERE = ROOT / "tests/cluster"
PAGE = "docs/kubernetes.md"
START = "Start"
BACKENDS = {"knative": ("peers", 80), "gateway": ("openfaas", 8080), "aws": ("peers", 443)}  # service: (namespace, port)
SERVICES = {**BACKENDS, "vcenter": ("peers", 443), "powered-on": ("default", 80)}
DISPATCHER_OF = {"knative": "knative", "gateway": "openfaas", "aws": "eventbridge"}
TOPICS = {"VmPoweredOnEvent", "VmPoweredOffEvent", "VmReconfiguredEvent", "UserLoginSessionEvent"}  # of the stand-in of OpenFaaS
BURST = 100
ANY_CERTIFICATE = ssl._create_unverified_context()  # of the simulator itself


def kubectl(*arguments, check=True, **options):
    run = subprocess.run(["kubectl", *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False, **options)
    assert run.returncode == 0 or not check, f"kubectl {arguments}: {run.stderr}"
    return run.stdout if check else run


def select_pods(name=""):
    """The arguments of kubectl for the pods of our namespace, or of one workload."""
    return "-n", "vcourier", "get", "pods", *(["-l", f"app.kubernetes.io/name={name}"] if name else [])


def restarts(pod):
    return sum(container["restartCount"] for container in pod["status"].get("containerStatuses", []))


def watched_pods(name):
    """Each pod of the workload as it is, and again after each change, for 180 s."""
    with subprocess.Popen(["kubectl", *select_pods(name), "-w", "-o", "json", "--request-timeout=180s"], stdout=subprocess.PIPE, text=True) as watch:
        try:
            text = ""
            for line in watch.stdout:
                text += line
                if line == "}\n":  # kubectl indents what is inside
                    yield json.loads(text)
                    text = ""
        finally:
            watch.kill()


class Deployment:
    def __init__(self, directory):
        self.directory = directory

    def sh(self, script):
        """Commands as the page prints them, in the directory of the checkout that a reader has."""
        with tempfile.TemporaryFile("w+") as said:  # not a pipe, which a process in the background would keep open
            run = subprocess.run(["sh", "-eu", "-c", script], cwd=self.directory, stdout=said, stderr=said, timeout=900, check=False,
                                 env={**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"})
            said.seek(0)
            text = said.read()
        assert run.returncode == 0, f"{script}\n{text}"
        return text

    def block(self, heading, number):
        return page.block(PAGE, heading, number).text

    def write(self):
        """The reader's checkout, configuration and overlay: step 2 of the page, for all three backends."""
        self.directory.mkdir()
        for name in ("k8s", "compose"):
            shutil.copytree(ROOT / name, self.directory / name)
        (self.directory / "my").mkdir()
        config = yaml.safe_load((ROOT / "k8s/base/config.yaml").read_text())
        vcenter = config["eventProvider"]["vcenter"]
        vcenter.update(address="https://vcenter.peers.svc.cluster.local/sdk", insecureSSL=True, startFrom="earliest")
        vcenter["auth"]["basicAuth"]["username"] = "administrator@vsphere.local"
        config["eventProcessors"] = [p for p in config["eventProcessors"] if p["name"] in DISPATCHER_OF.values()]
        knative, openfaas, eventbridge = config["eventProcessors"]
        knative["knative"]["destination"] = {"ref": {"apiVersion": "v1", "kind": "Service", "name": "knative", "namespace": "peers"}}
        openfaas["openfaas"]["address"] = "http://gateway.openfaas:8080"
        eventbridge["awsEventBridge"].update(endpoint="http://aws.peers:443", auth={"type": "aws_access_key", "awsAccessKeyAuth": {
            "accessKey": "LOCALLOCALLOCALLOCAL", "secretKeyFile": "/etc/vcourier/secrets/aws"}})
        self.configure(config)
        self.overlay(["../k8s/components/openfaas", "../k8s/components/eventbridge"])
        for name in ("vcenter-password", "gateway-password", "aws-key"):
            (self.directory / name).write_text("local")

    def configure(self, config):
        (self.directory / "my/config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    def config(self):
        return yaml.safe_load((self.directory / "my/config.yaml").read_text())

    def overlay(self, components):
        overlay = yaml.safe_load(self.block(START, 1))
        overlay["components"] += components
        (self.directory / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))

    def components(self, change):
        """Changes the list of components of the overlay and applies it."""
        overlay = yaml.safe_load((self.directory / "my/kustomization.yaml").read_text())
        overlay["components"] = change(overlay["components"])
        (self.directory / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
        self.apply()
        self.wait_ready()

    def add(self, *names):
        self.components(lambda found: found + [f"../k8s/components/{name}" for name in names])

    def remove(self, *names):
        """What they made stays in the cluster: kubectl apply deletes nothing."""
        self.components(lambda found: [path for path in found if path.removeprefix("../k8s/components/") not in names])

    def create(self):
        return self.secrets() + self.apply()

    def secrets(self):
        """Step 3 of the page, for all three backends."""
        return self.sh(self.block(START, 2)) + self.sh("""
kubectl -n vcourier create secret generic dispatcher-openfaas --from-file=nats=secrets/dispatcher-openfaas --from-file=gateway=gateway-password
kubectl -n vcourier create secret generic dispatcher-eventbridge --from-file=nats=secrets/dispatcher-eventbridge --from-file=aws=aws-key
""")

    def apply(self):
        return self.sh("kubectl apply -k my/")

    # pods

    def pods(self, name=""):
        """{pod: (uid, restarts, ready, address)} of our namespace, or of one workload"""
        found = json.loads(kubectl(*select_pods(name), "-o", "json"))["items"]
        return {p["metadata"]["name"]: (p["metadata"]["uid"], restarts(p), is_ready(p), p["status"].get("podIP")) for p in found}

    def workloads(self):
        found = json.loads(kubectl("-n", "vcourier", "get", "deployment,statefulset", "-o", "json"))["items"]
        return {o["metadata"]["name"]: o["spec"]["replicas"] for o in found}

    def all_ready(self):
        """Every workload has its replicas, and all of them are Ready."""
        pods = self.pods()
        return len(pods) == sum(self.workloads().values()) and all(ready for _, _, ready, _ in pods.values())

    def wait_ready(self, timeout=180):
        wait_until(self.all_ready, timeout, lambda: f"all pods are Ready: {self.pods()}\n{self.reasons()}")

    def reasons(self):
        return kubectl("-n", "vcourier", "get", "events", "--sort-by=.lastTimestamp", check=False).stdout[-3000:]

    def failed_probes(self, name):
        """What the kubelet says of probes of the workload's pods that are there now."""
        uids = [uid for uid, *_ in self.pods(name).values()]
        events = json.loads(kubectl("-n", "vcourier", "get", "events", "--field-selector=reason=Unhealthy", "-o", "json"))["items"]
        return [e["message"] for e in events if e["involvedObject"]["uid"] in uids]

    def seconds_until_new(self, name, before, began):
        """Seconds until one pod of the workload is Ready that is another, or has another container, than before."""
        for pod in watched_pods(name):
            if is_ready(pod) and before.get(pod["metadata"]["name"], (None, None))[:2] != (pod["metadata"]["uid"], restarts(pod)):
                return time.monotonic() - began
        raise AssertionError(f"{name} is not Ready again: {self.pods(name)}\n{self.reasons()}")

    # events

    def get(self, service, path, scheme="http", data=None):
        namespace, port = SERVICES[service]
        address = kubectl("-n", namespace, "get", "service", service, "-o", "jsonpath={.spec.clusterIP}")
        context = ANY_CERTIFICATE if scheme == "https" else None
        with urllib.request.urlopen(f"{scheme}://{address}:{port}{path}", context=context, timeout=30, data=data) as reply:
            return reply.read().decode()

    def burst(self, number=BURST):
        self.get("vcenter", f"/lab/burst?n={number}", "https")

    def truth(self):
        """CloudEvent id of each event that the simulator shows."""
        lines = [line.split() for line in self.get("vcenter", "/lab/keys", "https").splitlines()]
        return {f"{key}-{milliseconds(created)}" for key, created, _, state in lines if state == "visible"}

    def admin(self):
        address = kubectl("-n", "vcourier", "get", "service", "nats-client", "-o", "jsonpath={.spec.clusterIP}")
        password = (self.directory / "secrets/admin").read_text().strip()

        def connected():
            try:
                return Wire(4222, "admin", password, host=address)
            except ConnectionRefusedError:  # kube-proxy has not yet the address of a pod that is Ready again
                return None
        return wait_until(connected, 30, "NATS is reached by its Service")

    def stream(self):
        """{CloudEvent id: subject} of all of VC_lab."""
        admin = self.admin()
        ids = subjects_by_id(admin)
        admin.close()
        return ids

    def dead(self):
        admin = self.admin()
        reply = admin.request("$JS.API.STREAM.INFO.VCDEAD").json()
        admin.close()
        return reply.get("state", {}).get("messages", 0)

    def received(self, backend):
        return json.loads(self.get(backend, "/received"))

    def books(self, what):
        """The stream has every event of the vCenter once, and each backend every event of the stream that it wants; none is dead."""
        truth = self.truth()
        wait_until(lambda: truth <= set(self.stream()), 120, lambda: f"{what}: events missing in the stream\n{self.reasons()}")
        stream = self.stream()
        for backend in BACKENDS:
            wanted = {i for i, subject in stream.items() if backend != "gateway" or subject in TOPICS}
            wait_until(lambda: wanted <= set(self.received(backend)["ids"]), 180,
                       lambda: f"{what}: {backend} misses {len(wanted - set(self.received(backend)['ids']))} of {len(wanted)}\n{self.reasons()}")
        assert self.dead() == 0, f"{what}: dead letters"
        twice = {backend: self.received(backend)["twice"] for backend in BACKENDS}
        print(f"  books: {len(truth)} events of vCenter, {len(stream)} stored, all delivered, 0 dead, 0 lost; sent twice so far {twice}", flush=True)


def is_ready(pod):
    conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not pod["metadata"].get("deletionTimestamp")
