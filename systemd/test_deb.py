#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_deb.py PACKAGE: installs the package in a minimal Debian root (debootstrap), sets it up according to docs/systemd.md, delivers
events with its programs under the users and credentials of the units, then removes and purges it."""
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from lab.pipeline import Pipeline  # noqa: E402
from lab.process import Process, free_port, wait_until  # noqa: E402
from lab.product import knative, provider, router_config  # noqa: E402
from lab.vcenter import PASSWORD  # noqa: E402

PROGRAMS = ("vcourier", "vcourier-collector", "vcourier-dispatcher")
NOBODY = "65534:65534"
CONFIG_ERROR = 78


class Minimal:
    """A minimal root of this machine's Debian release, because the package needs the libraries that it was built with."""

    def __init__(self, path):
        self.path = path
        release = platform.freedesktop_os_release()["VERSION_CODENAME"]
        base = ROOT / "build" / "base.tar"  # created by compose-test, for bookworm
        if release == "bookworm" and base.exists():
            subprocess.run(["tar", "-C", path, "-xf", base], check=True)
            subprocess.run(["mknod", "-m", "666", path / "dev/null", "c", "1", "3"], check=True)
        else:
            mirror = subprocess.check_output([ROOT / "tests/debian/mirror.sh"], text=True).split()
            subprocess.run(["debootstrap", "--variant=minbase", "--include=ca-certificates", release, path, *mirror],
                           check=True, stdout=subprocess.DEVNULL)
        path.chmod(0o755)
        subprocess.run(["mount", "-t", "proc", "proc", path / "proc"], check=True)

    def close(self):
        subprocess.run(["umount", self.path / "proc"], check=True)

    def run(self, *command, code=0):
        """Runs a command in the root and returns its standard output."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        done = subprocess.run(["chroot", self.path, *command], env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == code, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start_of(self, unit, instance):
        """The unit's ExecStart for an instance."""
        text = (self.path / "usr/lib/systemd/system" / unit).read_text()
        return re.search(r"^ExecStart=(.*)$", text, re.M)[1].replace("%I", instance).split()


def install(root, package):
    shutil.copy(package, root.path / "tmp/vcourier.deb")
    root.run("apt-get", "-qq", "update")
    root.run("apt-get", "-qq", "install", "-y", "--no-install-recommends", "/tmp/vcourier.deb")
    assert root.run("dpkg", "--audit") == ""
    for program in PROGRAMS:
        print(root.run(program, "--version").strip(), flush=True)
    root.run("getent", "group", "vcourier", "vcourier-bus")
    assert root.run("stat", "-c", "%a:%G", "/etc/vcourier").strip() == "750:vcourier"
    (root.path / "etc/vcourier/config.yaml").write_text("nonsense: 1\n")
    root.run("vcourier-collector", code=CONFIG_ERROR)
    root.run("apt-get", "-qq", "install", "-y", "--no-install-recommends", "nats-server", "python3-minimal")  # recommended


def set_up(root, lab, vcenter, sink, port):
    """The steps of docs/systemd.md, on another port."""
    etc = root.path / "etc/vcourier"
    names = ("--vcenter", "vc1", "--dispatcher", "kn")
    (etc / "nats/users.conf").write_text(root.run("vcourier-nats-users", *names))
    root.run("sh", "-c", f"cd /etc/vcourier/nats && vcourier-nats-users {' '.join(names)} --passwords secrets && "
             "cp /usr/share/vcourier/nats.conf . && chgrp -R vcourier-bus . && chmod 750 secrets && "
             "install -D -m 600 -t ../secrets/collector@vc1 secrets/collector-vc1 && "
             "install -D -m 600 -t ../secrets/dispatcher@kn secrets/dispatcher-kn")
    conf = etc / "nats/nats.conf"
    conf.write_text(conf.read_text().replace("127.0.0.1:4222", f"127.0.0.1:{port}").replace("http: 127.0.0.1:8222\n", ""))
    (etc / "secrets/collector@vc1/vcenter").write_text(PASSWORD)
    (etc / "ca.pem").write_bytes(lab.authority.ca.read_bytes())
    login = {"type": "basic_auth", "basicAuth": {"username": "administrator@vsphere.local", "passwordFile": "secrets_vcenter"}}
    (etc / "config.yaml").write_text(json.dumps(router_config(
        f"nats://127.0.0.1:{port}", "/etc/vcourier/ca.pem", [provider(vcenter, "vc1", startFrom="earliest", auth=login)],
        [knative(sink.url, "kn")]) | {"bus": {"urls": [f"nats://127.0.0.1:{port}"], "user": "${NATS_USER}",
                                              "passwordFile": "secrets_${NATS_USER}"}}))
    root.run("chgrp", "vcourier", "/etc/vcourier/config.yaml", "/etc/vcourier/ca.pem")
    root.run("chmod", "640", "/etc/vcourier/config.yaml", "/etc/vcourier/ca.pem")


