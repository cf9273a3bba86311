# SPDX-License-Identifier: Apache-2.0
"""What runs in the appliance beside its configuration: the data disk, the screen, the support bundle, the units."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import tarfile
import termios
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OVERLAY = ROOT / "appliance/overlay"
sys.path.insert(0, str(ROOT / "appliance"))

from vcourier_appliance import disk, environment, machine, menu, screen, support  # noqa: E402
from vcourier_appliance.target import Target  # noqa: E402

from lab.process import free_port, wait_until
from lab.product import provider, router_config

BLANK = {"path": "/dev/sdb", "type": "disk", "size": 32 << 30, "ro": False, "fstype": None, "pttype": None, "mountpoints": [None]}
SYSTEM = {**BLANK, "path": "/dev/sda", "pttype": "gpt", "children": [{**BLANK, "path": "/dev/sda2", "type": "part", "fstype": "ext4", "mountpoints": ["/"]}]}
DISKS = [  # disks, signatures that wipefs finds, which one is formatted
    ([SYSTEM, BLANK], "", "/dev/sdb"), ([SYSTEM], "", None), ([SYSTEM, {**BLANK, "fstype": "xfs"}], "", None), ([SYSTEM, {**BLANK, "pttype": "dos"}], "", None),
    ([SYSTEM, {**BLANK, "ro": True}], "", None), ([SYSTEM, {**BLANK, "size": 1 << 29}], "", None), ([SYSTEM, {**BLANK, "type": "rom"}], "", None),
    ([SYSTEM, BLANK], "DEVICE OFFSET TYPE\nsdb 0x0 LVM2_member", None), ([SYSTEM, {**BLANK, "mountpoints": ["/mnt"]}], "", None),
]


@pytest.mark.parametrize("disks,signatures,chosen", DISKS, ids=range(len(DISKS)))
def test_only_a_blank_disk_is_formatted(monkeypatch, tmp_path, disks, signatures, chosen):
    calls = []

    def run(program, *argv, accept=(0,)):
        calls.append((program, *argv))
        return {"blkid": "", "lsblk": json.dumps({"blockdevices": disks}), "wipefs": signatures}.get(program, "")
    monkeypatch.setattr(disk, "run", run)
    monkeypatch.setattr(disk, "USED", tmp_path / "used")
    assert disk.find() == chosen
    assert [c[-1] for c in calls if c[0].startswith("mkfs")] == ([chosen] if chosen else [])
    calls.clear()
    disk.USED.write_text("")
    assert disk.find() is None and not [c for c in calls if c[0].startswith("mkfs")], "the disk that was used before is missing: no other takes its place"


def test_a_missing_data_disk_stops_the_store(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(disk, "find", lambda: None)
    monkeypatch.setattr(disk, "USED", tmp_path / "used")
    assert disk.main(None) == 0
    disk.USED.write_text("")
    assert disk.main(None) == 1 and "attach it" in capsys.readouterr().out
    drop_in = (OVERLAY / "usr/lib/systemd/system/vcourier-nats.service.d/10-appliance.conf").read_text()
    assert "Requires=vcourier-appliance-disk.service" in drop_in and "After=vcourier-appliance-disk.service" in drop_in


def test_a_directory_is_copied_to_the_disk_once(monkeypatch, tmp_path):
    monkeypatch.setattr(disk, "PLACE", tmp_path / "data")
    (tmp_path / "data/etc.new").mkdir(parents=True)
    (tmp_path / "data/etc.new/half").write_text("of a power cut")
    place = tmp_path / "etc"
    place.mkdir()
    (place / "file").write_text("of the image")
    plain, mounts = disk.run, []
    monkeypatch.setattr(disk, "run", lambda *argv, **more: mounts.append(argv) if argv[0] == "mount" else plain(*argv, **more))
    disk.attach("etc", place)
    assert [p.name for p in (tmp_path / "data/etc").iterdir()] == ["file"] and mounts == [("mount", "--bind", tmp_path / "data/etc", place)]
    (tmp_path / "data/etc/file").write_text("changed")
    disk.attach("etc", place)
    assert (tmp_path / "data/etc/file").read_text() == "changed"


def test_the_screen_fits(monkeypatch, tmp_path):
    """80 by 25, with hostile texts; without colours for /status."""
    hostile = "\033[2J\x9b2J\u202e\u2066" + "x" * 500
    running = [{"kind": "collector", "name": n, "unit": f"vcourier-collector@{n}.service", "port": 1} for n in ("vcenter", "webhook", "horizon")]
    files = {screen.INSTANCES: json.dumps(running), f"{screen.HOME}/messages": f"{hostile}\n" * 20, "/proc/uptime": "61.0 1\n"}
    monkeypatch.setattr(screen, "read", lambda path, default="": files.get(path, default))
    monkeypatch.setattr(screen, "states", lambda units: {u: {"ActiveState": "active", "StatusText": hostile} for u in units})
    monkeypatch.setattr(screen, "addresses", lambda: ["10.0.0.1", "2001:db8::1"])
    monkeypatch.setattr(screen, "store", lambda: "no answer")
    monkeypatch.setattr(screen, "metrics", lambda port: [("vcourier_collector_backlog_events", 1e9), ("vcourier_collector_lag_seconds", 1e9)])
    lines = list(screen.page(True))
    bare = [re.sub(r"\033\[[\d;]*m", "", line) for line in lines]
    assert len(lines) < screen.HEIGHT and max(map(len, bare)) <= screen.WIDTH and not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "".join(bare))
    assert "https://10.0.0.1/" in "".join(bare) and "collector@webhook" in "".join(bare)
    assert "\033" not in "".join(screen.page(False))


def test_the_screen_tells_the_lag(lab, monkeypatch, tmp_path):
    """Of a real collector and a real dispatcher, whose backend takes nothing: as many events as the stream has."""
    vc, bus, down = lab.vcenter("-backlog", "300"), lab.nats(), free_port()
    config = router_config(bus, lab.authority.ca, [provider(vc, startFrom="earliest")],
                           [{"name": "kn", "type": "knative", "knative": {"destination": {"uri": f"http://127.0.0.1:{down}/"}}}])
    running = [("collector", "lab", lab.collector(config)), ("dispatcher", "kn", lab.dispatcher(config))]
    instances = tmp_path / "instances.json"
    instances.write_text(json.dumps([{"kind": kind, "name": name, "unit": f"vcourier-{kind}@{name}.service", "port": daemon.port} for kind, name, daemon in running]))
    monkeypatch.setattr(screen, "INSTANCES", str(instances))
    monkeypatch.setattr(screen, "states", lambda units: {u: {"ActiveState": "active", "StatusText": "ready"} for u in units})

    def line(name):
        return next((line for line in screen.page(False) if name in line), "")

    def told(name):
        return re.search(r" +ready, (\d+) events, \d+ s behind$", line(name))
    stream = lab.jetstream(bus)
    wait_until(lambda: told("dispatcher@kn") and int(told("dispatcher@kn")[1]) == stream.info("VC_lab")["state"]["messages"] >= 300, 60, lambda: line("dispatcher@kn"))
    wait_until(lambda: re.search(r"collector@lab +ready, 0 events, 0 s behind$", line("collector@lab")), 60, lambda: line("collector@lab"))
    running[0][2].kill()
    assert re.search("collector@lab +ready$", line("collector@lab"))  # no answer


def test_the_menu_shows_what_is_typed(monkeypatch, tmp_path):
    """The screen itself shows no keys; after Enter the terminal is as before."""
    monkeypatch.setattr(screen, "STATUS", str(tmp_path))
    monkeypatch.setattr(screen, "page", lambda coloured: iter(["a line"]))
    child, terminal = pty.fork()
    if child == 0:
        sys.stdin, sys.stdout = open(0), open(1, "w")  # those of pytest are no terminals
        os._exit(screen.show())
    shown = b""
    while b"a line" not in shown:
        shown += os.read(terminal, 1000)
    assert not termios.tcgetattr(terminal)[3] & termios.ECHO
    os.write(terminal, b"\n")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == screen.MENU
    assert termios.tcgetattr(terminal)[3] & termios.ECHO
    os.close(terminal)


NOW = "[Match]\nType=ether\nKind=!*\n\n[Network]\nAddress=10.0.0.5/24\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\nGateway=10.0.0.1\nDNS=10.0.0.2\nDNS=10.0.0.3\nDomains=lab.example\n"
ANSWERS = [  # answers, what changes in the file (None: nothing is written), a text that is shown
    (["", "", "", "", "yes"], {}, "keeps the value"),
    (["10.0.0.6/24", "", "", "", "yes"], {"10.0.0.5/24": "10.0.0.6/24"}, "Address=10.0.0.6/24"),
    (["10.0.0.6/24", "", "", "", "no"], None, "Nothing was changed."),
    (["10.0.0.6", "", "", "", "yes"], {"10.0.0.5/24": "10.0.0.6/24"}, "netmask: is missing: /24 is assumed"),
    (["", "", "-", "-", "yes"], {"DNS=10.0.0.2\nDNS=10.0.0.3\nDomains=lab.example\n": ""}, "dns: is missing"),
    (["", "10.0.0.300", "", "", "no"], None, "gateway: '10.0.0.300' is no IPv4 address"),
    (["-", "", "", "yes"], {"Address=10.0.0.5/24\nLinkLocalAddressing=ipv6\nIPv6AcceptRA=no\nGateway=10.0.0.1": "DHCP=yes"}, "DHCP=yes"),
]


@pytest.mark.parametrize("answers,changes,shown", ANSWERS, ids=range(len(ANSWERS)))
def test_the_menu_changes_what_is_typed(monkeypatch, tmp_path, capsys, answers, changes, shown):
    """The settings so far are offered, the new ones are shown and confirmed."""
    link, calls, left = tmp_path / machine.LINK.lstrip("/"), [], [*answers]
    link.parent.mkdir(parents=True)
    link.write_text(NOW)
    monkeypatch.setattr(menu, "Target", lambda: Target(tmp_path))
    monkeypatch.setattr(menu.subprocess, "run", lambda argv, check: calls.append(argv[0:2]))
    monkeypatch.setattr("builtins.input", lambda prompt: left.pop(0))
    menu.network()
    wanted = NOW
    for old, new in (changes or {}).items():
        wanted = wanted.replace(old, new)
    assert link.read_text() == wanted and not left and shown in capsys.readouterr().out
    assert calls == ([] if changes is None else [["networkctl", "reload"], ["networkctl", "--no-pager"]])


def test_the_support_bundle_has_no_secret(monkeypatch, tmp_path):
    for path, text in {"etc/vcourier/secrets/collector@vcenter/vcenter": "p4ss w0rd", "etc/vcourier/secrets/functions/db/key": "line1-of-it\nline2-of-it\n",
                       "etc/vcourier/cli/password": "p4ss w0rd and more\n", "etc/vcourier/config.yaml": "proxy: http://u:pr0xy@h:1\nuser: x\n",
                       "etc/hosts": "p4ss w0rd and more, p4ss w0rd\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(support, "COMMANDS", {"journal": ("echo", "login with p4ss w0rd: line2-of-it"), "none": ("/no/such/program",)})
    archive = support.write(tmp_path, tmp_path)
    assert archive.stat().st_mode & 0o777 == 0o600
    with tarfile.open(archive) as tar:
        texts = {m.name: tar.extractfile(m).read().decode() for m in tar}
    assert texts["support/journal"] == "login with ***: ***\n" and texts["support/etc_hosts"] == "***, ***\n"
    assert texts["support/etc_vcourier_config.yaml"] == "proxy: http://***@h:1\nuser: x\n" and "No such file" in texts["support/none"]


class Vmtoolsd:
    """guestinfo of a virtual machine; it can forbid changes."""

    def __init__(self, given, allowed):
        self.text, self.allowed = environment.document(given), allowed

    def __call__(self, program, _, command):
        verb, _, text = command.split(" ", 2) if command.startswith("info-set") else (command, "", "")
        assert program == "vmtoolsd"
        if verb == "info-set" and self.allowed:
            self.text = text
        return "" if verb == "info-set" else self.text


def test_secrets_are_removed_from_guestinfo(monkeypatch):
    given = {"hostname": "h", "root_password": "s3cret", "custom_tls_private_key": "s3cret", "unknown_token": "s3cret"}
    tools = Vmtoolsd(given, True)
    monkeypatch.setattr(environment, "run", tools)
    assert environment.from_guestinfo() == given
    assert environment.remove_secrets(given) and "s3cret" not in tools.text and environment.from_guestinfo()["hostname"] == "h"
    monkeypatch.setattr(environment, "run", Vmtoolsd(given, False))
    assert not environment.remove_secrets(given)


def test_systemd_knows_the_units():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    units = sorted((OVERLAY / "usr/lib/systemd/system").glob("*"))
    units = [u for u in units if u.is_file()]
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units], capture_output=True, text=True)
    wrong = [line for line in run.stderr.splitlines() if re.search(r"Unknown|Failed to parse|Invalid|ignoring|cycle", line)]
    assert len(units) == 5 and wrong == []


def test_the_image_has_what_the_code_calls():
    """Programs by their package."""
    packages = set((ROOT / "appliance/packages.txt").read_text().split())
    assert {"openssl", "nginx", "nftables", "openssh-server", "open-vm-tools", "rsyslog", "unattended-upgrades", "nats-server", "python3", "podman", "e2fsprogs",
            "fdisk", "iproute2", "login", "linux-image-cloud-amd64"} <= packages
    for script in (ROOT / "appliance").glob("*.sh"):
        subprocess.run(["sh", "-n", script], check=True)
