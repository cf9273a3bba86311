# SPDX-License-Identifier: Apache-2.0
"""k8s/ against a real kube-apiserver: strict validation, pod security, and what each service account may do.

The kinds of other projects have their real CustomResourceDefinitions (tests/k8s/crds.txt), without the controllers and webhooks.
Knative's `addressable-resolver` is defined here with the rule for Brokers.
"""
import copy
import json
import sys

import pytest
import yaml

from lab.apiserver import ApiServer, missing
from lab.stream import PROVIDER, Stream, keys
from lab.process import ROOT, wait_until
from lab.product import router_config

sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("k8s", "pages")]
from overlays import COMBINED, OVERLAYS, render, write_overlay  # noqa: E402
from policy import Manifests  # noqa: E402
import page  # noqa: E402

CRDS = ROOT / "build/interop/crds"
SAMPLES = ROOT / "k8s/samples"
PODS = "/api/v1/namespaces/vcourier/pods?fieldValidation=Strict"
BUS = "/apis/apps/v1/namespaces/vcourier/statefulsets/nats"
BROKERS = "/apis/eventing.knative.dev/v1/namespaces/default/brokers"
BROKER = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "name": "default", "namespace": "default"}
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RESOLVER = {"apiGroups": ["eventing.knative.dev"], "resources": ["brokers", "brokers/status"], "verbs": ["get", "list", "watch"]}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, authority):
    if missing():
        pytest.skip(f"{', '.join(missing())}: not built; `make interop` builds them")
    if not CRDS.exists():
        pytest.skip("the CustomResourceDefinitions are not there: `make interop` fetches them")
    server = ApiServer(tmp_path_factory.mktemp("kubernetes"), authority)
    try:
        server.start()
        server.define(CRDS)
        server.create(f"{RBAC}/clusterroles", {"metadata": {"name": "addressable-resolver"}, "rules": [RESOLVER]})
        yield server
    finally:
        server.close()


def apply(cluster, objects):
    return cluster.kubectl("apply", "--server-side", "--validate=strict", "-o", "json", "-f", "-",
                           input="\n---\n".join(map(json.dumps, objects)))


def applied(cluster, objects):
    """Applies an overlay without a warning: no deprecated object and no template that pod security would refuse. Returns {kind/name: resourceVersion}."""
    run = apply(cluster, objects)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    made = json.loads(run.stdout)
    return {f"{o['kind']}/{o['metadata']['name']}": o["metadata"]["resourceVersion"] for o in made.get("items", [made])}


def servers(objects):
    return next((o for o in objects if (o["kind"], o["metadata"]["name"]) == ("StatefulSet", "nats")), None)


def replace_bus(cluster, objects):
    """Deletes the StatefulSet of NATS if it has another number of servers: it cannot be changed."""
    status, there, _ = cluster.request("GET", BUS)
    if status == 200 and servers(objects) and there["spec"]["replicas"] != servers(objects)["spec"]["replicas"]:
        cluster.request("DELETE", BUS)


def make_namespace(cluster):
    """For a test that may be the first one of its worker."""
    applied(cluster, [o for o in render(ROOT / "k8s/base") if o["kind"] == "Namespace"])


@pytest.fixture(scope="module")
def full(cluster):
    """The objects of the overlay with all components, applied."""
    objects = render(ROOT / "k8s" / "overlays" / "full")
    replace_bus(cluster, objects)
    applied(cluster, objects)
    return objects


def pod_of(workload, template):
    """The pod that the controller would create from the template."""
    name = workload["metadata"]["name"]
    claims = [{"name": c["metadata"]["name"], "persistentVolumeClaim": {"claimName": f"{c['metadata']['name']}-{name}-0"}}
              for c in workload["spec"].get("volumeClaimTemplates", [])]
    return {"metadata": {**template["metadata"], "name": f"{name}-0"},
            "spec": {**template["spec"], "volumes": template["spec"].get("volumes", []) + claims}}


