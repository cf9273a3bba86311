# SPDX-License-Identifier: Apache-2.0
"""Rules for the manifests. Each is a function of the rendered objects that yields the violations."""
import re

import yaml

NAMESPACE = "vcourier"
LABELS = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "component", "part-of", "managed-by")}
# A container's log counts as ephemeral storage. The kubelet's defaults keep five files of 10 MiB, and rotate every 10 s
# (containerLogMaxFiles, containerLogMaxSize, containerLogMonitorInterval of KubeletConfiguration); a burst fills more.
LOG_MIB = 256
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}
RULES = []


def rule(function):
    RULES.append(function)
    return function


class Manifests:
    def __init__(self, objects):
        self.objects = objects

    def kind(self, *kinds):
        return [o for o in self.objects if o["kind"] in kinds]

    def workloads(self):
        """(object, pod template) of everything that runs."""
        return [(o, o["spec"]["template"]) for o in self.kind("Deployment", "StatefulSet")]

    def containers(self):
        """(workload's name, pod spec, container)"""
        return [(o["metadata"]["name"], t["spec"], c) for o, t in self.workloads()
                for c in t["spec"].get("initContainers", []) + t["spec"]["containers"]]

    def serving(self):
        """Those that somebody connects to. Nobody connects to the toolbox: it runs only while a command does."""
        return [found for found in self.containers() if found[0] != "toolbox"]

    def named(self, kind):
        return {o["metadata"]["name"] for o in self.kind(kind)}

    def vcenters(self):
        config = self.router_config()
        return [p["name"] for p in config.get("eventProviders") or [config["eventProvider"]]]

    def resolvers(self):
        """The dispatchers that use the Kubernetes API: those to Knative."""
        return {f"dispatcher-{p['name']}" for p in self.router_config()["eventProcessors"] if p["type"] == "knative"}

    def router_config(self):
        for o in self.kind("ConfigMap"):
            if "config.yaml" in o.get("data", {}):
                return yaml.safe_load(o["data"]["config.yaml"])
        return {}


def environment(container):
    """The environment with the references $(NAME) to earlier entries replaced, as the kubelet does."""
    known = {}
    for entry in container.get("env", []):
        known[entry["name"]] = expand(entry.get("value", ""), known)
    return known


def expand(text, known):
    return re.sub(r"\$\((\w+)\)", lambda m: known.get(m[1], m[0]), text)


def selects(selector, labels):
    """A label selector of matchLabels and In expressions."""
    return (all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items()) and
            all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", [])))


@rule
def namespaced(m):
    for o in m.objects:
        if o["kind"] not in CLUSTER_WIDE and o["metadata"].get("namespace") != NAMESPACE:
            yield f"{o['kind']}/{o['metadata']['name']}: not in the namespace"


@rule
def namespace_is_restricted(m):
    for o in m.kind("Namespace"):
        if o["metadata"]["labels"].get("pod-security.kubernetes.io/enforce") != "restricted":
            yield "pod security is not restricted"


@rule
def no_secrets_in_manifests(m):
    if m.kind("Secret"):
        yield "a Secret is in the manifests"
    for o in m.kind("ConfigMap"):
        for key, text in o.get("data", {}).items():
            if re.search(r"^\s*(password|token|secretKey|accessKey):\s*[^\s$]", text, re.M | re.I):
                yield f"ConfigMap/{o['metadata']['name']}: {key}: a secret in clear text"


@rule
def images_have_a_version(m):
    for name, _, c in m.containers():
        tag = c["image"].rpartition("/")[2].partition(":")[2]
        if not tag or tag == "latest":
            yield f"{name}: image {c['image']}"


@rule
def not_root(m):
    for name, pod, _ in m.containers():
        context = pod.get("securityContext", {})
        if not context.get("runAsNonRoot") or context.get("runAsUser", 0) < 10000:
            yield f"{name}: may run as root"
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name}: no seccomp profile"


