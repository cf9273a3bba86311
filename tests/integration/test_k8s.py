# SPDX-License-Identifier: Apache-2.0
"""k8s/: every overlay renders, obeys our rules, and matches typed schemas of the objects."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.bususers import GENERATOR
from lab.nats_wire import Wire
from lab.process import BUILD, ROOT, Process, free_port, wait_until

sys.path[:0] = [str(ROOT / "tests" / "k8s"), str(ROOT / "tests" / "pages")]
import page  # noqa: E402
from overlays import COMBINED, OVERLAYS, kustomize, render, write_overlay  # noqa: E402
from policy import RULES, Manifests, environment  # noqa: E402

INTEROP = ROOT / "build" / "interop"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda p: p.name)
def test_the_rules_hold(overlay):
    assert violations(render(overlay)) == {}


@pytest.mark.parametrize("name", COMBINED)
def test_the_rules_hold_for_combined_components(name, tmp_path):
    assert violations(render(write_overlay(tmp_path / "my", COMBINED[name]))) == {}


def violations(objects):
    broken = {f.__name__: list(f(Manifests(objects))) for f in RULES}
    return {name: problems for name, problems in broken.items() if problems}


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
    "the_log_is_no_reason_to_evict": container(resources={"limits": {"ephemeral-storage": "16Mi"}}),
    "a_start_is_seen_at_once": container(readinessProbe={"periodSeconds": 5}),
    "a_lost_dns_query_costs_a_second": pod(dnsConfig={}),
    "servers_hand_over_only_to_others": spec("StatefulSet", "nats", replicas=1),
    "clients_use_a_cluster_address": spec("Service", "nats-client", clusterIP="None"),
    "labels_are_complete": edit("Deployment", "dispatcher-openfaas", lambda o: o["metadata"]["labels"].pop("app.kubernetes.io/instance")),
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
    "names_agree_with_the_configuration": container(args=["--name", "$(DISPATCHER)"], env=[
        {"name": "DISPATCHER", "value": "openfass"}, {"name": "NATS_USER", "value": "dispatcher-$(DISPATCHER)"}]),
    "scalers_find_their_target": spec("ScaledObject", "dispatcher-openfaas", scaleTargetRef={"name": "x"}),
    "monitors_find_their_pods": spec("PodMonitor", "vcourier", podTargetLabels=["app"]),
    "routes_find_their_service": edit("HTTPRoute", "collector", lambda o: o["spec"]["rules"][0]["backendRefs"][0].update(name="x")),
    "proxies_find_their_service": without("Service", "collector"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda f: f.__name__)
def test_each_rule_can_fail(rule):
    overlay = "gateway" if rule.__name__ == "routes_find_their_service" else "full"
    objects = MUTATIONS[rule.__name__](render(ROOT / "k8s" / "overlays" / overlay))
    assert list(rule(Manifests(objects)))


@pytest.mark.parametrize("part", ["scaling", "scaling-hpa", "contour", "gateway"])
@pytest.mark.parametrize("backend", ["knative", "openfaas", "eventbridge"])
def test_scaling_and_status_of_one_dispatcher(part, backend, tmp_path):
    """They do not assume the other dispatchers."""
    parts = [part, f"{part}/{backend}"] if part in ("contour", "gateway") else [f"{part}/{backend}"]
    objects = render(write_overlay(tmp_path / "my", [backend, *parts]))
    assert violations(objects) == {} and len(Manifests(objects).kind("Deployment")) == 1


@pytest.mark.parametrize("part, kind, least", [("scaling", "ScaledObject", "minReplicaCount"), ("scaling-hpa", "HorizontalPodAutoscaler", "minReplicas")])
def test_an_autoscaler_keeps_the_two_replicas_of_ha(part, kind, least, tmp_path):
    for components, want in ((["knative", f"{part}/knative"], 1), (["knative", "ha", f"{part}/knative"], 2)):
        objects = render(write_overlay(tmp_path / f"my{want}", components))
        assert violations(objects) == {} and Manifests(objects).kind(kind)[0]["spec"][least] == want


@pytest.mark.parametrize("components, said", [
    (["scaling/knative"], "nothing selected by Deployment"), (["scaling-hpa/knative"], "nothing selected by Deployment"),
    (["knative", "scaling/knative", "ha"], "/spec/replicas"), (["contour/knative"], "nothing selected by HTTPProxy"),
    (["gateway/knative"], "nothing selected by HTTPRoute")])
def test_components_in_a_wrong_order_are_refused(components, said, tmp_path):
    run = kustomize(write_overlay(tmp_path / "my", components))
    assert run.returncode != 0 and said in run.stderr, run.stderr


START = "Start"
NAMES = "Another name, another vCenter, another dispatcher"


def page_block(heading, number):
    return page.block("docs/kubernetes.md", heading, number).text


def quickstart(directory, change=lambda config: None):
    """A directory in which steps 2 and 3 of docs/kubernetes.md were done as printed. kubectl only notes what it is asked for."""
    (directory / "my").mkdir()
    for name in ("k8s", "compose"):
        (directory / name).symlink_to(ROOT / name)
    config = yaml.safe_load((ROOT / "k8s/base/config.yaml").read_text())
    config["eventProcessors"] = [p for p in config["eventProcessors"] if p["type"] == "knative"]
    change(config)
    (directory / "my/config.yaml").write_text(yaml.safe_dump(config))
    (directory / "my/kustomization.yaml").write_text(page_block(START, 1))
    (directory / "vcenter-password").write_text("secret")
    tools = directory / "tools"
    tools.mkdir()
    (tools / "kubectl").write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done >> kubectl.log; printf "\\n" >> kubectl.log\n')
    (tools / "kubectl").chmod(0o755)
    subprocess.run(["sh", "-eu", "-c", page_block(START, 2)], cwd=directory, check=True,
                   env={"PATH": f"{tools}:{os.environ['PATH']}"})
    asked = [line.strip("\0").split("\0") for line in (directory / "kubectl.log").read_text().splitlines()]
    return {words[5]: [w.removeprefix("--from-file=") for w in words[6:]] for words in asked if words[2:5] == ["create", "secret", "generic"]}


def copied(directory):
    """The manifests without symbolic links, which kustomize follows out of the overlay's tree."""
    for name in ("k8s", "compose"):
        (directory / name).unlink()
        shutil.copytree(ROOT / name, directory / name)
    return directory / "my"


