#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""init.py STATE: process 1 of the node. It prepares the namespaces, starts the components, and starts again those that end, as systemd would."""
import os
import subprocess
import sys
import time
from pathlib import Path

from pki import NODE, NODE_IP

HERE = Path(__file__).resolve().parent
BIN = HERE.parents[1] / "build/interop/bin"
CGROUP = "vcourier-test"
POD_CIDR, SERVICE_CIDR = "10.244.0.0/16", "10.96.0.0/16"
# Kernel settings that the kubelet would change for the whole machine. It finds them with the values that it wants.
SYSCTLS = {"vm/overcommit_memory": 1, "vm/panic_on_oom": 0, "kernel/panic": 10, "kernel/panic_on_oops": 1,
           "kernel/keys/root_maxkeys": 1000000, "kernel/keys/root_maxbytes": 25000000}


def sh(command):
    subprocess.run(command, shell=True, check=True)


def prepare(state):
    sh(f"""mount --make-rshared / && mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p /run/lock /run/netns /run/secrets /var/lib/cni /var/lib/kubelet
        mount -t tmpfs -o mode=700 tmpfs /var/lib/cni  # the addresses of pods: those of earlier nodes would stay taken
        mount --bind {state}/log /var/log
        hostname {NODE} && ip link set lo up
        ip link add node0 type veth peer name node1 && ip addr add {NODE_IP}/24 dev node0 && ip link set node0 up && ip link set node1 up
        ip route add default via 10.66.0.254 dev node0
        sysctl -qw net.ipv4.ip_forward=1""")  # the default route is for what goes to addresses of Services
    for name, value in SYSCTLS.items():
        file = Path("/run") / name.replace("/", "-")
        file.write_text(f"{value}\n")
        sh(f"mount --bind {file} /proc/sys/{name}")
    for controller in ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd"):
        top = Path("/sys/fs/cgroup") / controller
        if top.is_dir():  # cgroup v1
            (top / CGROUP).mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems"):
        top = Path("/sys/fs/cgroup/cpuset")
        if top.is_dir():
            (top / CGROUP / name).write_text((top / name).read_text())


def policies(certificates):
    """NetworkPolicy is enforced by sigs.k8s.io/kube-network-policies. It gets the packets through iptables: its own rules need an nft
    expression that not every kernel has. Replies pass, and so does what root's processes on the node send, as the kubelet's probes."""
    sh(f"""mkdir -p /run/secrets/kubernetes.io/serviceaccount && cd /run/secrets/kubernetes.io/serviceaccount
        cp {certificates}/ca.crt . && printf token-admin > token
        iptables -t mangle -A POSTROUTING -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        iptables -t mangle -A POSTROUTING -m owner --uid-owner 0 -j ACCEPT
        iptables -t mangle -A POSTROUTING -s {POD_CIDR} -j NFQUEUE --queue-num 98
        iptables -t mangle -A POSTROUTING -d {POD_CIDR} -j NFQUEUE --queue-num 98""")
    os.environ.update(KUBERNETES_SERVICE_HOST=NODE_IP, KUBERNETES_SERVICE_PORT="6443")


def storage(state):
    return {
        "containerd": ["containerd", "--config", f"{state}/containerd.toml"],
        "etcd": ["etcd", "--name", "test", "--data-dir", f"{state}/etcd", "--unsafe-no-fsync", "--log-level", "warn",
                 "--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379",
                 "--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380",
                 "--initial-cluster", "test=http://127.0.0.1:2380"],
    }