@rule
def no_privileges(m):
    for name, _, c in m.containers():
        context = c.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield f"{name}: may gain privileges"
        if context.get("capabilities") != {"drop": ["ALL"]}:
            yield f"{name}: keeps capabilities"
        if not context.get("readOnlyRootFilesystem"):
            yield f"{name}: writable root"


@rule
def nothing_of_the_host(m):
    for name, pod, c in m.containers():
        for key in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(key):
                yield f"{name}: {key}"
        if any("hostPath" in v for v in pod.get("volumes", [])) or any("hostPort" in p for p in c.get("ports", [])):
            yield f"{name}: host path or port"


@rule
def resources_are_bounded(m):
    for name, _, c in m.containers():
        resources = c.get("resources", {})
        if "memory" not in resources.get("limits", {}) or not {"cpu", "memory"} <= set(resources.get("requests", {})):
            yield f"{name}: no memory limit, or no requests"


@rule
def the_log_is_no_reason_to_evict(m):
    for name, _, c in m.containers():
        limit = c.get("resources", {}).get("limits", {}).get("ephemeral-storage", f"{LOG_MIB}Mi")
        if not limit.endswith("Mi") or int(limit.removesuffix("Mi")) < LOG_MIB:
            yield f"{name}: evicted when its log has {limit}"


@rule
def probes(m):
    for name, _, c in m.serving():
        for probe in ("livenessProbe", "readinessProbe"):
            if probe not in c:
                yield f"{name}: no {probe}"
        if c.get("livenessProbe", {}).get("httpGet", {}).get("path") == "/readyz":
            yield f"{name}: a dead vCenter would restart it"


@rule
def a_start_is_seen_at_once(m):
    """The other probes wait for the startup probe, which only what can take long to start should have."""
    for name, _, c in m.serving():
        first = c.get("startupProbe", c["readinessProbe"])
        delay = 1 if name == "console" else 0  # the images of the others listen at once: compose/vcourier-listen.c
        if first.get("periodSeconds", 10) > 1 or first.get("initialDelaySeconds", 0) > delay or c["readinessProbe"].get("periodSeconds", 10) > 2:
            yield f"{name}: is ready for seconds before Kubernetes looks"
        if "startupProbe" in c and name != "nats":
            yield f"{name}: has a startup probe"


@rule
def a_lost_dns_query_costs_a_second(m):
    """resolv.conf(5): the default is 5 s. Packets of a new pod are lost until all network policies know its address."""
    for o, template in m.workloads():
        options = {option["name"]: option["value"] for option in template["spec"].get("dnsConfig", {}).get("options", [])}
        if template["metadata"]["labels"].get("vcourier.io/bus") == "client" and options.get("timeout") != "1":
            yield f"{o['metadata']['name']}: waits for a lost DNS query"


@rule
def servers_hand_over_only_to_others(m):
    """The lame duck mode of nats-server takes at least 10 s. With one server this only prolongs the outage."""
    for o, template in m.workloads():
        for c in template["spec"]["containers"]:
            if "nats-server" in c.get("command", []) and ("lifecycle" in c) != (o["spec"]["replicas"] > 1):
                yield f"{o['metadata']['name']}: preStop with {o['spec']['replicas']} servers"


@rule
def clients_use_a_cluster_address(m):
    """Names of a headless Service change with the pods, and DNS answers are cached: a restart of the bus took 47 s."""
    headless = {o["metadata"]["name"] for o in m.kind("Service") if o["spec"].get("clusterIP") == "None"}
    for url in m.router_config()["bus"]["urls"]:
        host = re.match(r"\w+://([\w-]+)", url)[1]
        if "nats" in m.named("StatefulSet") and (host in headless or host not in m.named("Service")):
            yield f"bus.urls: {host} is headless, or no Service"
    for o in m.kind("StatefulSet"):
        if o["spec"]["serviceName"] not in headless:
            yield f"{o['metadata']['name']}: its pods have no names"