def test_the_quickstart_works_as_printed(tmp_path):
    """NATS finds a password for each user, each pod its Secret with the files that the configuration names."""
    secrets = quickstart(tmp_path)
    objects = render(copied(tmp_path))
    assert violations(objects) == {}
    for name, spec, _ in Manifests(objects).containers():
        for volume in spec["volumes"]:
            for source in [volume, *volume.get("projected", {}).get("sources", [])]:
                if named := source.get("secret", {}).get("secretName") or source.get("secret", {}).get("name"):
                    keys = {k.partition("=")[0].rpartition("/")[2] for k in secrets[named]}
                    assert {i["key"] for i in source["secret"].get("items", [])} <= keys, name
    assert [k.partition("=")[0] for k in secrets["collector"]] == ["nats", "vcenter"]
    accept(tmp_path, objects, tmp_path / "secrets")


def test_a_second_vcenter_and_a_second_dispatcher_are_three_lines_each(tmp_path):
    def change(config):
        config["eventProviders"] = [config.pop("eventProvider")]
        config["eventProviders"].append({**config["eventProviders"][0], "name": "vc2"})
        config["eventProcessors"].append({**config["eventProcessors"][0], "name": "audit"})
    quickstart(tmp_path, change)
    for number, name in ((2, "vc2"), (3, "audit")):
        text = page_block(NAMES, number)
        assert text.startswith(f"# my/{name}/kustomization.yaml") and len(text.splitlines()) == 4
        (tmp_path / "my" / name).mkdir()
        (tmp_path / "my" / name / "kustomization.yaml").write_text(text)
    overlay = yaml.safe_load(page_block(START, 1))
    overlay["resources"] += ["vc2", "audit"]
    overlay["components"].append("../k8s/components/ha")
    (tmp_path / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    objects = render(copied(tmp_path))
    assert violations(objects) == {}
    manifests = Manifests(objects)
    secrets = {name: v["secret"]["secretName"] for name, spec, _ in manifests.containers() for v in spec["volumes"] if "secret" in v}
    assert secrets == {name: name for name in ("collector", "collector-vc2", "dispatcher-knative", "dispatcher-audit")}
    for kind in ("Service", "PodDisruptionBudget", "ServiceAccount"):
        assert {"collector-vc2", "dispatcher-audit"} <= manifests.named(kind)
    subjects = {s["name"] for o in manifests.kind("RoleBinding", "ClusterRoleBinding") for s in o["subjects"]}
    assert subjects == {"dispatcher-knative", "dispatcher-audit"}
    for o in manifests.kind("NetworkPolicy"):
        if o["metadata"]["name"] in ("dispatcher-audit", "collector-vcenter-vc2"):
            assert o["spec"]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] in ("dispatcher-audit", "collector-vc2")
    accept(tmp_path, objects, tmp_path / "secrets")