def api_server(state, c):
    return ["kube-apiserver", "--etcd-servers", "http://127.0.0.1:2379", "--bind-address", "0.0.0.0", "--advertise-address", NODE_IP,
            "--tls-cert-file", f"{c}/apiserver.crt", "--tls-private-key-file", f"{c}/apiserver.key", "--cert-dir", state,
            "--client-ca-file", f"{c}/ca.crt", "--token-auth-file", f"{c}/tokens.csv", "--authorization-mode", "Node,RBAC",
            "--enable-admission-plugins", "NodeRestriction", "--service-account-key-file", f"{c}/sa.key",
            "--service-account-signing-key-file", f"{c}/sa.key", "--service-account-issuer", "https://kubernetes.default.svc.cluster.local",
            "--service-cluster-ip-range", SERVICE_CIDR, "--allow-privileged=true", "--kubelet-preferred-address-types", "InternalIP",
            "--kubelet-client-certificate", f"{c}/kubelet-client.crt", "--kubelet-client-key", f"{c}/kubelet-client.key",
            "--kubelet-certificate-authority", f"{c}/ca.crt", "--requestheader-client-ca-file", f"{c}/front-ca.crt",
            "--requestheader-allowed-names", "front-proxy-client", "--requestheader-extra-headers-prefix", "X-Remote-Extra-",
            "--requestheader-group-headers", "X-Remote-Group", "--requestheader-username-headers", "X-Remote-User",
            "--proxy-client-cert-file", f"{c}/front-proxy.crt", "--proxy-client-key-file", f"{c}/front-proxy.key"]


def components(state, c):
    return {
        "kube-controller-manager": [
            "kube-controller-manager", "--kubeconfig", f"{c}/controllers.kubeconfig", "--authentication-kubeconfig", f"{c}/controllers.kubeconfig",
            "--authorization-kubeconfig", f"{c}/controllers.kubeconfig", "--leader-elect=false", "--use-service-account-credentials",
            "--service-account-private-key-file", f"{c}/sa.key", "--root-ca-file", f"{c}/ca.crt", "--allocate-node-cidrs",
            "--cluster-cidr", POD_CIDR, "--service-cluster-ip-range", SERVICE_CIDR, "--bind-address", "127.0.0.1",
            "--horizontal-pod-autoscaler-downscale-stabilization", "30s"],  # the default is 5 minutes
        "kube-scheduler": [
            "kube-scheduler", "--kubeconfig", f"{c}/scheduler.kubeconfig", "--authentication-kubeconfig", f"{c}/scheduler.kubeconfig",
            "--authorization-kubeconfig", f"{c}/scheduler.kubeconfig", "--leader-elect=false", "--bind-address", "127.0.0.1"],
        "kubelet": ["kubelet", "--kubeconfig", f"{c}/kubelet.kubeconfig", "--config", f"{state}/kubelet.yaml", "--root-dir", f"{state}/kubelet",
                    "--hostname-override", NODE, "--node-ip", NODE_IP],
        "kube-proxy": ["kube-proxy", "--kubeconfig", f"{c}/proxy.kubeconfig", "--proxy-mode", "nftables", "--hostname-override", NODE,
                       "--cluster-cidr", POD_CIDR, "--conntrack-max-per-core", "0", "--conntrack-tcp-timeout-established", "0",
                       "--conntrack-tcp-timeout-close-wait", "0"],
        "kube-network-policies": ["kube-network-policies", f"--hostname-override={NODE}", "--nfqueue-id=98", "--netfilter-bug-1766-fix=false",
                                  "--metrics-bind-address", "127.0.0.1:9080"],
    }


class Components:
    def __init__(self, state):
        self.state, self.running = state, {}

    def start(self, name, command):
        with open(f"{self.state}/logs/{name}.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        Path(f"{self.state}/{name}.pid").write_text(str(process.pid))
        self.running[process.pid] = (name, command)

    def reap(self):
        """Starts a component that ended; the other children are orphans of containers."""
        while True:
            pid, _ = os.wait()
            if pid in self.running:
                time.sleep(1)
                self.start(*self.running.pop(pid))


def main():
    state = sys.argv[1]
    certificates = f"{state}/pki"
    os.environ.update(PATH=f"{BIN}:/usr/sbin:/usr/bin:/sbin:/bin", HOME="/root", KUBECONFIG=f"{certificates}/admin.kubeconfig")
    prepare(state)
    run = Components(state)
    for name, command in storage(state).items():
        run.start(name, command)
    run.start("kube-apiserver", api_server(state, certificates))
    while subprocess.run(["kubectl", "get", "--raw", "/readyz"], capture_output=True, check=False).returncode:
        time.sleep(0.5)
    policies(certificates)
    for name, command in components(state, certificates).items():
        run.start(name, command)
    Path(f"{state}/started").touch()
    run.reap()


if __name__ == "__main__":
    main()