@rule
def labels_are_complete(m):
    for o, template in m.workloads():
        for labels in (o["metadata"]["labels"], template["metadata"]["labels"]):
            if LABELS - set(labels) or labels["app.kubernetes.io/name"] != o["metadata"]["name"]:
                yield f"{o['metadata']['name']}: labels {sorted(labels)}"
            if labels["app.kubernetes.io/component"] != "bus" and labels.get("app.kubernetes.io/version") != template["spec"]["containers"][0]["image"].partition(":")[2]:
                yield f"{o['metadata']['name']}: the label of the version"
    for o in m.objects:
        if "app.kubernetes.io/part-of" not in o["metadata"].get("labels", {}):
            yield f"{o['kind']}/{o['metadata']['name']}: is part of nothing"


@rule
def tokens_only_where_used(m):
    for o, template in m.workloads():
        name = o["metadata"]["name"]
        if bool(template["spec"].get("automountServiceAccountToken", True)) != (name in m.resolvers()):
            yield f"{name}: service account token"
        if template["spec"].get("serviceAccountName") not in m.named("ServiceAccount"):
            yield f"{name}: no service account of its own"
    for o in m.kind("ServiceAccount"):
        if o.get("automountServiceAccountToken") is not False:
            yield f"ServiceAccount/{o['metadata']['name']}: token on"


@rule
def rbac_is_narrow(m):
    for o in m.kind("Role", "ClusterRole"):
        for r in o["rules"]:
            if "*" in r["apiGroups"] + r["resources"] + r["verbs"] or "secrets" in r["resources"]:
                yield f"{o['metadata']['name']}: too wide"
    for o in m.kind("RoleBinding", "ClusterRoleBinding"):
        if len(o["subjects"]) != 1 or o["subjects"][0]["name"] not in m.resolvers() or o["subjects"][0]["namespace"] != NAMESPACE:
            yield f"{o['metadata']['name']}: bound to others"


@rule
def selectors_match(m):
    for o, template in m.workloads():
        if not selects(o["spec"]["selector"], template["metadata"]["labels"]):
            yield f"{o['metadata']['name']}: selector"
    labels = [t["metadata"]["labels"] for _, t in m.workloads()]
    for o in m.kind("Service"):
        if not any(selects({"matchLabels": o["spec"]["selector"]}, one) for one in labels):
            yield f"Service/{o['metadata']['name']}: selects nothing"
    for o in m.kind("NetworkPolicy"):
        if not any(selects(o["spec"]["podSelector"], one) for one in labels):
            yield f"NetworkPolicy/{o['metadata']['name']}: selects nothing"


@rule
def ports_exist(m):
    ports = {p["name"] for _, _, c in m.containers() for p in c.get("ports", [])}
    numbers = {p["containerPort"] for _, _, c in m.containers() for p in c.get("ports", [])}
    for o in m.kind("Service"):
        for p in o["spec"]["ports"]:
            if p["targetPort"] not in ports:
                yield f"Service/{o['metadata']['name']}: {p['targetPort']}"
    for o in m.kind("NetworkPolicy"):
        for r in o["spec"].get("ingress", []):
            if any(p["port"] not in numbers for p in r["ports"]):
                yield f"NetworkPolicy/{o['metadata']['name']}: a port on which nothing listens"


@rule
def default_deny(m):
    if not any(o["spec"]["podSelector"] == {} and set(o["spec"]["policyTypes"]) == {"Ingress", "Egress"}
               and not o["spec"].get("ingress") and not o["spec"].get("egress") for o in m.kind("NetworkPolicy")):
        yield "no default-deny policy"
    for o in m.kind("NetworkPolicy"):
        for direction in ("ingress", "egress"):
            for r in o["spec"].get(direction, []):
                if not r.get("ports") or not r.get("to" if direction == "egress" else "from"):
                    yield f"NetworkPolicy/{o['metadata']['name']}: peers and ports must be named"