def test_twelve_vcenters_are_a_list(tmp_path):
    """The loop of the page: a collector for each, with its own Secret, name and objects."""
    names = [f"vc{i}" for i in range(2, 13)]

    def change(config):
        config["eventProviders"] = [config.pop("eventProvider")]
        config["eventProviders"] += [{**config["eventProviders"][0], "name": name} for name in names]
    quickstart(tmp_path, change)
    subprocess.run(["sh", "-euc", page_block(NAMES, 5)], cwd=tmp_path, check=True)
    overlay = yaml.safe_load(page_block(START, 1))
    overlay["resources"].append("vcenters")
    (tmp_path / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    objects = render(copied(tmp_path))
    assert violations(objects) == {}
    manifests = Manifests(objects)
    sets = {o["metadata"]["name"]: o["spec"]["template"]["spec"] for o in manifests.kind("StatefulSet")}
    for name in names:
        spec = sets[f"collector-{name}"]
        assert {"name": "VCENTER", "value": name} in spec["containers"][0]["env"]
        assert [v["secret"]["secretName"] for v in spec["volumes"] if "secret" in v] == [f"collector-{name}"]
    accept(tmp_path, objects, tmp_path / "secrets")


def test_a_webhook_and_a_horizon_server(tmp_path):
    """The webhook's Service leads to its pods alone, and they have no way to a vCenter; Horizon's collector is that of a vCenter."""
    def change(config):
        config["eventProviders"] = [config.pop("eventProvider"), {"type": "webhook", "name": "hook", "webhook": {"bindAddress": "0.0.0.0:8080"}}]
    quickstart(tmp_path, change)
    text = page_block(NAMES, 4)
    assert text.startswith("# my/hook/kustomization.yaml")
    (tmp_path / "my/hook").mkdir()
    (tmp_path / "my/hook/kustomization.yaml").write_text(text)
    overlay = yaml.safe_load(page_block(START, 1))
    overlay["resources"] += ["hook"]
    (tmp_path / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    objects = render(copied(tmp_path))
    assert violations(objects) == {}
    manifests = Manifests(objects)
    pods = {o["metadata"]["name"]: o["spec"]["template"] for o in manifests.kind("StatefulSet")}
    hook = pods["collector-hook"]
    container = hook["spec"]["containers"][0]
    assert {"name": "webhook", "containerPort": 8080} in container["ports"] and container["env"][0] == {"name": "VCENTER", "value": "hook"}
    assert "webhook" not in {p["name"] for p in pods["collector"]["spec"]["containers"][0]["ports"]}
    service = next(o for o in manifests.kind("Service") if o["metadata"]["name"] == "collector-webhook-hook")
    policy = next(o for o in manifests.kind("NetworkPolicy") if o["metadata"]["name"] == "collector-webhook-hook")
    assert service["spec"]["selector"] == policy["spec"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "collector-hook"}
    assert hook["metadata"]["labels"]["app.kubernetes.io/name"] == "collector-hook"
    assert {n for n in manifests.named("NetworkPolicy") if n.startswith("collector-vcenter")} == {"collector-vcenter"}


def test_another_name_of_the_vcenter_is_one_patch(tmp_path):
    quickstart(tmp_path, lambda config: config["eventProvider"].update(name="vc1"))
    overlay = yaml.safe_load(page_block(START, 1)) | yaml.safe_load(page_block(NAMES, 1))
    overlay["components"].append("../k8s/components/scaling/knative")
    (tmp_path / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    assert violations(render(copied(tmp_path))) == {}


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


def accept(directory, objects, secrets):
    """nats-server reads the configuration of these objects with these secrets."""
    maps = {k: v for o in objects if o["kind"] == "ConfigMap" for k, v in o["data"].items()}
    etc = directory / "etc"
    etc.mkdir()
    (etc / "secrets").symlink_to(secrets)
    for name in ("nats.conf", "users.conf"):
        text = maps[name].replace("/data", str(directory / "data"))
        (etc / name).write_text(text.replace("  sync_interval: always\n", ""))  # Debian 12's 2.9 does not have this option
    run = subprocess.run(["nats-server", "-t", "-c", etc / "nats.conf"], capture_output=True, text=True,
                         env={"PATH": "/usr/sbin:/usr/bin", "POD_NAME": "nats-0"})
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("overlay", ["base", "overlays/ha"])
def test_nats_accepts_its_configuration(overlay, tmp_path):
    objects = render(ROOT / "k8s" / overlay)
    users = next(o["data"]["users.conf"] for o in objects if o["kind"] == "ConfigMap" and "users.conf" in o["data"])
    arguments = users.splitlines()[0].split("users.py")[1].removesuffix("; do not edit.").split()
    subprocess.run([sys.executable, GENERATOR, *arguments, "--passwords", tmp_path / "secrets"], check=True)
    accept(tmp_path, objects, tmp_path / "secrets")


SAMPLES = ROOT / "k8s" / "samples"
NEWER = INTEROP / "bin" / "nats-server"  # of `make interop`


def bus_of(overlay, directory, lab, program="nats-server"):
    """The servers of an overlay with its files, on loopback ports. Returns them and the ports of their clients. Secrets and certificates are beside the
    directory, if there are any."""
    objects = render(ROOT / "k8s" / overlay)
    maps = {k: v for o in objects if o["kind"] == "ConfigMap" for k, v in o["data"].items()}
    number = next(o["spec"]["replicas"] for o in objects if o["kind"] == "StatefulSet" and o["metadata"]["name"] == "nats")
    directory.mkdir()
    (directory / "users.conf").write_text(maps["users.conf"])
    arguments = maps["users.conf"].splitlines()[0].split("users.py")[1].removesuffix("; do not edit.").split()
    shutil.copytree(directory.parent / "secrets", directory / "secrets")
    if (directory.parent / "certificates").exists():
        shutil.copytree(directory.parent / "certificates", directory / "tls")
    subprocess.run([sys.executable, GENERATOR, *arguments, "--passwords", directory / "secrets"], check=True)
    ports, clients, servers = [free_port() for _ in range(number)], [free_port() for _ in range(number)], []
    routes = directory / "secrets" / "routes.conf"
    text = routes.read_text()
    for i, port in enumerate(ports):
        text = text.replace(f"nats-{i}.nats:6222", f"127.0.0.1:{port}")
    routes.unlink()
    routes.write_text(text)
    for i in range(number):
        conf = directory / f"nats-{i}.conf"
        text = maps["nats.conf"].replace("/data", f"{directory}/js{i}").replace("0.0.0.0:4222", f"127.0.0.1:{clients[i]}")
        text = text.replace("0.0.0.0:6222", f"127.0.0.1:{ports[i]}").replace("http: 0.0.0.0:8222\n", "")
        text = text.replace("/etc/nats/tls", str(directory / "tls"))
        if program == "nats-server":  # Debian 12's 2.9 does not have this option
            text = text.replace("  sync_interval: always\n", "")
        conf.write_text(text)
        server = lab._keep(Process(f"nats-{i}", [program, "-c", conf], directory, {"POD_NAME": f"nats-{i}"}))
        servers.append(server.start())
    return servers, clients


def test_the_ha_configuration_makes_a_cluster(tmp_path, lab):
    """Three servers with the overlay's files: a stream with three replicas can be created and written."""
    (tmp_path / "secrets").mkdir()
    _, clients = bus_of("overlays/ha", tmp_path / "bus", lab)

    def stream():
        try:
            wire = Wire(clients[0], "collector-lab", (tmp_path / "bus/secrets/collector-lab").read_text().strip())
            made = wire.request("$JS.API.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"], "num_replicas": 3}).json()
            return "error" not in made and wire
        except OSError:
            return None
    wire = wait_until(stream, 60, "a stream with three replicas")
    assert wire.request("vc.lab._._.info.event.X", b"{}").json()["seq"] == 1


def test_the_toolbox_is_set_up(tmp_path, lab):
    """`vcourier` in the files, with the environment, and by the user that the pod of the toolbox has."""
    (tmp_path / "secrets").mkdir()
    _, clients = bus_of("overlays/toolbox", tmp_path / "bus", lab)
    m = Manifests(render(ROOT / "k8s/overlays/toolbox"))
    (_, pod, container), = [found for found in m.containers() if found[0] == "toolbox"]
    (volume,), (mount,) = pod["volumes"], container["volumeMounts"]
    config, secret = volume["projected"]["sources"]
    home = tmp_path / "etc"
    maps = {o["metadata"]["name"]: o["data"] for o in m.kind("ConfigMap")}
    for source, data in ((config["configMap"], maps), (secret["secret"], {"toolbox": {"nats": (tmp_path / "bus/secrets/cli").read_text()}})):
        for item in source["items"]:
            (home / item["path"]).parent.mkdir(parents=True, exist_ok=True)
            (home / item["path"]).write_text(data[source["name"]][item["key"]].replace("nats-client:4222", f"127.0.0.1:{clients[0]}").replace(mount["mountPath"], str(home)))
    shown = wait_until(lambda: (run := subprocess.run([BUILD / "vcourier", "status", "-c", home / "config.yaml"], env=environment(container), capture_output=True, text=True))
                       .returncode == 1 and run.stdout, 60, "NATS answers")
    assert mount["mountPath"] == "/etc/vcourier" and "lab" in shown and "knative" in shown and "has never run" in shown, shown
    pause = subprocess.Popen([BUILD / "vcourier", *container["args"]], env=environment(container))
    caught = lambda: int(re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pause.pid}/status").read_text())[1], 16)  # noqa: E731
    wait_until(lambda: caught() >> signal.SIGTERM - 1 & 1, 30, "it handles SIGTERM")
    pause.terminate()
    assert pause.wait(30) == 0


def without_tls(conf):
    return re.sub(r"\n *tls \{[^}]*\}", "", conf)


@pytest.mark.parametrize("name, plain", [("tls", "base"), ("tls-ha", "overlays/ha")])
def test_tls_for_clients_and_routes(name, plain, tmp_path, lab):
    """nats-server with the files of the overlay, our programs with the page's block, and the configuration without TLS otherwise the same."""
    overlay = write_overlay(tmp_path / "my", COMBINED[name])
    conf = [next(o["data"]["nats.conf"] for o in render(where) if "nats.conf" in o.get("data", {})) for where in (overlay, ROOT / "k8s" / plain)]
    first_lines = [c.split("\n", 1) for c in (without_tls(conf[0]), conf[1])]
    assert first_lines[0][1] == first_lines[1][1] and conf[0].count("tls {") == (2 if name == "tls-ha" else 1)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "certificates").mkdir()
    asked = next(o["spec"] for o in render(overlay) if (o["kind"], o["metadata"]["name"]) == ("Certificate", "nats-tls"))
    shutil.copy(lab.authority.ca, tmp_path / "certificates/ca.crt")
    lab.authority.issue(tmp_path / "certificates/tls.crt", tmp_path / "certificates/tls.key", ",".join(
        {"server auth": "serverAuth", "client auth": "clientAuth"}[usage] for usage in asked["usages"]))
    servers, clients = bus_of(overlay, tmp_path / "bus", lab)

    def made():
        try:
            wire = Wire(clients[0], "collector-lab", (tmp_path / "bus/secrets/collector-lab").read_text().strip(), tls=lab.authority.ca)
            stream = {"name": "VC_lab", "subjects": ["vc.lab.>"], "num_replicas": len(servers)}
            return "error" not in wire.request("$JS.API.STREAM.CREATE.VC_lab", stream).json() and wire
        except OSError:
            return None
    wire = wait_until(made, 60, "a stream on all servers")
    assert wire.request("vc.lab._._.info.event.X", b"{}").json()["seq"] == 1
    with pytest.raises(OSError):  # without TLS
        Wire(clients[0], "collector-lab", (tmp_path / "bus/secrets/collector-lab").read_text().strip())
    bus = yaml.safe_load(page_block("TLS", 2))["bus"]
    config = {**yaml.safe_load((ROOT / "k8s/base/config.yaml").read_text()), "bus": {
        **bus, "urls": [f"tls://127.0.0.1:{clients[0]}"], "caFile": str(lab.authority.ca), "passwordFile": str(tmp_path / "bus/secrets/cli")}}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    run = subprocess.run([BUILD / "vcourier", "status", "-c", tmp_path / "config.yaml", "--json"], env={"NATS_USER": "cli"}, capture_output=True, text=True)
    assert '"VC_lab"' in run.stdout, run.stdout + run.stderr


