# SPDX-License-Identifier: Apache-2.0
"""k8s/: every overlay renders, obeys our rules, and matches typed schemas of the objects."""
import json
import shutil
import subprocess
import sys

import pytest

from lab.bususers import GENERATOR
from lab.nats_wire import Wire
from lab.process import BUILD, ROOT, Process, free_port, wait_until

sys.path.insert(0, str(ROOT / "tests" / "k8s"))
from overlays import OVERLAYS, render  # noqa: E402
from policy import RULES, Manifests  # noqa: E402

INTEROP = ROOT / "build" / "interop"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda p: p.name)
def test_the_rules_hold(overlay):
    manifests = Manifests(render(overlay))
    broken = {f.__name__: list(f(manifests)) for f in RULES}
    assert {name: problems for name, problems in broken.items() if problems} == {}


def edit(kind, name, change):
    """A mutation: calls change(object) for the object of this kind and name."""
    def mutate(objects):
        for o in objects:
            if o["kind"] == kind and o["metadata"]["name"].startswith(name):
                change(o)
                return objects
        raise KeyError(f"{kind}/{name}")
    return mutate


def container(**changes):
    return edit("Deployment", "dispatcher-openfaas", lambda o: o["spec"]["template"]["spec"]["containers"][0].update(changes))


def pod(**changes):
    return edit("Deployment", "dispatcher-openfaas", lambda o: o["spec"]["template"]["spec"].update(changes))


def spec(kind, name, **changes):
    return edit(kind, name, lambda o: o["spec"].update(changes))


def without(kind, name):
    return lambda objects: [o for o in objects if not (o["kind"] == kind and o["metadata"]["name"] == name)]


MUTATIONS = {
    "namespaced": edit("Service", "nats", lambda o: o["metadata"].pop("namespace")),
    "namespace_is_restricted": edit("Namespace", "vcourier", lambda o: o["metadata"]["labels"].clear()),
    "no_secrets_in_manifests": edit("ConfigMap", "vcourier-config", lambda o: o["data"].update(
        {"config.yaml": o["data"]["config.yaml"].replace("passwordFile: /etc/vcourier/secrets/nats", "password: hunter2")})),
    "images_have_a_version": container(image="vcourier-dispatcher:latest"),
    "not_root": pod(securityContext={"runAsUser": 0}),
    "no_privileges": container(securityContext={"allowPrivilegeEscalation": True}),
    "nothing_of_the_host": pod(hostNetwork=True),
    "resources_are_bounded": container(resources={}),
    "probes": container(livenessProbe={"httpGet": {"path": "/readyz"}}),
    "tokens_only_where_used": pod(automountServiceAccountToken=True),
    "rbac_is_narrow": edit("ClusterRole", "vcourier", lambda o: o["rules"][0].update(resources=["*"])),
    "selectors_match": spec("Service", "nats", selector={"app.kubernetes.io/name": "mats"}),
    "ports_exist": spec("Service", "nats", ports=[{"name": "x", "port": 1, "targetPort": "x"}]),
    "default_deny": without("NetworkPolicy", "default-deny"),
    "everybody_reaches_what_it_needs": without("NetworkPolicy", "dispatcher-openfaas"),
    "disruption_budgets": spec("PodDisruptionBudget", "collector", minAvailable=1),
    "time_to_drain": pod(terminationGracePeriodSeconds=5),
    "secrets_are_directories": container(envFrom=[{"secretRef": {"name": "x"}}]),
    "config_maps_exist": pod(volumes=[{"name": "config", "configMap": {"name": "other"}}, {"name": "secrets", "secret": {}}]),
    "rollouts_keep_capacity": spec("Deployment", "dispatcher-openfaas", strategy={}),
    "names_agree_with_the_configuration": container(args=["--name", "openfass"]),
    "scalers_find_their_target": spec("ScaledObject", "dispatcher-openfaas", scaleTargetRef={"name": "x"}),
    "monitors_find_their_pods": spec("PodMonitor", "vcourier", podTargetLabels=["app"]),
    "proxies_find_their_service": without("Service", "collector"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda f: f.__name__)
def test_each_rule_can_fail(rule):
    objects = MUTATIONS[rule.__name__](render(ROOT / "k8s" / "overlays" / "full"))
    assert list(rule(Manifests(objects)))


def test_ha_has_three_separate_servers_that_sync_each_write():
    manifests = Manifests(render(ROOT / "k8s" / "overlays" / "ha"))
    nats = next(o for o in manifests.kind("StatefulSet") if o["metadata"]["name"] == "nats")
    assert nats["spec"]["replicas"] == 3
    spread = nats["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert {(s["topologyKey"], s["whenUnsatisfiable"]) for s in spread} >= {("kubernetes.io/hostname", "DoNotSchedule")}
    conf = next(o["data"]["nats.conf"] for o in manifests.kind("ConfigMap") if "nats.conf" in o.get("data", {}))
    assert "sync_interval: always" in conf and "cluster {" in conf
    for o in manifests.kind("Deployment", "StatefulSet"):
        if o["metadata"]["name"] != "nats":
            assert o["spec"]["replicas"] == 2
            environment = o["spec"]["template"]["spec"]["containers"][0]["env"]
            assert {"name": "NATS_REPLICAS", "value": "3"} in environment


@pytest.mark.parametrize("overlay", ["base", "overlays/ha"])
def test_nats_accepts_its_configuration(overlay, tmp_path):
    maps = {k: v for o in render(ROOT / "k8s" / overlay) if o["kind"] == "ConfigMap" for k, v in o["data"].items()}
    for name in ("nats.conf", "users.conf"):
        text = maps[name].replace("/data", str(tmp_path / "data"))
        (tmp_path / name).write_text(text.replace("  sync_interval: always\n", ""))  # Debian 12's 2.9 does not have this option
    arguments = maps["users.conf"].splitlines()[0].split("users.py")[1].removesuffix("; do not edit.").split()
    generator = ROOT / "compose" / "nats" / "users.py"
    subprocess.run([sys.executable, generator, *arguments, "--passwords", tmp_path / "secrets"], check=True)
    run = subprocess.run(["nats-server", "-t", "-c", tmp_path / "nats.conf"], capture_output=True, text=True,
                         env={"PATH": "/usr/sbin:/usr/bin", "POD_NAME": "nats-0"})
    assert run.returncode == 0, run.stderr


def test_the_ha_configuration_makes_a_cluster(tmp_path, lab):
    """Three servers with the overlay's files, on loopback ports: a stream with three replicas can be created and written."""
    maps = {k: v for o in render(ROOT / "k8s/overlays/ha") if o["kind"] == "ConfigMap" for k, v in o["data"].items()}
    (tmp_path / "users.conf").write_text(maps["users.conf"])
    arguments = maps["users.conf"].splitlines()[0].split("users.py")[1].removesuffix("; do not edit.").split()
    subprocess.run([sys.executable, GENERATOR, *arguments, "--passwords", tmp_path / "secrets"], check=True)
    ports, clients = [free_port() for _ in range(3)], [free_port() for _ in range(3)]
    routes = tmp_path / "secrets" / "routes.conf"
    text = routes.read_text()
    for i, port in enumerate(ports):
        text = text.replace(f"nats-{i}.nats:6222", f"127.0.0.1:{port}")
    routes.unlink()
    routes.write_text(text)
    for i in range(3):
        conf = tmp_path / f"nats-{i}.conf"
        conf.write_text(maps["nats.conf"].replace("/data", f"{tmp_path}/js{i}").replace("0.0.0.0:4222", f"127.0.0.1:{clients[i]}")
                        .replace("0.0.0.0:6222", f"127.0.0.1:{ports[i]}").replace("http: 0.0.0.0:8222\n", "")
                        .replace("  sync_interval: always\n", ""))
        lab._keep(Process(f"nats-{i}", ["nats-server", "-c", conf], tmp_path, {"POD_NAME": f"nats-{i}"})).start()

    def stream():
        try:
            wire = Wire(clients[0], "collector-lab", (tmp_path / "secrets/collector-lab").read_text().strip())
            made = wire.request("$JS.API.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"], "num_replicas": 3}).json()
            return "error" not in made and wire
        except OSError:
            return None
    wire = wait_until(stream, 60, "a stream with three replicas")
    assert wire.request("vc.lab._._.info.event.X", b"{}").json()["seq"] == 1


