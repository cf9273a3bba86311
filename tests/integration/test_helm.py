# SPDX-License-Identifier: Apache-2.0
"""helm/vcourier: the chart renders the objects that the overlays of k8s/ have, and refuses wrong values."""
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("k8s", "pages")]

from lab.process import BUILD, ROOT  # noqa: E402
from overlays import render  # noqa: E402
import page  # noqa: E402

CHART = ROOT / "helm" / "vcourier"
HELM = ROOT / "build" / "interop" / "bin" / "helm"
USERS = ROOT / "compose" / "nats" / "users.conf"
CONFIG = yaml.safe_load((ROOT / "k8s" / "base" / "config.yaml").read_text())
BLOCKS = {"knative": "knative", "openfaas": "openfaas", "aws_event_bridge": "awsEventBridge", "functions": "functions"}
HASHED = {"nats-config", "nats-users", "vcourier-config", "console-config", "functions"}  # kustomize appends a hash to these names; the chart has an annotation


@pytest.fixture(autouse=True)
def helm_is_there():
    if not HELM.exists():
        pytest.skip("helm is not built: make interop")


def helm(*arguments, values=None):
    run = subprocess.run([HELM, *map(str, arguments), *(["--values", "-"] if values is not None else [])], capture_output=True, text=True,
                         input=json.dumps(values) if values is not None else None, timeout=120, env={**os.environ, "HOME": "/nonexistent"})
    return run


def template(values, *arguments):
    run = helm("template", "vcourier", CHART, "--namespace", "vcourier", *arguments, values=values)
    assert run.returncode == 0, run.stderr
    return [o for o in yaml.safe_load_all(run.stdout) if o]


def source():
    entry = CONFIG["eventProvider"]
    auth = entry["vcenter"]["auth"]["basicAuth"]
    return {"name": entry["name"], "objectName": "collector", "existingSecret": "collector", "address": entry["vcenter"]["address"],
            "username": auth["username"]}


def dispatchers(*types, scaling=None):
    return [{"name": e["name"], "type": e["type"], "config": e[BLOCKS[e["type"]]],
             **({"manifests": {"README": (ROOT / "k8s/components/functions/README").read_text()}} if e["type"] == "functions" else {}),
             **({"autoscaling": {"type": scaling, "source": "lab"}} if scaling else {}),
             **({"serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/vcourier-eventbridge"}}}
                if e["type"] == "aws_event_bridge" else {})}
            for e in CONFIG["eventProcessors"] if e["type"] in types]


ALL = ("knative", "openfaas", "aws_event_bridge")
CASES = {
    "base": {"dispatchers": []},
    "knative": {"dispatchers": dispatchers("knative")},
    "openfaas": {"dispatchers": dispatchers("openfaas")},
    "eventbridge": {"dispatchers": dispatchers("aws_event_bridge")},
    "functions": {"dispatchers": dispatchers("functions")},
    "console": {"dispatchers": dispatchers("knative"), "console": {"enabled": True}},
    "toolbox": {"dispatchers": dispatchers("knative"), "toolbox": {"enabled": True}},
    "nats-exporter": {"dispatchers": dispatchers("knative"), "nats": {"exporter": {"enabled": True}}},
    "ha": {"dispatchers": dispatchers(*ALL), "ha": True},
    "scaling": {"dispatchers": dispatchers(*ALL, scaling="keda")},
    "scaling-hpa": {"dispatchers": dispatchers(*ALL, scaling="hpa")},
    "contour": {"dispatchers": dispatchers(*ALL), "contour": {"enabled": True}},
    "gateway": {"dispatchers": dispatchers(*ALL), "gateway": {"enabled": True}},
    "full": {"dispatchers": dispatchers(*ALL, scaling="keda"), "ha": True, "contour": {"enabled": True}, "monitoring": True, "grafana": True},
}


def values(case):
    return {"sources": [source()], **CASES[case]}


def name_of(o):
    name = o["metadata"]["name"]
    short = name.rsplit("-", 1)[0]
    return short if o["kind"] == "ConfigMap" and short in HASHED else name


def plain(node, path=()):
    """What both tools write in the same way: without labels of the tool, the chart's annotations, hashes of names, defaults."""
    if isinstance(node, dict):
        out = {}
        for key, value in node.items():
            if key == "labels" and path[-1:] == ("metadata",):
                continue  # compared apart
            if key == "annotations" and isinstance(value, dict):
                value = {k: v for k, v in value.items() if not k.startswith("checksum/")}
                if not value:
                    continue
            if key == "status" and "volumeClaimTemplates" in path:
                continue
            out[key] = plain(value, (*path, key))
        if path[-1:] == ("configMap",) and "name" in out:
            short = out["name"].rsplit("-", 1)[0]
            out["name"] = short if short in HASHED else out["name"]
        return out
    if isinstance(node, list):
        return [plain(value, path) for value in node]
    return node