@pytest.mark.parametrize("overlay", [*OVERLAYS, *COMBINED], ids=lambda o: getattr(o, "name", o))
def test_every_object_and_every_pod_is_accepted(cluster, overlay, tmp_path):
    """As an update of the previous overlay, and once more without any change."""
    objects = render(write_overlay(tmp_path / "my", COMBINED[overlay]) if overlay in COMBINED else overlay)
    replace_bus(cluster, objects)
    first, second = applied(cluster, objects), applied(cluster, objects)
    assert len(first) == len(objects) and applied(cluster, objects) == second
    assert {k for k in first if second[k] != first[k]} <= {"HTTPProxy/vcourier"}, "its definition has a default status, which is added at the second apply"
    for workload, template in Manifests(objects).workloads():
        status, pod, warnings = cluster.request("POST", PODS, pod_of(workload, template))
        assert (status, warnings) == (201, []), pod
        tokens = [v["name"] for v in pod["spec"]["volumes"] if "serviceAccountToken" in json.dumps(v)]
        assert len(tokens) == (workload["metadata"]["name"] == "dispatcher-knative"), "only Knative's dispatcher has a token"
        cluster.request("DELETE", f"/api/v1/namespaces/vcourier/pods/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})


def test_samples_are_accepted(cluster):
    for namespace in ("argocd", "flux-system"):
        cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    make_namespace(cluster)
    for sample in sorted(SAMPLES.rglob("*.yaml")):
        if sample.name != "kustomization.yaml":  # test_k8s.py renders it
            objects = list(yaml.safe_load_all(sample.read_text()))
            assert len(applied(cluster, objects)) == len(objects)


def test_the_secrets_of_a_nats_of_ones_own(cluster, tmp_path):
    """The commands of docs/kubernetes.md: the Secrets have the keys that the pods mount."""
    (tmp_path / "creds").mkdir()
    for file in ("ca.crt", "vcenter-password", "creds/collector-lab.creds", "creds/dispatcher-knative.creds"):
        (tmp_path / file).write_text("x")
    (tmp_path / "k8s").symlink_to(ROOT / "k8s")
    make_namespace(cluster)
    cluster.kubectl("delete", "secrets", "--all", "-n", "vcourier")
    cluster.shell(page.block("docs/kubernetes.md", "A NATS of your own", 3).text, tmp_path)
    found = {o["metadata"]["name"]: set(o["data"]) for o in cluster.request("GET", "/api/v1/namespaces/vcourier/secrets")[1]["items"]}
    assert found == {"bus-ca": {"ca.crt"}, "collector": {"nats", "vcenter"}, "dispatcher-knative": {"nats"}}


@pytest.mark.parametrize("kind, change, said", [
    ("HTTPRoute", {"rules": [{"matches": [{"path": {"type": "Prefix", "value": "/"}}]}]}, "Unsupported value"),
    ("Certificate", {"dnsName": ["a"]}, ".spec.dnsName: field not declared in schema"),
    ("HTTPProxy", {"virtualhost": {}}, "fqdn"), ("ScaledObject", {"triggers": [{"kind": "x"}]}, "triggers")])
def test_wrong_objects_of_other_projects_are_refused(cluster, kind, change, said, tmp_path):
    """Shows that the definitions are the real ones."""
    everything = ["knative", "contour", "gateway", "scaling/knative", "bus-tls", "bus-tls/cert-manager"]
    wrong = next(o for o in render(write_overlay(tmp_path / "my", everything)) if o["kind"] == kind)
    wrong["metadata"]["name"] = "wrong"
    wrong["spec"].update(change)
    make_namespace(cluster)
    run = apply(cluster, [wrong])
    assert run.returncode != 0 and said in run.stderr, run.stderr


@pytest.mark.parametrize("running, other", [("overlays/knative", "overlays/ha"), ("overlays/ha", "overlays/knative")])
def test_one_server_never_becomes_three_in_place(cluster, running, other):
    """NATS would delete the streams. The API server refuses, in both directions, and nothing of the running bus changes."""
    objects = render(ROOT / "k8s" / running)
    replace_bus(cluster, objects)
    applied(cluster, objects)
    before = cluster.request("GET", BUS)[1]
    run = apply(cluster, [servers(render(ROOT / "k8s" / other))])
    assert run.returncode != 0 and "updates to statefulset spec for fields other than" in run.stderr, run.stderr
    assert cluster.request("GET", BUS)[1]["spec"] == before["spec"]


def test_an_apply_without_a_change_reports_none(cluster):
    """By the client's way of applying, which is the default of kubectl. A PodDisruptionBudget is always reported: the field selector
    of its type is replaced as a whole."""
    objects = [o for o in render(ROOT / "k8s" / "overlays" / "knative") if o["kind"] != "Namespace"]
    replace_bus(cluster, objects)
    for o in objects:
        o["metadata"]["namespace"] = "again"
    objects = [o for o in objects if "Role" not in o["kind"]]
    cluster.create("/api/v1/namespaces", {"metadata": {"name": "again"}})
    text = "\n---\n".join(map(json.dumps, objects))
    first, second = (cluster.kubectl("apply", "-f", "-", input=text) for _ in range(2))
    assert (first.returncode, first.stderr, second.returncode, second.stderr) == (0, "", 0, "")
    changed = [line for line in second.stdout.splitlines() if not line.endswith(" unchanged")]
    assert [line for line in changed if not line.startswith("poddisruptionbudget")] == [], changed


WEAKER = {
    "hostNetwork=true": lambda pod, container: pod.update(hostNetwork=True),
    "runAsNonRoot != true": lambda pod, container: pod["securityContext"].pop("runAsNonRoot"),
    "seccompProfile": lambda pod, container: pod["securityContext"].pop("seccompProfile"),
    "allowPrivilegeEscalation != false": lambda pod, container: container["securityContext"].pop("allowPrivilegeEscalation"),
    "unrestricted capabilities": lambda pod, container: container["securityContext"].pop("capabilities"),
    "hostPath": lambda pod, container: pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
}


@pytest.mark.parametrize("why", WEAKER)
def test_pod_security_refuses_a_weaker_pod(cluster, full, why):
    deployment = copy.deepcopy(next(o for o in full if o["kind"] == "Deployment"))
    pod = pod_of(deployment, deployment["spec"]["template"])
    WEAKER[why](pod["spec"], pod["spec"]["containers"][0])
    status, said, _ = cluster.request("POST", PODS, pod)
    assert status == 403 and 'violates PodSecurity "restricted' in said["message"] and why in said["message"], said


@pytest.mark.parametrize("kind, change, said", [
    ("Deployment", {"replicsa": 3}, ".spec.replicsa: field not declared in schema"),
    ("Service", {"ports": [{"port": 70000}]}, "must be between 1 and 65535"),
    ("StatefulSet", {"selector": {"matchLabels": {"app": "other"}}}, "`selector` does not match template `labels`")])
def test_invalid_objects_are_refused(cluster, full, kind, change, said):
    """Shows that the tests above can fail."""
    wrong = copy.deepcopy(next(o for o in full if o["kind"] == kind))
    wrong["metadata"]["name"] = "wrong"
    wrong["spec"].update(change)
    run = apply(cluster, [wrong])
    assert run.returncode != 0 and said in run.stderr, run.stderr


def rules(cluster, token, namespace):
    """The permissions of the token's owner in a namespace, as the server lists them: [(groups, resources, names, verbs)]"""
    review = cluster.create("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {"spec": {"namespace": namespace}}, token=token)
    assert not review["status"]["incomplete"]
    return {tuple(tuple(rule.get(k, ())) for k in ("apiGroups", "resources", "resourceNames", "verbs"))
            for rule in review["status"]["resourceRules"]}


@pytest.mark.parametrize("namespace", ["vcourier", "default", "kube-system"])
def test_permissions_of_each_service_account(cluster, full, namespace):
    """All permissions: only the account of the Knative dispatcher has more than an unprivileged account."""
    cluster.request("POST", "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": "stranger"}})
    anybody = rules(cluster, cluster.token("default", "stranger"), namespace)
    resolver = {((*RESOLVER["apiGroups"],), (*RESOLVER["resources"],), (), (*RESOLVER["verbs"],)), (("",), ("services",), (), ("get",))}
    own_token = {(("",), ("serviceaccounts/token",), ("dispatcher-knative",), ("create",))} if namespace == "vcourier" else set()
    for account in Manifests(full).named("ServiceAccount"):
        more = rules(cluster, cluster.token("vcourier", account), namespace) - anybody
        assert more == (resolver | own_token if account == "dispatcher-knative" else set()), account