@rule
def everybody_reaches_what_it_needs(m):
    for o, template in m.workloads():
        if o["metadata"]["name"] == "nats":
            continue
        out = [p for p in m.kind("NetworkPolicy") if p["spec"].get("egress") and p["spec"]["podSelector"]
               and selects(p["spec"]["podSelector"], template["metadata"]["labels"])]
        ports = {port["port"] for p in out for r in p["spec"]["egress"] for port in r["ports"]}
        served = {port["name"]: port["containerPort"] for c in template["spec"]["containers"] for port in c.get("ports", [])}
        peers = 1 if {"http", "webhook"} & served.keys() or not served else 2  # the console, a webhook and the toolbox have no peer but the bus
        if 4222 not in ports or len(out) < peers:
            yield f"{o['metadata']['name']}: cannot reach the bus or its peer"
        if "webhook" in served and not any(
                port["port"] == served["webhook"] for p in m.kind("NetworkPolicy") if selects(p["spec"]["podSelector"], template["metadata"]["labels"])
                for r in p["spec"].get("ingress", []) for port in r["ports"]):
            yield f"{o['metadata']['name']}: nobody can send to it"


@rule
def disruption_budgets(m):
    for o, template in m.workloads():
        budgets = [b for b in m.kind("PodDisruptionBudget") if selects(b["spec"]["selector"], template["metadata"]["labels"])]
        if len(budgets) != 1 or budgets[0]["spec"].get("maxUnavailable") != 1 or "minAvailable" in budgets[0]["spec"]:
            yield f"{o['metadata']['name']}: needs one budget of maxUnavailable 1 (minAvailable blocks drains)"


@rule
def time_to_drain(m):
    for o, template in m.workloads():
        if template["spec"].get("terminationGracePeriodSeconds", 0) < 30:
            yield f"{o['metadata']['name']}: no time to drain"


@rule
def secrets_are_directories(m):
    claims = {c["metadata"]["name"] for o in m.kind("StatefulSet") for c in o["spec"].get("volumeClaimTemplates", [])}
    for name, pod, c in m.containers():
        if any("secretKeyRef" in (e.get("valueFrom") or {}) for e in c.get("env", [])) or c.get("envFrom"):
            yield f"{name}: a secret in the environment"
        if any("subPath" in v for v in c.get("volumeMounts", [])):
            yield f"{name}: subPath never sees a rotation"
        mounted = {v["name"] for v in c.get("volumeMounts", [])}
        known = {v["name"] for v in pod.get("volumes", [])} | claims
        if mounted - known:
            yield f"{name}: volume {mounted - known}"


@rule
def config_maps_exist(m):
    for name, pod, _ in m.containers():
        for volume in pod.get("volumes", []):
            sources = volume.get("projected", {}).get("sources", []) + [volume]
            for source in sources:
                if "configMap" in source and source["configMap"]["name"] not in m.named("ConfigMap"):
                    yield f"{name}: config map {source['configMap']['name']}"