def labels(o):
    """Labels of the object, and of its pods, without those that name the tool."""
    own = {"app.kubernetes.io/managed-by", "helm.sh/chart", "app.kubernetes.io/instance"}
    found = {("object", k): v for k, v in (o["metadata"].get("labels") or {}).items() if k not in own}
    pods = o.get("spec", {}).get("template", {}).get("metadata", {}).get("labels") or {}
    return {**found, **{("pod", k): v for k, v in pods.items() if k not in own}}


def configuration(text):
    config = yaml.safe_load(text)
    for one, several in (("eventProvider", "eventProviders"), ("eventProcessor", "eventProcessors")):
        if one in config:
            config[several] = [config.pop(one)]
    return config


@pytest.mark.parametrize("overlay", sorted(CASES))
def test_the_chart_has_the_objects_of_the_overlay(overlay):
    folder = ROOT / "k8s" / ("base" if overlay == "base" else f"overlays/{overlay}")
    theirs = {(o["kind"], name_of(o)): o for o in render(folder) if o["kind"] != "Namespace"}
    ours = {(o["kind"], name_of(o)): o for o in template(values(overlay), "--set-file", f"nats.usersConf={USERS}")}
    assert sorted(ours) == sorted(theirs)
    used = [d["name"] for d in CASES[overlay]["dispatchers"]]
    for key, theirs_one in theirs.items():
        one, other = plain(ours[key]), plain(theirs_one)
        for o in (one, other):
            o["metadata"].pop("namespace", None), o["metadata"].pop("name")  # the names are compared above
        if key == ("ConfigMap", "vcourier-config"):
            a, b = (configuration(o.pop("data")["config.yaml"]) for o in (one, other))
            b["eventProcessors"] = [e for e in b["eventProcessors"] if e["name"] in used] or None
            assert a == b
        if key[0] == "ConfigMap":
            assert {k: v.strip() for k, v in one.pop("data", {}).items()} == {k: v.strip() for k, v in other.pop("data", {}).items()}, key
        assert one == other, key
        missing = {k: v for k, v in labels(theirs_one).items() if labels(ours[key]).get(k) != v}
        assert not missing, key


def test_every_overlay_has_a_case():
    assert set(CASES) == {"base", *(f.name for f in (ROOT / "k8s" / "overlays").iterdir())}


