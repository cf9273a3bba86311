#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""systemd.py: the commands of docs/systemd.md, in order, on a new Debian machine with systemd (make deb-test).

Everything runs in a network namespace with the loopback interface alone, where the ports of the units are free. apt-get runs in the
network of the caller."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).resolve().parent)]
import machine  # noqa: E402
import namespace  # noqa: E402
import page  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import wait_until  # noqa: E402
from lab.product import knative, provider, router_config  # noqa: E402
from lab.vcenter import PASSWORD  # noqa: E402

PAGE = "docs/systemd.md"
UNITS = ("vcourier-nats", "vcourier-collector@vc1", "vcourier-dispatcher@kn")
CONFIG_ERROR, NOT_PERMITTED = 78, 77


def told(text):
    print(f"deb-test: {text}", flush=True)


def install(debian, network):
    """The package is made in the checkout and installed on the machine, where the checkout is visible in part."""
    build, into = page.block(PAGE, "Run with systemd", 1), page.block(PAGE, "Run with systemd", 2)
    subprocess.run(["sh", "-ec", build.text], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (debian.path / "root/build").mkdir()
    for package in (ROOT / "build").glob("vcourier_*.deb"):
        shutil.copy(package, debian.path / "root/build")
    debian.run("apt-get -qq update", network)
    debian.run(into.text.replace("apt install", "apt-get -qq install -y --no-install-recommends"), network)
    debian.run("apt-get -qq install -y --no-install-recommends python3-minimal", network)  # recommended by the package
    assert debian.run("dpkg --audit") == ""
    told(debian.run("for p in vcourier vcourier-collector vcourier-dispatcher; do $p --version; done").strip().replace("\n", ", "))
    (debian.path / "etc/vcourier/config.yaml").write_text("nonsense: 1\n")
    debian.run("vcourier-collector", code=CONFIG_ERROR)


def user_files(debian, lab, vcenter, sink):
    """What the user of the page has: the old router's file with the block of the page, and vCenter's password."""
    home = debian.path / "root"
    (home / "vcenter-password").write_text(PASSWORD)
    shutil.copy(lab.authority.ca, debian.path / "usr/local/share/ca-certificates/lab.crt")
    debian.run("update-ca-certificates 2>&1")
    login = {"type": "basic_auth", "basicAuth": {"username": "administrator@vsphere.local", "passwordFile": "secrets_vcenter"}}
    config = router_config("unused", None, [provider(vcenter, "vc1", startFrom="earliest", auth=login)], [knative(sink.url, "kn")])
    del config["bus"]
    (home / "config.yaml").write_text(json.dumps(config)[:-1] + ",\n" + as_json_member(page.block(PAGE, "Configuration and secrets")))


def as_json_member(block):
    """The page's `bus:` block, as the last member of the JSON document that the rest of the configuration is."""
    urls, user, password = (re.search(rf"^\s*{key}: ([^#\n]*?)\s*(#.*)?$", block.text, re.M)[1] for key in ("urls", "user", "passwordFile"))
    return f'"bus": {{"urls": ["{urls.strip("[]")}"], "user": "{user}", "passwordFile": "{password}"}}}}\n'


def arrived(vcenter, sink):
    def events():
        return sorted(f"{key}-{created}" for key, created in vcenter.events())
    wait_until(lambda: sorted(set(sink.ids())) == events(), 90,
               lambda: f"{len(events())} events in the vCenter, {len(set(sink.ids()))} arrived")
    return len(events())


def states(debian):
    """What `systemctl status` shows of the two programs."""
    return [debian.run(f"systemctl show --property StatusText --value {unit}").strip() for unit in UNITS[1:]]


def operator(debian):
    """vcourier without options: root and members of the group may, others are told why not, the daemons do not see the password."""
    debian.run("useradd --create-home --groups vcourier member && useradd --create-home stranger")
    for command in ("vcourier status", "su member -c 'vcourier status'", "su member -c 'vcourier dead ls'"):
        shown = debian.run(command)
        assert "status" not in command or all(word in shown for word in ("VC_vc1", "vc1", "kn", "reading")), shown
    refused = debian.run("su stranger -c 'vcourier status' 2>&1", code=NOT_PERMITTED)
    assert "/etc/vcourier/cli.yaml: Permission denied" in refused and "group vcourier" in refused, refused
    for unit in UNITS:
        seen = debian.run(f"nsenter --mount --target $(systemctl show --property MainPID --value {unit}) ls -A /etc/vcourier/cli 2>&1 || true")
        assert "password" not in seen, f"{unit} sees the operator's password: {seen}"
    warnings = debian.run("journalctl -p warning -o cat -u vcourier-collector@vc1")
    assert all("level=warn" in line or "level=error" in line for line in warnings.splitlines() if line.startswith("ts=")), warnings
    told("vcourier status works for root and the group vcourier")


def console(debian):
    """The page answers a login, and shows the pipeline to a user who is in the file."""
    (debian.path / "root/olga-password").write_text(PASSWORD)
    debian.run(page.block(PAGE, "Run with systemd", 4).text)
    assert debian.run("systemctl is-active vcourier-console").strip() == "active", debian.journal("vcourier-console")[-2000:]
    reply = debian.run("bash -c 'exec 3<>/dev/tcp/127.0.0.1/8090; printf \"GET / HTTP/1.0\\r\\nHost: 127.0.0.1:8090\\r\\n\\r\\n\" >&3; head -1 <&3'")
    assert " 200 " in reply, reply
    told("the console runs")


def faults(debian, lab, vcenter, sink):
    """Each unit is killed, then restarted in order; then a password changes. Every event arrives."""
    for unit in UNITS:
        before = debian.run(f"systemctl show --property MainPID {unit}")
        debian.run(f"systemctl kill --signal KILL {unit}")
        vcenter.burst(100)
        wait_until(lambda: debian.run(f"systemctl show --property MainPID,ActiveState {unit}").splitlines()[-1:] == ["ActiveState=active"]
                   and debian.run(f"systemctl show --property MainPID {unit}") != before, 60, f"{unit} active again")
        told(f"{unit} killed: {arrived(vcenter, sink)} events arrived")
    vcenter.burst(100)
    debian.run("systemctl restart " + " ".join(UNITS))
    told(f"all units restarted: {arrived(vcenter, sink)} events arrived")
    debian.run("vcourier-nats-users --vcenter vc1 --dispatcher kn > /etc/vcourier/nats/users.conf")
    debian.run("systemctl reload vcourier-nats vcourier-collector@vc1 vcourier-dispatcher@kn")
    vcenter.burst(100)
    told(f"all units reloaded: {arrived(vcenter, sink)} events arrived")


def walk(debian, network):
    with tempfile.TemporaryDirectory() as scratch:
        lab = Lab(Path(scratch))
        try:
            install(debian, network)
            vcenter, sink = lab.vcenter("-backlog", "200"), lab.receiver()
            user_files(debian, lab, vcenter, sink)
            debian.run(page.block(PAGE, "Run with systemd", 3).text)
            told(f"{arrived(vcenter, sink)} events arrived")
            for unit in UNITS:
                assert debian.run(f"systemctl is-active {unit}").strip() == "active"
            wait_until(lambda: all("ready" in text for text in states(debian)), 30, lambda: f"states: {states(debian)}")
            operator(debian)
            console(debian)
            faults(debian, lab, vcenter, sink)
            remove(debian)
        except AssertionError:
            lab.show_logs()
            for unit in UNITS:
                print(f"---- {unit}\n{debian.journal(unit)[-4000:]}")
            print(f"---- systemd\n{debian.log.read_text(errors='replace')[-6000:]}")
            raise
        finally:
            lab.close()


def remove(debian):
    debian.run("dpkg --remove vcourier 2>&1")
    for unit in UNITS:
        assert debian.run(f"systemctl is-active {unit} || true").strip() != "active", f"{unit} runs after the package was removed"
    assert (debian.path / "etc/vcourier/config.yaml").exists()
    debian.run("dpkg --purge vcourier 2>&1")
    assert not (debian.path / "etc/vcourier").exists() and not (debian.path / "usr/bin/vcourier").exists()
    told("removed and purged")


def inside(network):
    """Runs in its own network namespace."""
    namespace.loopback_up()
    with tempfile.TemporaryDirectory(prefix="vcourier-machine-", dir=ROOT / "build") as directory:
        (Path(directory) / "root").mkdir()
        debian = machine.Machine(Path(directory) / "root", Path(directory) / "systemd.log")
        try:
            debian.boot()
            walk(debian, network)
        finally:
            debian.close()
    told("passed")


def main():
    if reason := machine.missing():
        told(f"SKIPPED: {reason}")
        return 77
    if len(sys.argv) > 1:
        inside(sys.argv[1])
        return 0
    machine.prepare()
    return subprocess.run(["unshare", "--net", sys.executable, __file__, f"/proc/{os.getpid()}/ns/net"]).returncode


if __name__ == "__main__":
    sys.exit(main())