def test_a_nats_of_ones_own(tmp_path):
    """The page's blocks: no object of NATS is left, each program has the authority, and the configuration is valid."""
    quickstart(tmp_path)
    overlay = yaml.safe_load(page_block(START, 1)) | yaml.safe_load(page_block("A NATS of your own", 1))
    config = yaml.safe_load((tmp_path / "my/config.yaml").read_text()) | yaml.safe_load(page_block("A NATS of your own", 2))
    (tmp_path / "my/kustomization.yaml").write_text(yaml.safe_dump(overlay))
    (tmp_path / "my/config.yaml").write_text(yaml.safe_dump(config))
    objects = render(copied(tmp_path))
    assert violations(objects) == {} and not [o for o in objects if o["metadata"]["name"].startswith("nats")]
    for name, pod, container in Manifests(objects).containers():
        assert {"name": "bus-ca", "mountPath": "/etc/vcourier/bus-ca", "readOnly": True} in container["volumeMounts"], name
    (tmp_path / "my/checked.yaml").write_text((tmp_path / "my/config.yaml").read_text().replace("/etc/vcourier", str(tmp_path / "etc")))
    for file in ("secrets/nats", "secrets/vcenter", "bus-ca/ca.crt"):
        (tmp_path / "etc" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc" / file).write_text("x")
    run = subprocess.run([BUILD / "vcourier", "check", tmp_path / "my/checked.yaml"], capture_output=True, text=True, env={"NATS_USER": "x"})
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_remote_base(tmp_path):
    """k8s/samples/gitops, with this repository in place of its address."""
    if not shutil.which("git") or subprocess.run(["git", "-C", ROOT, "rev-parse", "-q", "--verify", "HEAD"], capture_output=True).returncode:
        pytest.skip("no git repository with a commit here")
    bare = tmp_path / "vcourier.git"
    subprocess.run(["git", "clone", "-q", "--bare", ROOT, bare], check=True)
    ref = re.search(r"ref=(v[0-9.]+)", (SAMPLES / "gitops/kustomization.yaml").read_text())[1]
    assert ref == "v" + (ROOT / "VERSION").read_text().strip()
    subprocess.run(["git", "-C", bare, "tag", "-f", ref], check=True, capture_output=True)
    (tmp_path / "my").mkdir()
    text = (SAMPLES / "gitops/kustomization.yaml").read_text().replace("https://git.example.com/vcourier.git", f"file://{bare}")
    (tmp_path / "my/kustomization.yaml").write_text(text)
    for file, source in (("config.yaml", "k8s/base/config.yaml"), ("users.conf", "compose/nats/users.conf")):
        shutil.copy(ROOT / source, tmp_path / "my" / file)
    names = {(o["kind"], o["metadata"]["name"]) for o in render(tmp_path / "my")}
    assert {("StatefulSet", "nats"), ("StatefulSet", "collector"), ("Deployment", "dispatcher-knative")} <= names


def test_a_backup_leads_from_one_server_to_three(tmp_path, lab):
    """The commands of docs/kubernetes.md: all events, the position of a durable and the ids of events are those of the one server."""
    if not NEWER.exists():
        pytest.skip("nats-server 2.10 or later is not there: `make interop` builds it")
    (tmp_path / "secrets").mkdir()
    servers, (port,) = bus_of("overlays/knative", tmp_path / "one", lab, NEWER)
    shutil.rmtree(tmp_path / "secrets")
    (tmp_path / "secrets").symlink_to(tmp_path / "one/secrets")
    password = (tmp_path / "secrets/admin").read_text().strip()
    commands = [line.partition(" && ")[0] for number in (2, 3) for line in page_block("From one NATS server to three", number).splitlines()
                if line.startswith("vcourier ")]
    assert [c.split()[1] for c in commands] == ["backup", "restore"]
    assert "rollout restart statefulset/nats" in page_block("From one NATS server to three", 3)

    def admin(port):
        """A connection, once JetStream answers."""
        try:
            wire = Wire(port, "admin", password, timeout=5)
            return wire if "error" not in wire.request("$JS.API.INFO").json() else None
        except OSError:
            return None

    def cli(command, port):
        run = subprocess.run(["sh", "-eu", "-c", command.replace("localhost:4222", f"127.0.0.1:{port}")], cwd=tmp_path, capture_output=True,
                             text=True, check=False, env={"PATH": f"{BUILD}:/usr/bin:/bin", "HOME": str(tmp_path)})
        assert run.returncode == 0, run.stdout + run.stderr
    wire = wait_until(lambda: admin(port), 30, "the one server answers")
    for name, subjects in {"VC_lab": ["vc.lab.>"], "VCDEAD": ["vcdead.>"]}.items():
        config = {"name": name, "subjects": subjects, "deny_purge": True, "deny_delete": True, "duplicate_window": 1800_000_000_000}
        assert "error" not in wire.request(f"$JS.API.STREAM.CREATE.{name}", config).json()
    durable = {"durable_name": "knative", "ack_policy": "explicit", "max_deliver": -1}
    wire.request("$JS.API.CONSUMER.DURABLE.CREATE.VC_lab.knative", {"stream_name": "VC_lab", "config": durable})
    for i in range(10):
        wire.request("vc.lab._._.info.event.X", b"{}", headers={"Nats-Msg-Id": str(i)})
    for _ in range(4):
        wire.request(wire.request("$JS.API.CONSUMER.MSG.NEXT.VC_lab.knative", {"batch": 1}).reply, b"+ACK")
    cli(commands[0], port)
    servers[0].stop(30)
    servers, ports = bus_of("overlays/ha", tmp_path / "three", lab, NEWER)
    wire = wait_until(lambda: admin(ports[0]), 60, "the three servers answer")
    cli(commands[1], ports[0])
    wait_until(lambda: len(wire.request("$JS.API.STREAM.INFO.VC_lab").json()["cluster"].get("replicas", [])) == 2, 60, "three replicas")
    for server in servers:  # kubectl rollout restart, as the page says: NATS then reads the ids of the restored events
        server.stop(30)
        server.start()
        wait_until(lambda: admin(ports[0]), 60, "the three servers answer")

    def ask(*request, **headers):
        """The reply of the stream's leader, which is elected after JetStream answers: until then there is none, or an error."""
        def reply():
            try:
                found = Wire(ports[0], "admin", password, timeout=5).request(*request, **headers)
            except OSError:
                return None
            return found.json() if found.data and "error" not in found.json() else None
        return wait_until(reply, 60, request[0])
    consumer = ask("$JS.API.CONSUMER.INFO.VC_lab.knative")
    assert (consumer["ack_floor"]["stream_seq"], consumer["num_pending"]) == (4, 6), consumer
    again = ask("vc.lab._._.info.event.X", b"{}", headers={"Nats-Msg-Id": "9"})
    assert again.get("duplicate") and ask("$JS.API.STREAM.INFO.VC_lab")["state"]["messages"] == 10, again
    assert ask("$JS.API.STREAM.INFO.VCDEAD")["config"]["num_replicas"] == 3


@pytest.mark.parametrize("replicas", ["1", "3"])
def test_our_programs_accept_their_configuration(replicas):
    if not (BUILD / "vcourier").exists():
        pytest.skip("build/release/vcourier is not built")
    run = subprocess.run([BUILD / "vcourier", "check", ROOT / "k8s" / "base" / "config.yaml"], capture_output=True, text=True,
                         env={"NATS_USER": "collector-lab", "NATS_REPLICAS": replicas})
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_console_accepts_its_configuration():
    run = subprocess.run([BUILD / "vcourier-console", "--check", "-c", ROOT / "k8s/components/console/console.yaml"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


# The package of typed models for each API group; all other groups are in "kubernetes-models". The Gateway API has none there:
# test_kube_apiserver.py checks its objects against its CustomResourceDefinition.
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
    run = compile_types(tmp_path, [o for o in render(overlay) if o["kind"] != "HTTPRoute"])
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("kind, key", [("Deployment", "replicsa"), ("ScaledObject", "maxReplicas"), ("HTTPProxy", "route")])
def test_types_catch_an_unknown_key(kind, key, tmp_path):
    objects = render(ROOT / "k8s" / "overlays" / "full")
    next(o for o in objects if o["kind"] == kind)["spec"][key] = 3
    run = compile_types(tmp_path, objects)
    assert run.returncode != 0 and f'"{key}"' in run.stdout
