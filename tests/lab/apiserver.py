# SPDX-License-Identifier: Apache-2.0
"""A real kube-apiserver and its etcd, on loopback. It accepts, refuses and grants the same as that of a cluster. There are no
controllers and no kubelet, so accepted objects have no effect."""
import json
import os
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .process import ROOT, Process, free_port, wait_until

BIN = ROOT / "build" / "interop" / "bin"
PROGRAMS = ("etcd", "kube-apiserver", "kubectl")
TOKEN = "admin-of-the-lab"


def missing():
    """The programs that `make interop` has not built."""
    return [name for name in PROGRAMS if not (BIN / name).exists()]


class ApiServer:
    def __init__(self, directory, authority):
        self.directory, self.authority = Path(directory), authority
        etcd, self.port = f"http://127.0.0.1:{free_port()}", free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        key = self.directory / "sa.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self.directory / "tokens.csv").write_text(f"{TOKEN},admin,admin,system:masters\n")
        (self.directory / "etcd").mkdir(mode=0o700)
        peer = "http://127.0.0.1:0"
        self.etcd = Process("etcd", [
            BIN / "etcd", "--name", "lab", "--data-dir", self.directory / "etcd", "--unsafe-no-fsync", "--log-level", "warn",
            "--listen-client-urls", etcd, "--advertise-client-urls", etcd, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"lab={peer}"], self.directory)
        self.server = Process("kube-apiserver", [
            BIN / "kube-apiserver", "--etcd-servers", etcd, "--bind-address", "127.0.0.1", "--secure-port", self.port,
            "--tls-cert-file", authority.cert, "--tls-private-key-file", authority.key, "--cert-dir", self.directory,
            "--service-account-key-file", key, "--service-account-signing-key-file", key,
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-cluster-ip-range", "10.0.0.0/24",
            "--authorization-mode", "RBAC", "--token-auth-file", self.directory / "tokens.csv",
            "--endpoint-reconciler-type", "none"], self.directory)

    def start(self):
        self.etcd.start()
        self.server.start()
        wait_until(self._ready, 120, lambda: f"kube-apiserver is ready:\n{self.server.text()[-1500:]}{self.etcd.text()[-500:]}")
        return self

    def _ready(self):
        assert self.server.running() and self.etcd.running(), self.server.text()[-1500:] + self.etcd.text()[-500:]
        try:
            return self.request("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def close(self):
        self.server.stop(60)
        self.etcd.stop(60)

    def request(self, method, path, body=None, token=TOKEN, content="application/json"):
        """(status, body, warnings); as administrator, or as the owner of the token."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": content, "Accept": "application/json"}
        request = urllib.request.Request(self.url + path, None if body is None else json.dumps(body).encode(), headers, method=method)
        context = ssl.create_default_context(cafile=self.authority.ca)
        try:
            reply = urllib.request.urlopen(request, context=context, timeout=60)
        except urllib.error.HTTPError as refused:
            reply = refused
        with reply:
            text = reply.read().decode()
            return (reply.status, json.loads(text) if text.startswith("{") else text, reply.headers.get_all("Warning") or [])

    def create(self, path, body, **options):
        """The object that the server created."""
        status, made, _ = self.request("POST", path, body, **options)
        assert status in (200, 201), made
        return made

    def environment(self):
        """That of an administrator with kubectl in the path."""
        config = self.directory / "kubeconfig"
        config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "lab",
            "clusters": [{"name": "lab", "cluster": {"server": self.url, "certificate-authority": str(self.authority.ca)}}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}]}))
        return {**os.environ, "KUBECONFIG": str(config), "HOME": str(self.directory), "PATH": f"{BIN}:{os.environ['PATH']}"}

    def kubectl(self, *arguments, **options):
        """As administrator; the result is not checked."""
        return subprocess.run([BIN / "kubectl", *arguments], capture_output=True, text=True, timeout=120, env=self.environment(), **options)

    def shell(self, script, directory):
        """Commands of a page, as administrator."""
        run = subprocess.run(["sh", "-ec", script], cwd=directory, env=self.environment(), capture_output=True, text=True, timeout=120)
        assert run.returncode == 0, run.stdout + run.stderr

    def define(self, directory):
        """The CustomResourceDefinitions of a folder, as soon as their kinds are served."""
        made = self.kubectl("create", "-f", directory)
        assert made.returncode == 0, made.stderr
        served = self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        assert served.returncode == 0, served.stderr

    def token(self, namespace, account):
        """The token that the kubelet requests for a pod of this service account."""
        asked = self.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}})
        return asked["status"]["token"]
