# SPDX-License-Identifier: Apache-2.0
"""What happens to pods on a real node, and what must be true after it: every pod is Ready again and the books balance. The
commands are those of docs/kubernetes.md.

Runs inside the node's namespaces, started by run.py: scenarios.py STATE [NAME...]"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "pages")]
from deployment import BACKENDS, BURST, DISPATCHER_OF, HERE, Deployment, kubectl  # noqa: E402
from lab.console import PASSWORDS, Console, Login  # noqa: E402
from lab.process import BUILD, ROOT, wait_until  # noqa: E402

OURS = ["collector", *(f"dispatcher-{name}" for name in DISPATCHER_OF.values())]
START, GROW, HELM = "Start", "From one NATS server to three", "With Helm"
SCENARIOS = []


def scenario(function):
    SCENARIOS.append(function)
    return function


def say(text):
    print(f"  {text}", flush=True)


def process_of(workload):
    """The pid of the workload's process."""
    pattern = {"nats": "^/bin/nats-server|^nats-server", "collector": "^/bin/vcourier-collector"}.get(
        workload, f"^/bin/vcourier-dispatcher.*--name {workload.removeprefix('dispatcher-')} ")
    found = subprocess.run(["pgrep", "-f", "--", pattern], capture_output=True, text=True, check=False).stdout.split()
    assert found, f"no process of {workload}"
    return int(found[0])


@scenario
def starts(d):
    """From nothing, with the commands of the page."""
    kubectl("apply", "-f", HERE / "peers.yaml")
    for namespace, name in [("peers", "vcenter"), *((namespace, name) for name, (namespace, _) in BACKENDS.items())]:
        kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", "--timeout=120s")
    d.write()
    began = time.monotonic()
    said = d.create()
    d.wait_ready()
    say(f"all Ready {time.monotonic() - began:.1f} s after the first command of the page")
    assert "Warning" not in said, said
    unhealthy = [line for line in d.reasons().splitlines() if "probe failed" in line]
    say(f"{len(unhealthy)} failed probes" + "".join(f"\n    {line[:200]}" for line in unhealthy))
    d.burst()
    d.books("up")
    again = d.apply()
    changed = [line for line in again.splitlines() if not line.endswith("unchanged")]
    assert not [line for line in changed if not line.startswith("poddisruptionbudget")], again


@scenario
def kills(d):
    """kill -9 of the process of each container, with events before and after."""
    for name in [*OURS, "nats"]:
        before = d.pods(name)
        d.burst()
        began = time.monotonic()
        os.kill(process_of(name), signal.SIGKILL)
        took = d.seconds_until_new(name, before, began)
        d.burst()
        d.wait_ready()
        say(f"{name:24} killed: Ready again after {took:.1f} s, all Ready after {time.monotonic() - began:.1f} s")
        d.books(f"{name} killed")


@scenario
def deletes(d):
    """kubectl delete of each pod."""
    for name in [*OURS, "nats"]:
        before = d.pods(name)
        d.burst()
        kubectl("-n", "vcourier", "delete", "pod", next(iter(before)), "--wait=false")
        began = time.monotonic()  # the API server has accepted it
        took = d.seconds_until_new(name, before, began)
        d.burst()
        d.wait_ready()
        say(f"{name:24} deleted: Ready again after {took:.1f} s, all Ready after {time.monotonic() - began:.1f} s, "
            f"failed probes: {d.failed_probes(name)}")
        d.books(f"{name} deleted")


@scenario
def hangs(d):
    """A dispatcher that is stopped (SIGSTOP): the liveness probe restarts it."""
    before = d.pods("dispatcher-knative")
    began = time.monotonic()
    os.kill(process_of("dispatcher-knative"), signal.SIGSTOP)
    d.burst()
    say(f"a stopped dispatcher is Ready again after {d.seconds_until_new('dispatcher-knative', before, began):.1f} s")
    d.books("stopped")


@scenario
def engine_and_kubelet(d):
    """containerd and the kubelet are killed: the pods go on."""
    before = d.pods()
    for name in ("containerd", "kubelet"):
        os.kill(int(Path(f"{d.directory.parent}/{name}.pid").read_text()), signal.SIGKILL)
        d.burst()
        d.books(f"{name} killed")
    d.wait_ready()
    now = d.pods()
    assert {n: p[:2] for n, p in now.items()} == {n: p[:2] for n, p in before.items()}, "a container was restarted"


