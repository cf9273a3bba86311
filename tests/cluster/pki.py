# SPDX-License-Identifier: Apache-2.0
"""Certificates, tokens and kubeconfigs of the node's components, by openssl."""
import json
import subprocess

NODE, NODE_IP, API_IP = "node1", "10.66.0.1", "10.96.0.1"
# user: groups. Static tokens of kube-apiserver; the names are those that its default roles are bound to.
USERS = {"admin": ("admin", "system:masters"), "controllers": ("system:kube-controller-manager", ""),
         "scheduler": ("system:kube-scheduler", ""), "proxy": ("system:kube-proxy", ""), "kubelet": (f"system:node:{NODE}", "system:nodes")}


def openssl(directory, *arguments):
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def authority(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN=cluster-test-{name}", "-keyout", f"{name}.key", "-out", f"{name}.crt")


def certificate(directory, name, ca, subject, names, usage):
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    (directory / f"{name}.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage={usage}\n")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.crt", "-CAkey", f"{ca}.key", "-CAcreateserial",
            "-days", "30", "-extfile", f"{name}.ext", "-out", f"{name}.crt")


def make(directory):
    directory.mkdir(mode=0o700)
    for ca in ("ca", "front-ca"):
        authority(directory, ca)
    services = ",".join(f"DNS:kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", ".default.svc.cluster.local"))
    certificate(directory, "apiserver", "ca", "/CN=kube-apiserver", f"{services},IP:{API_IP},IP:{NODE_IP},IP:127.0.0.1", "serverAuth")
    certificate(directory, "kubelet", "ca", f"/O=system:nodes/CN=system:node:{NODE}", f"DNS:{NODE},IP:{NODE_IP}", "serverAuth")
    certificate(directory, "kubelet-client", "ca", "/O=system:masters/CN=kubelet-client", "DNS:kubelet-client", "clientAuth")
    certificate(directory, "front-proxy", "front-ca", "/CN=front-proxy-client", "DNS:front-proxy-client", "clientAuth")
    openssl(directory, "genrsa", "-out", "sa.key", "2048")
    (directory / "tokens.csv").write_text("".join(f'token-{key},{user},{key},"{groups}"\n' for key, (user, groups) in USERS.items()))
    for key in USERS:
        (directory / f"{key}.kubeconfig").write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": [{"name": "test", "cluster": {"server": f"https://{NODE_IP}:6443", "certificate-authority": str(directory / "ca.crt")}}],
            "users": [{"name": "me", "user": {"token": f"token-{key}"}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "me"}}]}))