@pytest.mark.parametrize("allowed, verb, resource, namespace, name", [
    (True, "get", "eventing.knative.dev/brokers", "default", "default"), (True, "get", "/services", "anywhere", "sink"),
    (True, "create", "/serviceaccounts/token", "vcourier", "dispatcher-knative"),
    (False, "create", "/serviceaccounts/token", "vcourier", "collector"),
    (False, "create", "/serviceaccounts/token", "default", "dispatcher-knative"),
    (False, "update", "eventing.knative.dev/brokers", "default", "default"), (False, "list", "/services", "vcourier", ""),
    (False, "get", "/secrets", "vcourier", "nats-passwords"), (False, "get", "/configmaps", "vcourier", "vcourier-config"),
    (False, "create", "/pods", "vcourier", ""), (False, "get", "/nodes", "", "")])
def test_access_of_the_knative_dispatcher(cluster, full, allowed, verb, resource, namespace, name):
    group, kind, *sub = resource.split("/")
    review = cluster.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": {
        "user": "system:serviceaccount:vcourier:dispatcher-knative",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:vcourier", "system:authenticated"],
        "resourceAttributes": {"verb": verb, "group": group, "resource": kind, "subresource": "".join(sub), "name": name,
                               "namespace": namespace}}})
    assert review["status"]["allowed"] is allowed, review["status"]