def rate_of_slow_backend(d):
    """Events a second, out of a backlog, to a backend that takes 300 ms for each."""
    d.get("knative", "/slow?ms=300", data=b"")
    before = d.received("knative")["distinct"]
    d.burst(6000)

    def reached(count):
        found = wait_until(lambda: (now := d.received("knative")["distinct"]) >= before + count and now, 120, d.reasons)
        return found, time.monotonic()
    (n, began), (m, ended) = reached(1000), reached(4000)
    d.get("knative", "/slow?ms=0", data=b"")
    d.books("slow backend")
    return (m - n) / (ended - began)


@scenario
def scales(d):
    """A dispatcher from 1 to 3 replicas and back, under load."""
    rate = {}
    for replicas in (3, 1):
        for _ in range(10):
            d.burst()
        kubectl("-n", "vcourier", "scale", "deployment/dispatcher-knative", f"--replicas={replicas}")
        for _ in range(10):
            d.burst()
        d.wait_ready()
        say(f"{replicas} replicas after {20 * BURST} events")
        d.books(f"{replicas} replicas")
        rate[replicas] = rate_of_slow_backend(d)
    say(f"a backend that takes 300 ms: {rate[1]:.0f} events a second with 1 replica, {rate[3]:.0f} with 3: {rate[3] / rate[1]:.2f} times")


@scenario
def rolls(d):
    """A changed configuration within a burst: the ConfigMap has a new name, and pods are replaced one after another."""
    before = d.pods()
    config = d.config()
    config["log"]["level"] = "debug"
    d.configure(config)
    for _ in range(5):
        d.burst()
    began = time.monotonic()
    d.apply()
    for _ in range(5):
        d.burst()
    for name in OURS:
        kubectl("-n", "vcourier", "rollout", "status", f"{'statefulset' if name == 'collector' else 'deployment'}/{name}", "--timeout=180s")
    d.wait_ready()
    say(f"all pods replaced after {time.monotonic() - began:.1f} s")
    assert {p[0] for n, p in d.pods().items() if n != "nats-0"}.isdisjoint(p[0] for p in before.values())
    d.books("rolling update")


@scenario
def changed_secret(d):
    """A new NATS password: the dispatcher reads it without a restart. NATS reads its own when it starts."""
    before = d.pods("dispatcher-knative")
    (d.directory / "secrets/dispatcher-knative").unlink()
    d.sh("""compose/nats/users.py --config my/config.yaml --passwords secrets/
kubectl -n vcourier create secret generic nats-passwords --from-file=secrets/passwords.conf --from-file=secrets/route.conf \
    --from-file=secrets/routes.conf --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -
kubectl -n vcourier create secret generic dispatcher-knative --from-file=nats=secrets/dispatcher-knative --dry-run=client -o yaml |
    kubectl apply --server-side --force-conflicts -f -""")
    password = (d.directory / "secrets/dispatcher-knative").read_text()
    began = time.monotonic()
    mounted = Path(f"/proc/{process_of('dispatcher-knative')}/root/etc/vcourier/secrets/nats")
    wait_until(lambda: mounted.read_text() == password, 180, "the kubelet writes the new password")
    say(f"the kubelet writes a changed Secret after {time.monotonic() - began:.0f} s")
    kubectl("-n", "vcourier", "delete", "pod", "nats-0")
    d.burst()
    d.wait_ready()
    d.books("changed Secret")
    assert {n: p[:2] for n, p in d.pods("dispatcher-knative").items()} == {n: p[:2] for n, p in before.items()}, "restarted"


@scenario
def drains(d):
    """The node is drained of our pods, with the budgets in force, and uncordoned. vCenter keeps its events meanwhile."""
    node, = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    name, before = node["metadata"]["name"], d.pods()
    d.burst()
    began = time.monotonic()
    kubectl("drain", name, "--pod-selector=app.kubernetes.io/part-of=vcourier", "--delete-emptydir-data", "--timeout=180s")
    took = time.monotonic() - began
    assert not [p for p, (_, _, ready, _) in d.pods().items() if ready], "a pod is still there"
    d.burst()
    began = time.monotonic()
    kubectl("uncordon", name)
    d.wait_ready()
    say(f"drained in {took:.1f} s; all Ready {time.monotonic() - began:.1f} s after uncordon")
    assert {p[0] for p in d.pods().values()}.isdisjoint(p[0] for p in before.values())
    d.books("drained")