def credentials(root, unit, instance):
    """The files that systemd creates for the unit's LoadCredential=secrets:DIRECTORY."""
    text = (root.path / "usr/lib/systemd/system" / unit).read_text()
    found = re.search(r"^LoadCredential=secrets:/(.*)$", text, re.M)
    if not found:
        return {}
    directory = root.path / "run/credentials" / unit.replace("@", f"@{instance}")
    directory.mkdir(parents=True)
    for secret in (root.path / found[1].replace("%i", instance)).iterdir():
        copy = directory / f"secrets_{secret.name}"
        shutil.copy(secret, copy)
        os.chown(copy, 65534, 65534)
        copy.chmod(0o400)
    os.chown(directory, 65534, 65534)
    return {"CREDENTIALS_DIRECTORY": f"/{directory.relative_to(root.path)}"}


def carry(root, lab):
    """Runs the units' command lines as an unprivileged user in the units' groups. Every event of a vCenter must reach a receiver."""
    vcenter, sink, port = lab.vcenter("-backlog", "200"), lab.receiver(), free_port()
    set_up(root, lab, vcenter, sink, port)
    store = root.path / "var/lib/vcourier-nats"
    store.mkdir()
    os.chown(store, 65534, 65534)
    for unit, instance, groups, user in (("vcourier-nats.service", "", "vcourier,vcourier-bus", ""),
                                         ("vcourier-collector@.service", "vc1", "vcourier", "collector-vc1"),
                                         ("vcourier-dispatcher@.service", "kn", "vcourier", "dispatcher-kn")):
        flags = ["--metrics", f"127.0.0.1:{free_port()}"] if user else []
        lab._keep(Process(unit, ["chroot", f"--userspec={NOBODY}", f"--groups={groups}", root.path,
                                 *root.start_of(unit, instance), *flags], lab.directory, {**credentials(root, unit, instance), "NATS_USER": user})).start()

    def events():  # plus the event of the collector's own login
        return sorted(f"{key}-{created}" for key, created in vcenter.events())
    wait_until(lambda: sorted(sink.ids()) == events(), 60, lambda: f"{len(events())} events in the vCenter, {len(sink.ids())} arrived")
    print(f"{len(sink.ids())} events carried", flush=True)


def remove(root):
    root.run("dpkg", "--remove", "vcourier")
    assert (root.path / "etc/vcourier/config.yaml").exists()
    root.run("dpkg", "--purge", "vcourier")
    assert not (root.path / "etc/vcourier").exists() and not (root.path / "usr/bin/vcourier").exists()


def main():
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        print("deb-test: SKIPPED: needs root and debootstrap", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "root").mkdir()
        root = Minimal(Path(scratch) / "root")
        lab = Pipeline(Path(scratch))
        try:
            install(root, sys.argv[1])
            try:
                carry(root, lab)
            except AssertionError:
                lab.show_logs()
                raise
            finally:
                lab.close()
            remove(root)
        finally:
            root.close()
    print("deb-test: passed")


if __name__ == "__main__":
    main()