@pytest.mark.parametrize("replicas", ["1", "3"])
def test_our_programs_accept_their_configuration(replicas):
    if not (BUILD / "vcourier").exists():
        pytest.skip("build/release/vcourier is not built")
    run = subprocess.run([BUILD / "vcourier", "check", ROOT / "k8s" / "base" / "config.yaml"], capture_output=True, text=True,
                         env={"NATS_USER": "collector-lab", "NATS_REPLICAS": replicas})
    assert run.returncode == 0, run.stdout + run.stderr


# The package of typed models for each API group; all other groups are in "kubernetes-models".
PACKAGES = {"keda.sh": "@kubernetes-models/keda", "projectcontour.io": "@kubernetes-models/contour",
            "monitoring.coreos.com": "@kubernetes-models/prometheus-operator"}


def typescript(objects):
    """A program in which each object is a literal of its type, so that wrong types and unknown keys are compile errors."""
    lines = []
    for i, o in enumerate(objects):
        group, _, version = o["apiVersion"].rpartition("/")
        package = PACKAGES.get(group, "kubernetes-models")
        path = f"{package}/{o['apiVersion'] if group else version}/{o['kind']}"
        lines.append(f'import {{ I{o["kind"]} as T{i} }} from "{path}";\nexport const o{i}: T{i} = {json.dumps(o, indent=1)};')
    return "\n".join(lines)


def compile_types(directory, objects):
    if not (INTEROP / "node_modules" / "kubernetes-models").exists() or not shutil.which("node"):
        pytest.skip("typed models are not there: `make interop` fetches them")
    (directory / "node_modules").symlink_to(INTEROP / "node_modules")
    (directory / "objects.mts").write_text(typescript(objects))
    return subprocess.run(["node", "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--module", "node16",
                           "--moduleResolution", "node16", "objects.mts"], cwd=directory, capture_output=True, text=True)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda p: p.name)
def test_types(overlay, tmp_path):
    run = compile_types(tmp_path, render(overlay))
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("kind, key", [("Deployment", "replicsa"), ("ScaledObject", "maxReplicas"), ("HTTPProxy", "route")])
def test_types_catch_an_unknown_key(kind, key, tmp_path):
    objects = render(ROOT / "k8s" / "overlays" / "full")
    next(o for o in objects if o["kind"] == kind)["spec"][key] = 3
    run = compile_types(tmp_path, objects)
    assert run.returncode != 0 and f'"{key}"' in run.stdout