def in_pod(lab, cluster, server, account):
    """A dispatcher with the files that the kubelet would mount for this service account."""
    mount = lab.directory / account
    mount.mkdir()
    for name, text in {"token": cluster.token("vcourier", account), "namespace": "vcourier",
                       "ca.crt": cluster.authority.ca.read_text()}.items():
        (mount / name).write_text(text)
    knative = {"encoding": "binary", "destination": {"ref": BROKER, "resolveInterval": "1s", "kubernetes": {
        "serviceAccountDir": str(mount)}}}
    dispatcher = lab.daemon("dispatcher", router_config(server, providers=[PROVIDER], processors=[
        {"type": "knative", "name": "kn", "knative": knative}]), name=account)
    dispatcher.env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(cluster.port)}
    return dispatcher.start()


def test_the_dispatcher_works_with_these_permissions(cluster, full, lab):
    """It resolves a Broker and gets a token for its audience, which the server accepts as ours. Another account cannot."""
    receiver, server = lab.receiver(), lab.nats()
    broker = {"apiVersion": "eventing.knative.dev/v1", "kind": "Broker", "metadata": {"name": "default"}, "spec": {},
              "status": {"address": {"url": receiver.url, "audience": "broker/default"}, "conditions": [
                  {"type": "Ready", "status": "True"}]}}
    cluster.create(BROKERS, broker)
    status, said, _ = cluster.request("PATCH", f"{BROKERS}/default/status", broker, content="application/merge-patch+json")
    assert status == 200, said
    stream = Stream(lab, server)
    stream.make_stream()
    stranger = in_pod(lab, cluster, server, "collector")
    wait_until(lambda: "not allowed to get brokers.eventing.knative.dev" in stranger.get("/readyz")[1], 60, "it is refused")
    stranger.stop()
    want = stream.publish(5)
    in_pod(lab, cluster, server, "dispatcher-knative").wait_ready()
    stream.idle()
    assert sorted(keys(receiver.requests)) == list(want)
    sent = {r.headers["authorization"].removeprefix("Bearer ") for r in receiver.requests}
    for token in sent:
        known = cluster.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {
            "token": token, "audiences": ["broker/default"]}})["status"]
        assert known["authenticated"] and known["user"]["username"] == "system:serviceaccount:vcourier:dispatcher-knative", known