def test_lint():
    run = helm("lint", CHART, "--strict", "--set-file", f"nats.usersConf={USERS}", values=values("full"))
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_archive_of_a_release_is_the_chart(tmp_path):
    for name in ("a.tgz", "b.tgz"):
        subprocess.run([ROOT / "release/chart.sh", tmp_path / name], check=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"})
    assert (tmp_path / "a.tgz").read_bytes() == (tmp_path / "b.tgz").read_bytes()
    arguments = ("--namespace", "vcourier", "--set-file", f"nats.usersConf={USERS}")
    runs = [helm("template", "vcourier", chart, *arguments, values=values("full")) for chart in (CHART, tmp_path / "a.tgz")]
    assert runs[0].stdout == runs[1].stdout != "", runs[1].stderr


def test_two_vcenters_and_two_dispatchers_of_a_kind(tmp_path):
    """Names of objects follow from the names of the entries; `vcourier check` accepts the configuration."""
    one = {**source(), "name": "Site-A"}
    del one["objectName"], one["existingSecret"]
    two = {"name": "site-b", "address": "vc2.example.com", "username": "u", "vcenter": {"standby": False, "insecureSSL": True}}
    first, second = dispatchers("knative")[0], {**dispatchers("knative")[0], "name": "audit", "replicas": 3,
                                                "options": {"filter": {"pattern": {"severity": ["error"]}}}}
    objects = {(o["kind"], o["metadata"]["name"]): o for o in template({"sources": [one, two], "dispatchers": [first, second]},
                                                                       "--set-file", f"nats.usersConf={USERS}")}
    sets = {name for kind, name in objects if kind in ("StatefulSet", "Deployment")}
    assert sets == {"nats", "collector-site-a", "collector-site-b", "dispatcher-knative", "dispatcher-audit"}
    environment = objects[("StatefulSet", "collector-site-a")]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert environment[0]["value"] == "Site-A" and objects[("Deployment", "dispatcher-audit")]["spec"]["replicas"] == 3
    assert len({name for kind, name in objects if kind == "ClusterRoleBinding"}) == 4
    text = objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"]
    assert [p["vcenter"]["standby"] for p in yaml.safe_load(text)["eventProviders"]] == ["${VCOURIER_STANDBY:-false}", False]
    checked(text, tmp_path)


def test_horizon_and_a_webhook(tmp_path):
    """A webhook has a Service, any number of replicas, and nobody may send to it until `ingress` says so. KEDA reads the stream of the source."""
    sender = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "alerts"}}}]
    auth = {"type": "basic_auth", "basicAuth": {"username": "sender", "passwordFile": "/etc/vcourier/secrets/webhook"}}
    sources = [{"name": "pod", "type": "horizon", "address": "https://horizon.example.com", "username": "events", "domain": "corp", "horizon": {"pageSize": 500}},
               {"name": "hook", "type": "webhook", "replicas": 2, "webhook": {"bindAddress": "0.0.0.0:9000", "path": "in", "auth": auth}, "ingress": sender},
               {"name": "closed", "type": "webhook", "webhook": {"auth": auth}}]
    scaled = [{**d, "autoscaling": {"type": "keda", "source": "hook"}} for d in dispatchers("knative")]
    objects = {(o["kind"], o["metadata"]["name"]): o for o in template({"sources": sources, "dispatchers": scaled}, "--set-file", f"nats.usersConf={USERS}")}
    text = objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"]
    providers = {p["name"]: p[p["type"]] for p in yaml.safe_load(text)["eventProviders"]}
    assert providers == {
        "pod": {"address": "https://horizon.example.com", "standby": "${VCOURIER_STANDBY:-false}", "pageSize": 500, "auth": {
            "type": "active_directory", "activeDirectoryAuth": {"domain": "corp", "username": "events", "passwordFile": "/etc/vcourier/secrets/horizon"}}},
        "hook": {"bindAddress": "0.0.0.0:9000", "path": "in", "auth": auth}, "closed": {"bindAddress": "0.0.0.0:8080", "auth": auth}}
    checked(text, tmp_path)
    pod = objects[("StatefulSet", "collector-hook")]["spec"]
    assert pod["replicas"] == 2 and {"name": "webhook", "containerPort": 9000} in pod["template"]["spec"]["containers"][0]["ports"]
    assert objects[("Service", "collector-hook-webhook")]["spec"] == {
        "selector": {"app.kubernetes.io/name": "collector-hook"}, "ports": [{"name": "webhook", "port": 9000, "targetPort": "webhook"}]}
    assert objects[("NetworkPolicy", "collector-hook-webhook")]["spec"]["ingress"] == [{"from": sender, "ports": [{"protocol": "TCP", "port": 9000}]}]
    assert "ingress" not in objects[("NetworkPolicy", "collector-closed-webhook")]["spec"]
    assert ("NetworkPolicy", "collector-pod-horizon") in objects and ("NetworkPolicy", "collector-hook-vcenter") not in objects
    assert objects[("ScaledObject", "dispatcher-knative")]["spec"]["triggers"][0]["metadata"]["stream"] == "CE_hook"


def test_the_address_of_the_runbooks():
    """docs/operations.md, Alerts."""
    for docs in ("https://docs.example.com/vcourier", "https://docs.example.com/vcourier/"):
        rule, = [o for o in template({**values("full"), "docsUrl": docs}, "--set-file", f"nats.usersConf={USERS}") if o["kind"] == "PrometheusRule"]
        alerts = {r["alert"]: r["annotations"]["runbook_url"] for group in rule["spec"]["groups"] for r in group["rules"]}
        assert alerts == {name: f"https://docs.example.com/vcourier/operations.md#{name.lower()}" for name in alerts} != {}