# who, to whom, port, open. Each declared peer is open, everything else is shut.
PEERS = [
    ("collector", "nats", 4222, True), ("collector", "vcenter", 443, True), ("collector", "kube-dns", 53, True),
    ("collector", "nats", 8222, False), ("collector", "gateway", 8080, False), ("collector", "knative", 8080, False),
    ("collector", "dispatcher-knative", 8082, False), ("collector", "kube-dns", 8080, False),
    ("dispatcher-knative", "nats", 4222, True), ("dispatcher-knative", "knative", 8080, True), ("dispatcher-knative", "nats", 8222, False),
    ("dispatcher-knative", "collector", 8082, False),
    ("dispatcher-openfaas", "nats", 4222, True), ("dispatcher-openfaas", "gateway", 8080, True),
    ("dispatcher-openfaas", "knative", 8080, False), ("dispatcher-openfaas", "vcenter", 443, False),
    ("dispatcher-eventbridge", "nats", 4222, True), ("dispatcher-eventbridge", "aws", 443, True),
    ("dispatcher-eventbridge", "knative", 8080, False),
    ("nats", "kube-dns", 53, True), ("nats", "collector", 8082, False), ("nats", "vcenter", 443, False), ("nats", "knative", 8080, False),
    ("knative", "nats", 4222, False), ("knative", "nats", 8222, False), ("knative", "collector", 8082, False),
    ("gateway", "dispatcher-openfaas", 8082, False)]


def addresses():
    """{name of the workload: (address, pid of a process in the pod)} of the pods of all namespaces"""
    found = {}
    for pod in json.loads(kubectl("get", "pods", "-A", "-o", "json"))["items"]:
        labels = pod["metadata"]["labels"]
        name = labels.get("app.kubernetes.io/name") or labels.get("app") or labels.get("k8s-app")
        found[name] = [pod["status"].get("podIP"), None]
    for pid in (p for p in os.listdir("/proc") if p.isdigit()):
        try:
            shown = Path(f"/proc/{pid}/net/fib_trie").read_text()
        except OSError:
            continue
        for entry in found.values():
            if entry[0] and re.search(rf"\|-- {re.escape(entry[0])}\s+/32 host LOCAL", shown):
                entry[1] = pid
    return found


@scenario
def network(d):
    """The network policies: every declared peer is open, every other one is shut."""
    pods = addresses()
    wrong = []
    for source, target, port, wanted in PEERS:
        run = subprocess.run(["nsenter", "-t", pods[source][1], "-n", "timeout", "3", "bash", "-c",
                              f"exec 3<>/dev/tcp/{pods[target][0]}/{port}"], capture_output=True, check=False)
        if (run.returncode == 0) != wanted:
            wrong.append((source, target, port, "open" if run.returncode == 0 else "shut"))
    assert not wrong, wrong
    say(f"{len(PEERS)} connections are open or shut as declared")


@scenario
def grows(d):
    """`ha` over the running base is refused. The way of the page leads from one server to three; then the leader's pod is deleted."""
    stored, position = set(d.stream()), d.pods("nats")
    overlay = (d.directory / "my/kustomization.yaml").read_text()
    d.overlay(["../k8s/components/openfaas", "../k8s/components/eventbridge", "../k8s/components/ha"])
    ha = (d.directory / "my/kustomization.yaml").read_text()
    run = subprocess.run(["kubectl", "apply", "-k", "my/"], cwd=d.directory, capture_output=True, text=True, check=False)
    assert run.returncode != 0 and "updates to statefulset spec for fields other than" in run.stderr, run.stderr
    assert d.pods("nats") == position, "the bus was touched"
    (d.directory / "my/kustomization.yaml").write_text(overlay)
    d.apply()
    d.wait_ready()
    d.books("refused")
    began = time.monotonic()
    d.sh(d.block(GROW, 2))
    d.burst()  # vCenter keeps them
    (d.directory / "my/kustomization.yaml").write_text(ha)
    d.sh(d.block(GROW, 3))
    d.wait_ready(300)
    say(f"three servers, all Ready, {time.monotonic() - began:.0f} s after the first command")
    d.books("three servers")
    assert stored <= set(d.stream())
    admin = d.admin()
    info = admin.request("$JS.API.STREAM.INFO.VC_lab").json()
    admin.close()
    assert info["config"]["num_replicas"] == 3, info["config"]
    leader = info["cluster"]["leader"]
    d.burst()
    before = d.pods("nats")
    kubectl("-n", "vcourier", "delete", "pod", leader, "--wait=false")
    d.burst()
    took = d.seconds_until_new("nats", before, time.monotonic())
    d.wait_ready()
    say(f"the leader {leader} deleted: Ready again after {took:.1f} s")
    d.books("leader deleted")