@rule
def rollouts_keep_capacity(m):
    for o in m.kind("Deployment"):
        if o["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{o['metadata']['name']}: maxUnavailable"


@rule
def names_agree_with_the_configuration(m):
    config = m.router_config()
    names = {*m.vcenters(), *(p["name"] for p in config["eventProcessors"])}
    users = next((o["data"]["users.conf"] for o in m.kind("ConfigMap") if "users.conf" in o.get("data", {})), None)
    if users is None and "nats" in m.named("StatefulSet"):
        yield "nats has no users"

    def unknown(user):
        return users is not None and f'user: "{user}"' not in users  # None: a NATS of somebody else
    for name, _, c in m.containers():
        if name == "nats":
            continue
        if name == "console":
            text = next(o["data"]["console.yaml"] for o in m.kind("ConfigMap") if "console.yaml" in o.get("data", {}))
            for user in re.findall(r"^ +user: (\S+)$", text, re.M):
                if unknown(user):
                    yield f"{name}: no such user of the bus: {user}"
            continue
        if name == "toolbox":
            if unknown(environment(c)["NATS_USER"]):
                yield f"{name}: no such user of the bus"
            continue
        env = environment(c)
        own = expand(c["args"][c["args"].index("--name") + 1], env)
        if own not in names:
            yield f"{name}: --name is not in the configuration: {own}"
        if unknown(env["NATS_USER"]) or env["NATS_USER"] != f"{name.partition('-')[0]}-{own}":
            yield f"{name}: no such user of the bus: {env['NATS_USER']}"


@rule
def scalers_find_their_target(m):
    for o in m.kind("ScaledObject", "HorizontalPodAutoscaler"):
        target = o["spec"]["scaleTargetRef"]["name"]
        if target not in m.named("Deployment"):
            yield f"{o['metadata']['name']}: scales nothing"
        for deployment in m.kind("Deployment"):
            if deployment["metadata"]["name"] == target and "replicas" in deployment["spec"]:
                yield f"{target}: each apply would undo what the autoscaler did"
        for metric in o["spec"].get("metrics", []):
            if f"dispatcher-{metric['external']['metric']['selector']['matchLabels']['dispatcher']}" != target:
                yield f"{o['metadata']['name']}: watches another dispatcher"
        for trigger in o["spec"].get("triggers", []):
            meta = trigger["metadata"]
            if (meta["stream"] not in {f"VC_{v}" for v in m.vcenters()} or f"dispatcher-{meta['consumer']}" != target
                    or meta["account"] != "VCOURIER"):
                yield f"{o['metadata']['name']}: watches another durable"


@rule
def monitors_find_their_pods(m):
    for o in m.kind("PodMonitor"):
        spec, name = o["spec"], o["metadata"]["name"]
        pods = [t for w, t in m.workloads() if selects(spec["selector"], t["metadata"]["labels"]) and w["metadata"]["name"] != "toolbox"]
        ours = {w["metadata"]["name"] for w, _ in m.workloads()} - {"nats", "toolbox"}
        if {t["metadata"]["labels"]["app.kubernetes.io/name"] for t in pods} != ({"nats"} if name == "nats" else ours):
            yield f"PodMonitor/{name}: not each of the processes"
        for template in pods:
            ports = {p["name"] for c in template["spec"]["containers"] for p in c["ports"]}
            if not {e["port"] for e in spec["podMetricsEndpoints"]} <= ports:
                yield f"PodMonitor/{name}: no such port"
            if not set(spec["podTargetLabels"]) <= set(template["metadata"]["labels"]):
                yield f"PodMonitor/{name}: no such label"
        if "vcourier" not in f"{o['metadata']['namespace']}/{name}":  # the job, by which VcourierProcessDown selects
            yield f"PodMonitor/{name}: another job"


@rule
def routes_find_their_service(m):
    routes = m.kind("HTTPRoute")
    processes = {o["metadata"]["name"] for o, t in m.workloads() if t["metadata"]["labels"].get("vcourier.io/bus")}
    for o in routes:
        services = {b["name"] for r in o["spec"]["rules"] for b in r["backendRefs"]}
        if services != {o["metadata"]["name"]} or not services <= m.named("Service"):
            yield f"HTTPRoute/{o['metadata']['name']}: {services}"
        if o["spec"]["parentRefs"] != routes[0]["spec"]["parentRefs"] or o["spec"]["hostnames"] != routes[0]["spec"]["hostnames"]:
            yield f"HTTPRoute/{o['metadata']['name']}: another gateway"
    if routes and m.named("HTTPRoute") != processes:
        yield "HTTPRoute: not each of our processes"


@rule
def proxies_find_their_service(m):
    processes = {o["metadata"]["name"] for o, t in m.workloads() if t["metadata"]["labels"].get("vcourier.io/bus")}
    for o in m.kind("HTTPProxy"):
        if {s["name"] for route in o["spec"]["routes"] for s in route["services"]} != processes:
            yield f"HTTPProxy/{o['metadata']['name']}: not each of our processes"
        if o["spec"]["virtualhost"]["tls"]["minimumProtocolVersion"] < "1.2":
            yield "old TLS"
        for route in o["spec"]["routes"]:
            for service in route["services"]:
                if service["name"] not in m.named("Service"):
                    yield f"HTTPProxy/{o['metadata']['name']}: {service['name']}"