def checked(text, tmp_path):
    """`vcourier check` of the configuration, with password files."""
    for name in ("nats", "vcenter", "horizon", "webhook", "gateway", "ca.crt"):
        (tmp_path / name).write_text("x")
    for folder in ("secrets", "bus-ca", "functions"):
        text = text.replace(f"/etc/vcourier/{folder}", str(tmp_path))
    (tmp_path / "config.yaml").write_text(text)
    run = subprocess.run([BUILD / "vcourier", "check", tmp_path / "config.yaml"], capture_output=True, text=True, env={"NATS_USER": "u"})
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_configuration_is_valid(case, tmp_path):
    if not CASES[case]["dispatchers"]:
        pytest.skip("a configuration without dispatchers is not complete")
    objects = {(o["kind"], o["metadata"]["name"]): o for o in template(values(case), "--set-file", f"nats.usersConf={USERS}")}
    checked(objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"], tmp_path)


def test_a_nats_of_ones_own(tmp_path):
    """No object of NATS; credentials files, a certificate authority, an API prefix, and a way out through the network policy."""
    objects = {(o["kind"], o["metadata"]["name"]): o for o in template({
        **values("openfaas"), "nats": {"enabled": False}, "console": {"enabled": True}, "toolbox": {"enabled": True}, "bus": {
            "urls": ["tls://nats.example.com:4222"], "auth": "creds", "caSecret": "nats-ca", "external": {"cidr": "192.0.2.0/24", "port": 4222},
            "config": {"apiPrefix": "$JS.hub.API", "stream": {"replicas": 3}}}})}
    assert not [key for key in objects if key[1].startswith("nats")]
    config = yaml.safe_load(objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"])
    assert config["bus"] == {"urls": ["tls://nats.example.com:4222"], "credentialsFile": "/etc/vcourier/secrets/nats", "caFile": "/etc/vcourier/bus-ca/ca.crt",
                             "apiPrefix": "$JS.hub.API", "stream": {"maxAge": "7d", "maxBytes": "4GiB", "replicas": 3}, "deadLetters": {"maxBytes": "1GiB"}}
    checked(objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"], tmp_path)
    console = yaml.safe_load(objects[("ConfigMap", "console-config")]["data"]["console.yaml"])
    assert console["bus"] | {"urls": None} == {"urls": None, "apiPrefix": "$JS.hub.API", "credentialsFile": "/etc/vcourier/secrets/nats",
                                               "caFile": "/etc/vcourier/bus-ca/ca.crt"}
    assert console["operator"] == {"credentialsFile": "/etc/vcourier/secrets/nats-operator"}
    for workload in (("StatefulSet", "collector"), ("Deployment", "toolbox")):
        pod = objects[workload]["spec"]["template"]["spec"]
        assert {"name": "bus-ca", "secret": {"secretName": "nats-ca", "defaultMode": 0o440}} in pod["volumes"]
    egress = objects[("NetworkPolicy", "bus-clients")]["spec"]["egress"]
    assert egress == [{"to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}], "ports": [{"protocol": "TCP", "port": 4222}]}]


OLD = {"config": {"name": "old", "fileName": "x.yaml", "mountPath": "/x", "logLevel": "debug", "json": False}, "eventProvider": "vcenter",
       "eventProcessor": "openfaas", "vcenter": {"address": "https://vc/sdk", "username": "admin", "insecure": True},
       "openfaas": {"address": "http://gateway.faas:8080", "async": True, "basicAuth": True, "username": "faas"}, "metrics": {"type": "default", "port": 8082}}


def test_values_of_the_old_chart(tmp_path):
    objects = {(o["kind"], o["metadata"]["name"]): o for o in template({"eventrouter": OLD}, "--set-file", f"nats.usersConf={USERS}")}
    text = objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"]
    config = yaml.safe_load(text)
    assert config["metadata"]["name"] == "old" and config["log"] == {"level": "debug", "format": "logfmt"}
    assert config["eventProviders"][0]["name"] == "vcenter" and config["eventProviders"][0]["vcenter"] | {"standby": None} == {
        "address": "https://vc/sdk", "insecureSSL": True, "standby": None,
        "auth": {"type": "basic_auth", "basicAuth": {"username": "admin", "passwordFile": "/etc/vcourier/secrets/vcenter"}}}
    assert config["eventProcessors"] == [{"type": "openfaas", "name": "openfaas", "openfaas": {
        "address": "http://gateway.faas:8080", "async": True,
        "auth": {"type": "basic_auth", "basicAuth": {"username": "faas", "passwordFile": "/etc/vcourier/secrets/gateway"}}}}]
    assert ("StatefulSet", "collector-vcenter") in objects and ("Deployment", "dispatcher-openfaas") in objects
    checked(text, tmp_path)
    for block in ({"horizon": {"address": "https://horizon.example.com", "domain": "corp", "username": "events", "insecure": True}},
                  {"webhook": {"port": 8081, "path": "hook", "username": "sender"}}):
        kind, = block
        objects = {(o["kind"], o["metadata"]["name"]): o for o in template({"eventrouter": {**OLD, **block, "eventProvider": kind}},
                                                                           "--set-file", f"nats.usersConf={USERS}")}
        assert ("StatefulSet", f"collector-{kind}") in objects
        checked(objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"], tmp_path)
    destination = {"ref": {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default", "namespace": "default"}}
    knative = {**OLD, "eventProcessor": "knative", "knative": {"encoding": "structured", "insecureSSL": False, "destination": destination}}
    objects = {(o["kind"], o["metadata"]["name"]): o for o in template({"eventrouter": knative}, "--set-file", f"nats.usersConf={USERS}")}
    config = yaml.safe_load(objects[("ConfigMap", "vcourier-config")]["data"]["config.yaml"])
    assert config["eventProcessors"] == [{"type": "knative", "name": "knative", "knative": {"encoding": "structured", "destination": destination}}]


@pytest.mark.parametrize("wrong, words", [
    ({"sources": [{**source(), "adress": "x"}]}, "adress"),
    ({"sources": [{"name": "lab"}]}, "address"),
    ({"sources": [{**source(), "name": "a b"}]}, "name"),
    ({"dispatchers": [{"name": "x", "type": "kafka"}]}, "type"),
    ({"dispatchers": [{"name": "x", "type": "knative", "replicas": 0}]}, "replicas"),
    ({"bus": {"urls": ["nats://user:secret@host"]}}, "no user and no password in a URL"),
    ({"bus": {"urls": ["http://host"]}}, "urls"),
    ({"nats": {"enabled": "yes"}}, "enabled"),
    ({"hA": True}, "hA"),
    ({"eventrouter": {"vcenter": {"address": "x", "password": "secret"}}}, "create the Secret collector-vcenter with the key vcenter"),
    ({"eventrouter": {**OLD, "openfaas": {"password": "secret"}}}, "create the Secret dispatcher-openfaas with the key gateway"),
    ({"sources": [{"name": "pod", "type": "horizon", "address": "x", "username": "u"}]}, "sources: pod: domain is missing"),
    ({"sources": [{"name": "pod", "type": "kafka", "address": "x", "username": "u"}]}, "type"),
    ({"eventrouter": {**OLD, "eventProvider": "kafka"}}, "kafka is not a source of vcourier"),
    ({"eventrouter": {**OLD, "eventProvider": "horizon"}}, "eventrouter.horizon.address: is missing"),
    ({"eventrouter": {**OLD, "eventProvider": "webhook", "webhook": {"password": "secret"}}}, "create the Secret collector-webhook with the key webhook"),
    ({"eventrouter": {**OLD, "eventProcessor": "kafka"}}, "kafka is not a dispatcher"),
    ({"eventrouter": {"vcenter": {}}}, "eventrouter.vcenter.address: is missing"),
    ({"nats": {"usersConf": ""}}, "nats.usersConf: is missing"),
])
def test_wrong_values_are_refused(wrong, words):
    given = {"nats": {"usersConf": "x"}, **wrong} if "nats" not in wrong else wrong
    run = helm("template", "vcourier", CHART, values=given)
    assert run.returncode != 0 and words in run.stderr and "secret" not in run.stderr.replace("Secret", ""), run.stderr


def test_notes_name_the_secrets(tmp_path):
    """`helm template` does not print the notes, so a copy of the chart has them as a manifest."""
    copy = tmp_path / "vcourier"
    shutil.copytree(CHART, copy)
    notes = copy / "templates" / "NOTES.txt"
    text = notes.read_text()
    notes.unlink()
    (copy / "templates" / "notes.yaml").write_text('{{- define "notes" }}' + text + '{{- end }}\nkind: Notes\nnotes: {{ include "notes" . | quote }}\n')
    run = helm("template", "vcourier", copy, "--namespace", "vcourier", "--show-only", "templates/notes.yaml", "--set-file",
               f"nats.usersConf={USERS}", values=values("full"))
    assert run.returncode == 0, run.stderr
    notes = yaml.safe_load(run.stdout)["notes"]
    for secret in ("nats-passwords:", "collector: nats, vcenter", "dispatcher-knative: nats"):
        assert secret in notes, notes


def test_the_commands_of_the_page(tmp_path):
    """The values and the command of docs/kubernetes.md; `helm template` stands for `helm install`, which needs a cluster."""
    command, _, given = page.block("docs/kubernetes.md", "With Helm").text.partition("\n\n")
    (tmp_path / "values.yaml").write_text(given)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:2] == ["helm", "install"]
    words = [str(tmp_path / w) if w == "values.yaml" else w.replace("my/users.conf", str(USERS)) for w in words[2:] if w != "--create-namespace"]
    run = subprocess.run([HELM, "template", *words], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    objects = {(o["kind"], o["metadata"]["name"]) for o in yaml.safe_load_all(run.stdout) if o}
    assert {("StatefulSet", "collector-lab"), ("Deployment", "dispatcher-knative")} <= objects