@scenario
def console(d):
    """The console: its Secret, the forwarded port, and a login that shows what runs."""
    secret, forward = d.block(START, 3).rstrip().split("\n")
    hashed = subprocess.run([BUILD / "vcourier-console", "--hash"], input=PASSWORDS["olga"], capture_output=True, text=True, check=True).stdout.strip()
    (d.directory / "users").write_text(f"olga:operator:{hashed}\n")
    d.sh(secret)
    d.add("console")
    port = subprocess.Popen(["sh", "-euc", f"exec {forward}"], cwd=d.directory, stdout=subprocess.PIPE, text=True)
    try:
        assert "8090" in port.stdout.readline()
        page = type("Page", (), {"port": 8090, "request": Console.request})()
        olga = Login(page, "olga")
        status = wait_until(lambda: olga.get("/api/status").json()["status"], 60, "what runs")
        assert {e["name"] for e in status["dispatchers"]} >= set(DISPATCHER_OF.values()), status
        say("olga sees " + ", ".join(sorted(e["name"] for e in status["dispatchers"])))
    finally:
        port.kill()
        port.wait()


@scenario
def toolbox(d):
    """The commands of the page: the operator's tool in the cluster shows what runs."""
    overlay = yaml.safe_load((d.directory / "my/kustomization.yaml").read_text())
    overlay["components"].append("../k8s/components/toolbox")
    (d.directory / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    shown = d.sh(d.block(START, 4))
    assert all(name in shown for name in DISPATCHER_OF.values()) and "VC_lab" in shown and "reading" in shown, shown
    say(shown)


@scenario
def helm(d):
    """The overlay is deleted; the chart in its place: install, upgrade and rollback within bursts. The bus is not restarted by either."""
    kubectl("delete", "-k", "my/", "--wait", cwd=d.directory)
    shutil.copytree(ROOT / "helm", d.directory / "helm", symlinks=False)
    config = d.config()
    vcenter = config["eventProvider"]["vcenter"]
    blocks = {"knative": "knative", "openfaas": "openfaas", "aws_event_bridge": "awsEventBridge"}
    values = {"image": {"prefix": "registry.example.com/"}, "sources": [{
        "name": "lab", "address": vcenter["address"], "username": vcenter["auth"]["basicAuth"]["username"], "existingSecret": "collector",
        "objectName": "collector", "vcenter": {"insecureSSL": True, "startFrom": "earliest"}}],
        "dispatchers": [{"name": p["name"], "type": p["type"], "config": p[blocks[p["type"]]]} for p in config["eventProcessors"]]}

    def write(level):
        (d.directory / "values.yaml").write_text(yaml.safe_dump({**values, "log": {"format": "json", "level": level}}))
    write("info")
    d.secrets()
    began = time.monotonic()
    d.sh(d.block(HELM, 1).partition("\n\n")[0])
    d.wait_ready(300)
    say(f"install: all Ready after {time.monotonic() - began:.1f} s")
    d.burst()
    d.books("installed")
    bus = d.pods("nats")
    upgrade, back = d.block(HELM, 2).rstrip().split("\n")
    for what, command, level in (("upgrade", upgrade, "debug"), ("rollback", back, "info")):
        write(level)
        before = {n: p for n, p in d.pods().items() if n not in bus}
        for _ in range(3):
            d.burst()
        began = time.monotonic()
        d.sh(command)
        took = time.monotonic() - began
        for _ in range(3):
            d.burst()
        d.wait_ready()
        say(f"{what}: {took:.1f} s")
        assert {p[0] for p in d.pods().values()}.isdisjoint(p[0] for p in before.values()) and d.pods("nats") == bus
        d.books(what)
    history = json.loads(subprocess.run(["helm", "-n", "vcourier", "history", "vcourier", "-o", "json"], capture_output=True, check=True).stdout)
    assert [h["status"] for h in history] == ["superseded", "superseded", "deployed"], history


def memory(d):
    for name in [*OURS, "nats"]:
        status = Path(f"/proc/{process_of(name)}/status").read_text()
        say(f"{name:24} resident {int(status.split('VmRSS:')[1].split()[0]) / 1024:.1f} MB")


def run(state, found, wanted):
    """The scenarios whose names are wanted, or all. The first one always runs."""
    d = Deployment(state / "checkout")
    for function in found:
        if not wanted or function.__name__ in wanted or function is found[0]:
            began = time.monotonic()
            print(f"{function.__name__}: {function.__doc__}", flush=True)
            function(d)
            say(f"{time.monotonic() - began:.0f} s")
    memory(d)


if __name__ == "__main__":
    run(Path(sys.argv[1]), SCENARIOS, sys.argv[2:])
