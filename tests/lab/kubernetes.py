# SPDX-License-Identifier: Apache-2.0
"""The part of a Kubernetes API server that a Knative destination needs, over TLS. Bodies have the form of a 1.29
cluster with Knative Eventing 1.14: APIResourceList, the objects, Status for errors, TokenRequest."""
import base64
import json
import ssl
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

from .receiver import Answer, Receiver

KINDS = {
    "v1": [("services", "Service", True), ("serviceaccounts", "ServiceAccount", True)],
    "eventing.knative.dev/v1": [("brokers", "Broker", True), ("triggers", "Trigger", True)],
    "messaging.knative.dev/v1": [("channels", "Channel", True), ("subscriptions", "Subscription", True)],
    "serving.knative.dev/v1": [("services", "Service", True), ("routes", "Route", True)],
}


def jwt(subject):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return f"{part({'alg': 'RS256', 'kid': 'lab'})}.{part({'iss': 'https://kubernetes.default.svc', 'sub': subject})}.c2ln"


class Kubernetes:
    def __init__(self, directory, authority, namespace="apps", account="vcourier"):
        self.directory = Path(directory) / "kubernetes"
        self.directory.mkdir(parents=True, exist_ok=True)
        self.token = jwt(f"system:serviceaccount:{namespace}:{account}")
        self.account = self.directory / "serviceaccount"
        self.account.mkdir(exist_ok=True)
        self.mount(**{"token": self.token, "namespace": namespace, "ca.crt": authority.ca.read_text()})
        self.objects, self.forbidden, self.audiences = {}, set(), []
        self.padding = ""  # makes the tokens for audiences longer
        self.down = False
        self.refuse = lambda request: None  # an answer in place of the usual one
        self.lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.cert, authority.key)
        self.receiver = Receiver(self.answer, context)
        self.env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.receiver.port)}
        self.options = {"serviceAccountDir": str(self.account)}
        self.authority = authority

    def close(self):
        self.receiver.close()

    def mount(self, **files):
        """Changes the files of the pod, as the kubelet does."""
        for name, text in files.items():
            (self.account / name).write_text(text)

    def kubeconfig(self):
        file = self.directory / "config"
        file.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "lab", "preferences": {},
            "clusters": [{"name": "lab", "cluster": {
                "server": self.receiver.url, "certificate-authority-data": base64.b64encode(self.authority.ca.read_bytes()).decode()}}],
            "users": [{"name": "me", "user": {"token": self.token}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "me", "namespace": "fn"}}]}))
        return str(file)

    def put(self, api_version, kind, namespace, name, **status):
        plural = next(p for p, k, _ in KINDS[api_version] if k == kind)
        with self.lock:
            self.objects[api_version, plural, namespace, name] = {
                "apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace, "generation": 1},
                "spec": {}, "status": {"observedGeneration": 1, **status}}

    def broker(self, url, namespace="fn", name="default", **address):
        """A Broker that is ready at this address; url None: not ready yet."""
        if url is None:
            status = {"conditions": [{"type": "Ready", "status": "False", "reason": "ChannelNotReady",
                                      "message": "Channel is not ready"}]}
        else:
            status = {"address": {"name": "http", "url": url, **address}, "conditions": [{"type": "Ready", "status": "True"}]}
        self.put("eventing.knative.dev/v1", "Broker", namespace, name, **status)

    def asked(self, what):
        """Requests whose path contains this."""
        return [r for r in self.receiver.requests if what in r.path]

    # ---- the server's side

    def status(self, code, reason, message):
        return self.json(code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                                "message": message, "reason": reason, "code": code})

    def json(self, code, value):
        return Answer(code, {"Content-Type": "application/json", "Date": format_datetime(datetime.now(timezone.utc), usegmt=True)},
                      json.dumps(value).encode())

    def answer(self, request):
        if self.down:
            return Answer(0)
        if refused := self.refuse(request):
            return refused
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self.status(401, "Unauthorized", "Unauthorized")
        parts = request.path.strip("/").split("/")
        if parts[0] not in ("api", "apis"):
            return self.status(404, "NotFound", "the server could not find the requested resource")
        head = 2 if parts[0] == "api" else 3
        version, rest = "/".join(parts[1:head]), parts[head:]
        if version not in KINDS:
            return Answer(404, {"Content-Type": "text/plain"}, b"404 page not found\n")
        if not rest:
            return self.json(200, self.resources(version))
        if len(rest) == 5 and rest[2] == "serviceaccounts" and rest[4] == "token":
            return self.token_request(rest[1], rest[3], request)
        if len(rest) != 4 or rest[0] != "namespaces":
            return self.status(404, "NotFound", "the server could not find the requested resource")
        _, namespace, plural, name = rest
        group = version.rpartition("/")[0]
        if plural in self.forbidden:
            return self.status(403, "Forbidden", f'{plural}.{group} "{name}" is forbidden: User "system:serviceaccount:apps:vcourier" '
                               f'cannot get resource "{plural}" in API group "{group}" in the namespace "{namespace}"')
        with self.lock:
            found = self.objects.get((version, plural, namespace, name))
        return self.json(200, found) if found else self.status(404, "NotFound", f'{plural}.{group} "{name}" not found')

    def resources(self, version):
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": [
            entry for plural, kind, namespaced in KINDS[version] for entry in (
                {"name": plural, "singularName": kind.lower(), "namespaced": namespaced, "kind": kind, "verbs": ["get", "list", "watch"]},
                {"name": f"{plural}/status", "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": ["get"]})]}

    def token_request(self, namespace, account, request):
        if "serviceaccounts/token" in self.forbidden:
            return self.status(403, "Forbidden", f'serviceaccounts "{account}" is forbidden: cannot create resource "serviceaccounts/token"')
        asked = request.json()
        assert request.method == "POST" and asked["kind"] == "TokenRequest", asked
        spec = asked["spec"]
        with self.lock:
            self.audiences.append(spec["audiences"])
            token = f"oidc-{namespace}-{account}-{len(self.audiences)}{self.padding}"
        until = datetime.now(timezone.utc) + timedelta(seconds=spec["expirationSeconds"])
        return self.json(201, {**asked, "status": {"token": token, "expirationTimestamp": until.strftime("%Y-%m-%dT%H:%M:%SZ")}})
