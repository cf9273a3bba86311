# SPDX-License-Identifier: Apache-2.0
"""A Debian machine for tests: a new root in which the real systemd runs, in namespaces of its own.

It has the loopback network of the process that starts it, and no other. apt-get reaches its archive because `run(network=...)` can use
another network namespace. Needs root, debootstrap and cgroup v2 (also beside v1)."""
import os
import platform
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.process import ROOT, wait_until

PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates"
# What would change the kernel of the host, and what waits for hardware.
MASKED = ("systemd-sysctl.service", "systemd-modules-load.service", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
          "dev-hugepages.mount", "dev-mqueue.mount", "sys-fs-fuse-connections.mount", "systemd-remount-fs.service",
          "systemd-firstboot.service", "systemd-binfmt.service", "getty.target", "apt-daily.timer", "apt-daily-upgrade.timer")
BOOT = r"""
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
	touch "dev/$device"
	mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
# Not chroot: in a chroot the kernel refuses the user namespaces of PrivateUsers=. Shared mounts: otherwise the credentials that
# systemd mounts for a unit do not reach it.
mkdir -p run/host
pivot_root . run/host
cd /
exec env -i container=vcourier PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	sh -c 'umount -l /run/host && mount --make-rshared / && exec /lib/systemd/systemd --show-status=no'
"""


def release():
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def missing():
    """What this computer lacks for such a machine, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not shutil.which("debootstrap"):
        return "debootstrap is not installed"
    return None if cgroup2() else "no cgroup v2 file system"


def cgroup2():
    """Where the cgroup v2 hierarchy is mounted, or None."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next((Path(m[1]) for m in mounts if m[2] == "cgroup2"), None)


def kept():
    """The archive of a new root."""
    return ROOT / "build" / f"machine-{release()}.tar"


def prepare():
    """Makes the archive of a new root of this computer's release, where there is none."""
    if not kept().exists():
        archive(kept(), release(), PACKAGES)


def archive(file, suite, packages):
    """Makes the archive of a new root with debootstrap. Needs the network."""
    file.parent.mkdir(exist_ok=True)
    mirror = subprocess.check_output([ROOT / "tests/debian/mirror.sh"], text=True).split()
    with tempfile.TemporaryDirectory(prefix="vcourier-machine-", dir=file.parent) as root:
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={packages}", suite, root, *mirror],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["tar", "-C", root, "--exclude=./proc/*", "--exclude=./sys/*", "--exclude=./dev/*", "-cf",
                        file.with_suffix(".new"), "."], check=True)
    file.with_suffix(".new").rename(file)


class Machine:
    """path: an empty directory for its root. log: the file for systemd's own messages. root: another archive than `prepare` makes."""

    def __init__(self, path, log, root=None):
        self.path, self.log = Path(path), Path(log)
        subprocess.run(["tar", "-C", self.path, "-xf", root or kept()], check=True)
        self.path.chmod(0o755)
        for unit in MASKED:
            link = self.path / "etc/systemd/system" / unit
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")
        (self.path / "etc/machine-id").write_text("")
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        settings = subprocess.check_output([ROOT / "tests/debian/apt_settings.sh"], text=True)
        (self.path / "etc/apt/apt.conf.d/90machine").write_text(settings)
        self.group = cgroup2() / f"vcourier-machine-{os.getpid()}"
        self.process = None

    def boot(self):
        self.group.mkdir()

        def enter():
            (self.group / "cgroup.procs").write_text(str(os.getpid()))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--ipc", "--uts", "--cgroup", "--fork",
                 "--kill-child", "sh", "-c", BOOT, "boot", self.path], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=enter, start_new_session=True)
        wait_until(lambda: self.state() in ("running", "degraded"), 90, lambda: f"systemd is {self.state()}\n{self.log.read_text()}")
        return self

    def init(self):
        """The process id of systemd, seen from outside."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else None

    def state(self):
        if self.process.poll() is not None or self.init() is None:
            return "gone"
        done = self._enter(["systemctl", "is-system-running"], None)
        return done.stdout.strip() or done.stderr.strip()

    def _enter(self, command, network, timeout=600):
        target = str(self.init())
        net = [f"--net={network}"] if network else []
        return subprocess.run(["nsenter", "--target", target, "--mount", "--pid", "--ipc", "--uts", "--cgroup", *net, "--root",
                               f"--wd=/proc/{target}/root", "env", "-i", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                               "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "TERM=dumb", *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=timeout)

    def run(self, script, network=None, code=0):
        """Runs a shell script as root, in its home directory, as a user types it, and returns what it prints. Ends at the first
        command that fails. network: the network namespace, a file, of commands that need the archive."""
        done = self._enter(["sh", "-ec", f"cd /root\n{script}"], network)
        assert done.returncode == code, f"{script}\nexit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def journal(self, unit):
        return self._enter(["journalctl", "--no-pager", "--output=cat", "--unit", unit], None).stdout

    def pid(self, unit):
        """The unit's main process, as seen outside, or None."""
        inside = re.search(r"MainPID=(\d+)", self.run(f"systemctl show --property MainPID {unit}"))[1]
        for status in self.group.rglob("cgroup.procs"):
            for pid in status.read_text().split():
                text = Path(f"/proc/{pid}/status").read_text()
                if re.search(rf"^NSpid:.*\s{inside}$", text, re.M):
                    return int(pid)
        return None

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            wait_until(lambda: not any(p.read_text() for p in self.group.rglob("cgroup.procs")), 30)
            for group in sorted(self.group.rglob("*"), reverse=True):
                if group.is_dir():
                    group.rmdir()
            self.group.rmdir()
