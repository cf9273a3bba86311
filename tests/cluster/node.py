# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes cluster of one node, without a container engine: processes in mount, network, pid, uts and ipc namespaces of their own.

Its network has no uplink, its mounts vanish with it, and the end of its process 1 ends all of it. It shares with the machine the
kernel, the cgroups below /vcourier-test and the directory of its state."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pki
from lab.process import ROOT, wait_until

BIN = ROOT / "build/interop/bin"
CGROUP = "vcourier-test"  # also in init.py
HERE = Path(__file__).resolve().parent
POD_CIDR, SERVICE_CIDR, DNS_IP = "10.244.0.0/16", "10.96.0.0/16", "10.96.0.10"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl", "coredns",
            "kube-network-policies", "nats-server", "helm")
PACKAGES = {"containerd": "containerd", "runc": "runc", "/usr/lib/cni/ptp": "containernetworking-plugins", "iptables": "iptables",
            "nft": "nftables", "ip": "iproute2", "conntrack": "conntrack", "openssl": "openssl", "strip": "binutils"}

# ptp, not bridge: every packet between pods is routed, so that one hook of netfilter sees all of them.
CNI = {"cniVersion": "1.0.0", "name": "test", "plugins": [
    {"type": "ptp", "ipMasq": False, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]],
                                              "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}
# restrict_oom_score_adj: a sandbox asks for a lower score than its parent's, which needs CAP_SYS_RESOURCE.
CONTAINERD = """version = 2
root = "{state}/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "test.example.com/pause:1"
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/cni"
"""


def missing():
    """Why no node can run here, or None."""
    if os.geteuid() != 0:
        return "it needs root"
    if not Path("/sys/fs/cgroup/memory").is_dir() and not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return "no cgroups are mounted"
    if not os.access("/sys/fs/cgroup", os.W_OK) or subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "true"], check=False).returncode:
        return "namespaces or cgroups cannot be created"
    packages = sorted({package for program, package in PACKAGES.items() if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")})
    if packages:
        return f"these packages are not installed: {' '.join(packages)}"
    programs = [p for p in PROGRAMS if not (BIN / p).exists()]
    return f"not built, is Go's module proxy reachable?: {' '.join(programs)}" if programs else None


class Node:
    def __init__(self, state):
        self.state, self.process = Path(state), None

    def configure(self):
        for name in ("cni", "containerd", "kubelet", "log", "logs", "pv"):
            (self.state / name).mkdir(parents=True)
        (self.state / "etcd").mkdir(mode=0o700)
        pki.make(self.state / "pki")
        certificates = self.state / "pki"
        (self.state / "resolv.conf").write_text("")
        (self.state / "cni/10-ptp.conflist").write_text(json.dumps(CNI))
        (self.state / "containerd.toml").write_text(CONTAINERD.format(state=self.state))
        (self.state / "kubelet.yaml").write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "failCgroupV1": False, "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CGROUP}", "failSwapOn": False,
            "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                               "x509": {"clientCAFile": str(certificates / "ca.crt")}},
            "authorization": {"mode": "Webhook"}, "tlsCertFile": str(certificates / "kubelet.crt"),
            "tlsPrivateKeyFile": str(certificates / "kubelet.key"), "clusterDNS": [DNS_IP], "clusterDomain": "cluster.local",
            "resolvConf": str(self.state / "resolv.conf"), "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
            "evictionHard": {"memory.available": "200Mi", "nodefs.available": "1%", "imagefs.available": "1%"}}))

    def up(self, images):
        began = time.monotonic()
        self.configure()
        with open(self.state / "logs/init.log", "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--mount-proc", sys.executable, HERE / "init.py", self.state],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        wait_until(lambda: self.alive() and (self.state / "started").exists(), 240, self.problem)
        for image in images:
            self.run("ctr", "-n", "k8s.io", "images", "import", image)
        self.kubectl("apply", "-f", HERE / "cluster.yaml")
        self.make_volumes(5)
        self.kubectl("wait", "--for=condition=Ready", f"node/{pki.NODE}", "--timeout=180s")
        self.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=180s")
        return time.monotonic() - began

    def alive(self):
        assert self.process.poll() is None, self.problem()
        return True

    def problem(self):
        return "the node is up:\n" + "".join(f"{log.name}: {log.read_text(errors='replace')[-800:]}\n" for log in sorted((self.state / "logs").glob("*.log")))

    def make_volumes(self, number):
        """Local volumes for the default StorageClass."""
        hosts = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [pki.NODE]}]}]}
        volumes = []
        for i in range(number):
            path = self.state / "pv" / str(i)
            path.mkdir()
            volumes.append({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"local-{i}"}, "spec": {
                "capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"], "persistentVolumeReclaimPolicy": "Retain",
                "storageClassName": "local", "local": {"path": str(path)}, "nodeAffinity": {"required": hosts}}})
        self.kubectl("apply", "-f", "-", input="\n---\n".join(map(json.dumps, volumes)))

    def init(self):
        """The pid of the node's process 1 on this machine."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    def command(self, *arguments):
        return ["nsenter", "-t", str(self.init()), "-m", "-n", "-p", "-u", "-i", f"--wd={os.getcwd()}", "env", f"PATH={BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
                f"KUBECONFIG={self.state}/pki/admin.kubeconfig", "HOME=/root", *map(str, arguments)]

    def run(self, *arguments, **options):
        run = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=300, check=False, **options)
        assert run.returncode == 0, f"{arguments}: {run.stdout[-1000:]}{run.stderr[-3000:]}"
        return run.stdout

    def kubectl(self, *arguments, **options):
        return self.run("kubectl", *arguments, **options)

    def down(self):
        """Ends every process of the node: those of a pid namespace end with its process 1."""
        if self.process:
            try:
                os.kill(self.init(), signal.SIGKILL)
            except (IndexError, OSError):
                self.process.kill()
            self.process.wait()
        for controller in Path("/sys/fs/cgroup").glob(f"*/{CGROUP}"):
            wait_until(lambda: remove_cgroups(controller), 30, f"{controller} is empty")
        shutil.rmtree(self.state, ignore_errors=True)


def remove_cgroups(top):
    for directory, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass
    return not top.exists()
