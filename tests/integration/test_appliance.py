# SPDX-License-Identifier: Apache-2.0
"""`vcourier-appliance configure` against a root directory of its own: each property, values that are wrong, files and their modes."""
import argparse
import base64
import contextlib
import grp
import io
import json
import os
import re
import shutil
import ssl
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
import yaml

from lab.process import Process, free_port, wait_until
from lab.receiver import Answer

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
sys.path[:0] = [str(ROOT / "appliance"), str(ROOT / "tests/pages")]

import page  # noqa: E402
from vcourier_appliance import backends, commands, courier, environment as environment_module, front, machine, properties  # noqa: E402
from vcourier_appliance.target import Target  # noqa: E402

VCENTER = {"vcenter_server": "vc1.example.com", "vcenter_username": r"CORP\tony", "vcenter_password": "pw of vcenter", "root_password": "pw of root"}
FIXED = {"hostname": "courier1", "domain": "lab.example", "ipaddress": "10.0.2.15", "netmask": "24 (255.255.255.0)", "gateway": "10.0.2.2", "dns": "10.0.2.3"}
GROUPS = {"shadow": 42, "www-data": 33, "vcourier": 7101, "vcourier-bus": 7102}


PATH = "{}:/usr/sbin:/usr/bin:/sbin:/bin"


class Appliance:
    def __init__(self, directory):
        self.directory, self.root, self.programs = directory, directory / "root", directory / "bin"
        for path in ("etc/ssh", "usr/share/vcourier", "var/lib", "root"):
            (self.root / path).mkdir(parents=True)
        (self.root / "etc/passwd").write_text("root:x:0:0::/root:/bin/bash\n")
        (self.root / "etc/group").write_text("root:x:0:\n" + "".join(f"{g}:x:{n}:\n" for g, n in GROUPS.items()))
        (self.root / "etc/shadow").write_text("root:*:20000:0:99999:7:::\ndaemon:*:20000:0:99999:7:::\n")
        shutil.copy(ROOT / "systemd/nats.conf", self.root / "usr/share/vcourier/nats.conf")
        self.programs.mkdir()
        (self.programs / "vcourier-nats-users").symlink_to(ROOT / "compose/nats/users.py")
        (self.programs / "vcourier-console").symlink_to(BUILD / "vcourier-console")

    def run(self, text, name="ovf-env.xml"):
        file = self.directory / name
        file.write_text(text) if isinstance(text, str) else file.write_bytes(text)
        return subprocess.run([ROOT / "appliance/vcourier-appliance", "configure", "--root", self.root, file], capture_output=True, text=True,
                              env={**os.environ, "PATH": PATH.format(self.programs)})

    def configure(self, **given):
        """Returns the messages."""
        file = self.directory / "ovf-env.xml"
        file.write_text(environment(given))
        out, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            patch.setenv("PATH", PATH.format(self.programs))
            assert commands.configure(argparse.Namespace(file=file, root=self.root, first_boot=False)) == 0
        assert self.text("etc/vcourier-appliance/messages") == errors.getvalue()
        return errors.getvalue()

    def path(self, path):
        return self.root / path

    def text(self, path):
        return self.path(path).read_text()

    def config(self):
        return yaml.safe_load(self.text("etc/vcourier/config.yaml"))

    def enabled(self):
        return {p.name for p in self.path("etc/systemd/system/multi-user.target.wants").iterdir()}

    def files(self):
        """{path: (kind and mode, owner, group, content, time)} of everything."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            state = path.lstat()
            content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            found[str(path.relative_to(self.root))] = (state.st_mode, state.st_uid, state.st_gid, content, state.st_mtime_ns)
        return found


def environment(given):
    def attribute(text):
        return quoteattr(text, {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
    lines = "".join(f"<Property oe:key={attribute('guestinfo.' + key)} oe:value={attribute(value)}/>" for key, value in given.items())
    return ('<?xml version="1.0" encoding="UTF-8"?>\n<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" '
            f'xmlns:oe="http://schemas.dmtf.org/ovf/environment/1" oe:id=""><PropertySection>{lines}</PropertySection></Environment>\n')


@pytest.fixture
def appliance(tmp_path):
    return Appliance(tmp_path)


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A certificate and its key, PEM."""
    place = tmp_path_factory.mktemp("pair")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", place / "key", "-out", place / "cert", "-subj", "/CN=given",
                    "-days", "30"], check=True, capture_output=True)
    return (place / "cert").read_text(), (place / "key").read_text()


def checked(appliance):
    """`vcourier check` of the configuration, whose paths are below the root directory."""
    text = appliance.text("etc/vcourier/config.yaml").replace("/etc/vcourier", str(appliance.path("etc/vcourier")))
    file = appliance.directory / "check.yaml"
    file.write_text(text)
    done = subprocess.run([BUILD / "vcourier", "check", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return yaml.safe_load(text)


def test_a_vcenter_and_a_fixed_address(appliance):
    told = appliance.configure(**FIXED, **VCENTER, endpoint_password="e", console_password="c")
    assert told == ""
    network = appliance.text("etc/systemd/network/10-appliance.network")
    assert {"Address=10.0.2.15/24", "Gateway=10.0.2.2", "DNS=10.0.2.3", "Domains=lab.example"} <= set(network.splitlines()) and "DHCP" not in network
    assert appliance.text("etc/hostname") == "courier1.lab.example\n" and "127.0.1.1 courier1.lab.example courier1\n" in appliance.text("etc/hosts")
    config = checked(appliance)
    assert config["eventProviders"] == [{"type": "vcenter", "name": "vcenter", "vcenter": {
        "address": "https://vc1.example.com/sdk", "startFrom": "now", "insecureSSL": False,
        "auth": {"type": "basic_auth", "basicAuth": {"username": r"CORP\tony", "passwordFile": "secrets_vcenter"}}}}]
    assert [p["type"] for p in config["eventProcessors"]] == ["functions"]
    assert appliance.text("etc/vcourier/secrets/collector@vcenter/vcenter") == "pw of vcenter"
    assert {"vcourier-nats.service", "vcourier-collector@vcenter.service", "vcourier-dispatcher@functions.service", "vcourier-console.service",
            "nginx.service", "nftables.service"} == appliance.enabled()
    wants = appliance.path("etc/systemd/system/multi-user.target.wants")
    assert os.readlink(wants / "vcourier-collector@vcenter.service") == "/usr/lib/systemd/system/vcourier-collector@.service"
    assert re.search(r"jetstream \{\n  store_dir: \S+\n  max_file_store: \d+\n  sync_interval: always\n\}", appliance.text("etc/vcourier/nats/nats.conf"))


def test_secrets_have_their_modes_and_are_nowhere_else(appliance, pair):
    secrets = {"root_password": "s3cret-root", "vcenter_password": "s3cret-vcenter", "endpoint_password": "s3cret-end", "console_password": "s3cret-con",
               "webhook_password": "s3cret-hook", "aws_eb_access_secret": "s3cret-aws", "horizon_password": "s3cret-horizon"}
    done = appliance.run(environment({**FIXED, **VCENTER, **secrets, "webhook": "True", "webhook_username": "hook", "event_processor_type": "AWS EventBridge",
                                      "aws_eb_region": "eu-west-1", "aws_eb_access_key": "AKIA", "custom_tls_ca_cert": pair[0],
                                      "custom_tls_private_key": pair[1]}))
    assert done.returncode == 0 and "s3cret" not in done.stdout + done.stderr
    homes = {path: content for path, (mode, _, _, content, _) in appliance.files().items() if stat.S_ISREG(mode) and b"s3cret" in content}
    assert homes == {"etc/vcourier/secrets/collector@vcenter/vcenter": b"s3cret-vcenter", "etc/vcourier/secrets/collector@webhook/webhook": b"s3cret-hook",
                     "etc/vcourier/secrets/dispatcher@eventbridge/aws": b"s3cret-aws"}
    expected = {  # path: (mode, group)
        **{path: (0o600, "root") for path in homes}, "etc/vcourier/secrets": (0o700, "root"), "etc/vcourier/secrets/collector@vcenter": (0o700, "root"),
        "etc/vcourier/secrets/collector@vcenter/collector-vcenter": (0o600, "root"), "etc/vcourier/secrets/console/nats-operator": (0o600, "root"),
        "etc/vcourier": (0o750, "vcourier"), "etc/vcourier/config.yaml": (0o640, "vcourier"), "etc/vcourier/cli/password": (0o640, "vcourier"),
        "etc/vcourier/nats/secrets": (0o750, "vcourier-bus"), "etc/vcourier/nats/users.conf": (0o640, "vcourier-bus"),
        "etc/vcourier/console.users": (0o640, "vcourier"), "etc/shadow": (0o640, "shadow"), "etc/vcourier-appliance/htpasswd": (0o640, "www-data"),
        "etc/vcourier-appliance/tls/key.pem": (0o600, "root"), "etc/vcourier-appliance/tls/cert.pem": (0o644, "root"),
        "var/lib/vcourier-appliance/passwords.json": (0o600, "root"), "etc/default/vcourier": (0o640, "root")}
    for path, (mode, group) in expected.items():
        state = appliance.path(path).stat()
        assert stat.S_IMODE(state.st_mode) == mode, path
        if os.geteuid() == 0:
            assert (state.st_uid, state.st_gid) == (0, GROUPS.get(group, 0)), path


def test_a_second_run_changes_nothing(appliance, pair):
    given = {**FIXED, **VCENTER, "endpoint_password": "e", "console_password": "c", "webhook": "True", "webhook_username": "u", "webhook_password": "p",
             "syslog_server_hostname": "log.example", "ntp": "ntp.example", "vcenter_ca": pair[0]}
    appliance.configure(**given)
    before = appliance.files()
    done = appliance.run(environment(given))
    assert done.returncode == 0 and done.stdout == ""
    assert appliance.files() == before


def test_a_run_without_the_secrets_keeps_them(appliance, pair):
    """guestinfo has no secrets any more after the first boot."""
    given = {**FIXED, **VCENTER, "endpoint_password": "e", "console_password": "c", "custom_tls_ca_cert": pair[0], "custom_tls_private_key": pair[1]}
    appliance.configure(**given)
    before = appliance.files()
    told = appliance.configure(**{key: "" if properties.is_secret(key) else value for key, value in given.items()})
    assert told == "" and appliance.files() == before


def test_another_password_replaces_the_old_one(appliance):
    appliance.configure(**FIXED, **VCENTER, endpoint_password="e", console_password="c")
    before = appliance.files()
    appliance.configure(**FIXED, **{**VCENTER, "root_password": "other", "vcenter_password": "other"}, endpoint_password="e", console_password="d")
    after = appliance.files()
    assert {path for path in after if after[path][3] != before.get(path, [b""] * 5)[3]} == {
        "etc/shadow", "etc/vcourier/secrets/collector@vcenter/vcenter", "etc/vcourier/console.users", "var/lib/vcourier-appliance/passwords.json"}


def test_the_passwords_are_the_given_ones(appliance):
    """Compared by the programs that read them: crypt(3) for shadow and nginx."""
    appliance.configure(**FIXED, **{**VCENTER, "root_password": "pä$s 'w\"ord\\"}, endpoint_username="olga", endpoint_password="$1 `id`")
    for line, password in ((appliance.text("etc/shadow").splitlines()[0], "pä$s 'w\"ord\\"), (appliance.text("etc/vcourier-appliance/htpasswd"), "$1 `id`")):
        hashed = line.strip().split(":")[1]
        salt = hashed.split("$")[2]
        again = subprocess.run(["openssl", "passwd", "-6", "-salt", salt, "-stdin"], input=password + "\n", capture_output=True, text=True, check=True)
        assert again.stdout.strip() == hashed
    assert appliance.text("etc/shadow").splitlines()[1] == "daemon:*:20000:0:99999:7:::"
    assert appliance.text("etc/vcourier/console.users").startswith("olga:viewer:$")


HARD = ["it's", 'say "x"', "${HOME}", "$HOME `id` $(id)", "back\\slash\\n", "käse 日本 🙂", "a: b #c", "- x", "%s %n", "&amp;<x>", "*a", "!tag", "'", "{}", "null"]


@pytest.mark.parametrize("text", HARD)
def test_a_value_is_taken_literally(appliance, text):
    appliance.configure(**FIXED, **{**VCENTER, "vcenter_username": text, "vcenter_password": text, "root_password": text}, aws_eb_access_key=text)
    assert appliance.config()["eventProviders"][0]["vcenter"]["auth"]["basicAuth"]["username"] == text
    assert appliance.text("etc/vcourier/secrets/collector@vcenter/vcenter") == text
    shown = subprocess.run([BUILD / "vcourier", "config", appliance.path("etc/vcourier/config.yaml")], capture_output=True, text=True)
    (provider,) = yaml.safe_load(shown.stdout)["eventProviders"]
    assert provider["vcenter"]["auth"]["basicAuth"]["username"] == text


REFUSED = {"line break": "a\nb", "return": "a\rb", "tab": "a\tb", "DEL": "a\x7fb", "C1": "a\x85b", "line separator": "a\u2028b", "64 kB": "x" * 65536}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_value_that_no_form_can_have_is_told(kind):
    for key in [k for k, p in properties.PROPERTIES.items() if p.kind in ("text", "secret")]:
        told = []
        values = properties.Values({key: REFUSED[kind]}, lambda *message: told.append(message))
        assert [k for k, _ in told] == [key] and not values.set(key) and len(told[0][1]) < 200


def test_wrong_values_stop_nothing_else(appliance):
    """Every property has 64 kB, a line break, or nonsense; network, login and front are still there."""
    for bad in ("x" * 65536, "a\nb", "no such thing", "-----BEGIN X-----", "🙂'; reboot; '"):
        shutil.rmtree(appliance.root)
        shutil.rmtree(appliance.programs)
        appliance.__init__(appliance.directory)
        done = appliance.run(environment({key: bad for key in properties.PROPERTIES}))
        assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
        assert max(map(len, done.stderr.splitlines())) <= 300 and done.stderr.count("\n") >= 8
        assert "DHCP=yes" in appliance.text("etc/systemd/network/10-appliance.network")
        assert appliance.text("etc/hostname") == "vcourier\n"
        assert {"nginx.service", "nftables.service"} <= appliance.enabled()
        assert not appliance.path("etc/vcourier/config.yaml").exists() and "vcourier-nats.service" not in appliance.enabled()


NETWORKS = [  # given, lines that must be there, what is told
    ({"ipaddress": "10.1.2.3", "netmask": ""}, ["Address=10.1.2.3/24"], "netmask: is missing"),
    ({"ipaddress": "10.1.2.3"}, ["Address=10.1.2.3/24"], "netmask: is missing"),
    ({"ipaddress": "10.1.2.3", "netmask": "255.255.240.0"}, ["Address=10.1.2.3/20"], ""),
    ({"ipaddress": "10.1.2.3", "netmask": "/25"}, ["Address=10.1.2.3/25"], ""),
    ({"ipaddress": "10.1.2.3/22", "netmask": "24 (255.255.255.0)"}, ["Address=10.1.2.3/22"], ""),
    ({"ipaddress": "2001:db8::5", "netmask": "64", "gateway": "2001:db8::1"}, ["Address=2001:db8::5/64", "Gateway=2001:db8::1"], ""),
    ({"ipaddress": "10.1.2.3", "netmask": "24", "gateway": "10.9.9.9"}, ["Gateway=10.9.9.9", "GatewayOnLink=yes"], "gateway: 10.9.9.9 is not in"),
    ({"ipaddress": "10.1.2.3", "netmask": "24", "gateway": "x"}, ["Address=10.1.2.3/24"], "gateway: 'x' is no IPv4 address"),
    ({"ipaddress": "10.1.2.3", "netmask": "24", "gateway": "fe80::1"}, ["Address=10.1.2.3/24"], "gateway: 'fe80::1' is no IPv4 address"),
    ({"ipaddress": "10.1.2.3", "netmask": "33"}, ["DHCP=yes"], "ipaddress: '10.1.2.3' with netmask '33' is no address"),
    ({"ipaddress": "10.1.2.300", "netmask": "24"}, ["DHCP=yes"], "ipaddress: '10.1.2.300'"),
    ({"ipaddress": "", "netmask": "24", "gateway": "10.1.2.1", "dns": "10.0.0.1,10.0.0.2 x"}, ["DHCP=yes", "DNS=10.0.0.1", "DNS=10.0.0.2"], "dns: 'x' is no address"),
    ({}, ["DHCP=yes"], ""),
]


@pytest.mark.parametrize("given,lines,told", NETWORKS, ids=range(len(NETWORKS)))
def test_addresses(appliance, given, lines, told):
    target = Target(appliance.root)
    machine.network(target, properties.Values(given, target.tell))
    messages = "".join(f"{key}: {text}\n" for key, text in target.messages)
    assert set(lines) <= set(appliance.text("etc/systemd/network/10-appliance.network").splitlines())
    assert told in messages
    network = [m for m in messages.splitlines() if m.startswith(("ipaddress", "netmask"))]
    assert bool(network) == told.startswith(("ipaddress", "netmask"))


def test_the_network_of_containers_is_not_taken(appliance):
    """The bridge and the links of podman are of Type=ether, too: with the address of the machine, no function could be reached."""
    appliance.configure(**FIXED, **VCENTER)
    for text in (appliance.text("etc/systemd/network/10-appliance.network"),
                 (ROOT / "appliance/overlay/usr/lib/systemd/network/80-appliance-dhcp.network").read_text()):
        assert {"Type=ether", "Kind=!*"} <= set(text.partition("[Network]")[0].splitlines())


def test_machine(appliance):
    told = appliance.configure(**FIXED, **VCENTER, ntp="ntp1.example, 10.0.0.9 b@d", enable_ssh="True", ssh_authorized_key="ssh-ed25519 AAAAC3Nza me@here",
                               syslog_server_hostname="log.example", syslog_server_port="1514", syslog_server_protocol="udp",
                               syslog_server_format="rfc3164", automatic_updates="true")
    assert "NTP=ntp1.example 10.0.0.9" in appliance.text("etc/systemd/timesyncd.conf.d/10-appliance.conf") and "ntp: 'b@d'" in told
    assert "PasswordAuthentication no" in appliance.text("etc/ssh/sshd_config.d/10-appliance.conf")
    assert appliance.text("root/.ssh/authorized_keys") == "ssh-ed25519 AAAAC3Nza me@here\n"
    assert stat.S_IMODE(appliance.path("root/.ssh").stat().st_mode) == 0o700
    assert {"ssh.service", "rsyslog.service"} <= appliance.enabled() and list(appliance.path("etc/ssh").glob("ssh_host_*_key"))
    assert 'target="log.example" port="1514" protocol="udp" template="RSYSLOG_TraditionalForwardFormat"' in appliance.text("etc/rsyslog.conf")
    assert "ForwardToSyslog=yes" in (journal := appliance.text("etc/systemd/journald.conf.d/10-appliance.conf")) and "SystemMaxUse=256M" in journal
    assert 'Unattended-Upgrade "1"' in appliance.text("etc/apt/apt.conf.d/20auto-upgrades") and not appliance.path("etc/systemd/system/apt-daily.timer").is_symlink()
    assert "tcp dport 22 " in appliance.text("etc/nftables.conf")
    appliance.configure(**FIXED, **VCENTER)
    assert not {"ssh.service", "rsyslog.service"} & appliance.enabled() and "tcp dport 22 " not in appliance.text("etc/nftables.conf")
    assert os.readlink(appliance.path("etc/systemd/system/apt-daily.timer")) == "/dev/null"
    assert not appliance.path("etc/systemd/timesyncd.conf.d/10-appliance.conf").exists() and not appliance.path("root/.ssh/authorized_keys").exists()


def test_proxy(appliance):
    """Without a login it is in the environment of the units. A password is not: it is in the configuration."""
    appliance.configure(**VCENTER, http_proxy="proxy.example:3128", https_proxy="https://proxy.example:3129/", no_proxy="localhost, .corp.example,10.0.0.0/8")
    assert appliance.text("etc/default/vcourier") == ("HTTP_PROXY=http://proxy.example:3128\nHTTPS_PROXY=https://proxy.example:3129\n"
                                                      "NO_PROXY=localhost,.corp.example,10.0.0.0/8\n")
    assert "proxy" not in appliance.config()["eventProviders"][0]["vcenter"]
    given = {**VCENTER, "https_proxy": "proxy.example:3128", "proxy_username": "u@x", "proxy_password": "p:/ä", "no_proxy": "corp.example,10.0.0.0/8"}
    appliance.configure(**given)
    assert "proxy.example" not in appliance.text("etc/default/vcourier")
    assert checked(appliance)["eventProviders"][0]["vcenter"]["proxy"] == "http://u%40x:p%3A%2F%C3%A4@proxy.example:3128"
    assert stat.S_IMODE(appliance.path("etc/apt/apt.conf.d/90appliance-proxy").stat().st_mode) == 0o600
    for server in ("vc1.corp.example", "10.1.2.3", "corp.example"):
        appliance.configure(**{**given, "vcenter_server": server})
        assert appliance.config()["eventProviders"][0]["vcenter"]["proxy"] == "", server
    assert "https_proxy: is not host:port" in appliance.configure(**{**given, "https_proxy": 'x"; y'})


VCENTERS = [
    ({"vcenter_server": "https://vc:8443/sdk/"}, {"address": "https://vc:8443/sdk"}, ""),
    ({"vcenter_server": "10.0.0.1"}, {"address": "https://10.0.0.1/sdk"}, ""),
    ({"vcenter_server": "[2001:db8::1]"}, {"address": "https://[2001:db8::1]/sdk"}, ""),
    ({"vcenter_disable_tls_verification": "True"}, {"insecureSSL": True}, ""),
    ({"vcenter_thumbprint": "AA:" * 31 + "AA"}, {"thumbprint": "AA" * 32}, ""),
    ({"vcenter_thumbprint": "AA" * 20}, {"thumbprint": None}, "vcenter_thumbprint: is no SHA-256"),
    ({"start_from": "24h"}, {"startFrom": "24h"}, ""),
    ({"start_from": "2026-01-31T00:00:00Z"}, {"startFrom": "2026-01-31T00:00:00Z"}, ""),
    ({"start_from": "yesterday"}, {"startFrom": "now"}, "start_from: is neither"),
    ({"vcenter_checkpointing_age": "300", "vcenter_checkpointing_period": "10"}, {"startFrom": "300s"}, ""),
    ({"vcenter_checkpointing_age": "0"}, {"startFrom": "now"}, ""),
    ({"vcenter_checkpointing_age": "5m"}, {"startFrom": "now"}, "vcenter_checkpointing_age: is no number"),
]


@pytest.mark.parametrize("given,expected,told", VCENTERS, ids=range(len(VCENTERS)))
def test_vcenter(appliance, given, expected, told):
    messages = appliance.configure(**FIXED, **{**VCENTER, **given})
    block = checked(appliance)["eventProviders"][0]["vcenter"]
    assert {key: block.get(key) for key in expected} == expected and told in messages


@pytest.mark.parametrize("form", ["pem", "base64", "one line", "backslash n"])
def test_a_certificate_of_vcenter(appliance, pair, form):
    """The forms that a CA certificate has after it went through an OVF form."""
    text = {"pem": pair[0], "base64": base64.b64encode(pair[0].encode()).decode(), "one line": pair[0].replace("\n", " "),
            "backslash n": pair[0].replace("\n", "\\n")}[form]
    appliance.configure(**FIXED, **VCENTER, vcenter_ca=text)
    assert checked(appliance)["eventProviders"][0]["vcenter"]["caFile"].endswith("/etc/vcourier/vcenter-ca.pem")
    assert appliance.text("etc/vcourier/vcenter-ca.pem") == pair[0]


BACKENDS = [
    ({}, "functions", {"directory": "/etc/vcourier/functions"}, ""),
    ({"event_processor_type": "Knative"}, "functions", {}, "knative_uri: is missing"),
    ({"event_processor_type": "knative", "knative_uri": "http://broker.example/x"}, "knative", {"destination": {"uri": "http://broker.example/x"}}, ""),
    ({"event_processor_type": "Knative", "knative_scheme": "HTTPS", "knative_host": "b.example", "knative_path": "/ns/default",
      "knative_disable_tls_verification": "True"}, "knative", {"destination": {"uri": "https://b.example/ns/default"}, "insecureSSL": True}, ""),
    ({"event_processor_type": "Knative", "knative_kubeconfig": base64.b64encode(b"apiVersion: v1\n").decode(), "knative_broker": "fn/main",
      "knative_type_style": "vsphere"}, "knative", {"typeStyle": "vsphere"}, ""),
    ({"event_processor_type": "OpenFaaS", "openfaas_address": "http://gw:8080", "openfaas_password": "p"}, "openfaas",
     {"auth": {"type": "basic_auth", "basicAuth": {"username": "admin", "passwordFile": "secrets_openfaas"}}}, ""),
    ({"event_processor_type": "OpenFaaS", "openfaas_address": "gw:8080"}, None, {}, "openfaas_address: is no URL"),
    ({"event_processor_type": "AWS EventBridge", "aws_eb_region": "eu-west-1", "aws_eb_event_bus": "bus", "aws_eb_access_key": "A", "aws_eb_access_secret": "s",
      "aws_eb_arn": "arn:aws:events:eu-west-1:123456789012:rule/bus/r"}, "eventbridge", {"region": "eu-west-1", "eventBus": "bus"}, ""),
    ({"event_processor_type": "AWS EventBridge"}, None, {}, "aws_eb_region: is missing"),
    ({"event_processor_type": "Kafka"}, "functions", {}, "event_processor_type: is none of Functions, Knative"),
]


@pytest.mark.parametrize("given,name,expected,told", BACKENDS, ids=range(len(BACKENDS)))
def test_backends(appliance, given, name, expected, told):
    messages = appliance.configure(**FIXED, **VCENTER, **given)
    assert told in messages
    if name is None:
        assert "vcourier is not configured: the backend lacks values" in messages and not appliance.path("etc/vcourier/config.yaml").exists()
        return
    checked(appliance)
    (backend,) = appliance.config()["eventProcessors"]
    block = backend["awsEventBridge" if name == "eventbridge" else name]
    assert backend["name"] == name and {key: block[key] for key in expected} == expected
    assert f"vcourier-dispatcher@{name}.service" in appliance.enabled()
    if "knative_kubeconfig" in given:
        assert appliance.text("etc/vcourier/kubeconfig") == "apiVersion: v1\n" and block["destination"]["ref"]["namespace"] == "fn"


def test_sources_come_and_go(appliance):
    """The store is divided among the streams. What is not wanted any more is not started."""
    given = {**FIXED, **VCENTER, "webhook": "True", "webhook_username": "hook", "webhook_password": "p"}
    appliance.configure(**given)
    config = checked(appliance)
    assert [p["name"] for p in config["eventProviders"]] == ["vcenter", "webhook"]
    assert config["eventProviders"][1]["webhook"]["auth"]["basicAuth"] == {"username": "hook", "passwordFile": "secrets_webhook"}
    assert "collector-webhook" in appliance.text("etc/vcourier/nats/users.conf")
    ports = {i["name"]: i["port"] for i in json.loads(appliance.text("etc/vcourier-appliance/instances.json"))}
    assert ports == {"vcenter": 8082, "webhook": 8083, "functions": 8084}
    appliance.configure(**{**given, "webhook": "False"})
    assert "vcourier-collector@webhook.service" not in appliance.enabled() and "/webhook" not in appliance.text("etc/nginx/nginx.conf")
    assert "webhook_username: is missing: everybody" in appliance.configure(**FIXED, **VCENTER, webhook="True")
    told = appliance.configure(**FIXED, vcenter_server="vc", vcenter_username="u")
    assert "vcourier is not configured" not in told, "its password is there from before"


def test_horizon(appliance):
    given = {**FIXED, **VCENTER, "horizon": "True", "horizon_server": "view.example.com", "horizon_domain": "CORP", "horizon_username": "reader",
             "horizon_password": "pw of horizon", "horizon_disable_tls_verification": "True"}
    assert "horizon" not in appliance.configure(**given)
    block = checked(appliance)["eventProviders"][1]["horizon"]
    assert block == {"address": "https://view.example.com", "insecureSSL": True, "startFrom": "now", "auth": {
        "type": "active_directory", "activeDirectoryAuth": {"domain": "CORP", "username": "reader", "passwordFile": "secrets_horizon"}}}
    assert appliance.text("etc/vcourier/secrets/collector@horizon/horizon") == "pw of horizon"
    assert "collector-horizon" in appliance.text("etc/vcourier/nats/users.conf") and "vcourier-collector@horizon.service" in appliance.enabled()
    assert "horizon_domain: is missing" in appliance.configure(**{**given, "horizon_domain": ""})
    assert [p["name"] for p in appliance.config()["eventProviders"]] == ["vcenter"]


def test_without_a_password_of_vcenter(appliance):
    told = appliance.configure(**FIXED, vcenter_server="vc", vcenter_username="u", root_password="r")
    assert "vcenter_password: is missing" in told and "it has no complete source of events" in told
    assert "nginx.service" in appliance.enabled() and "vcourier-collector@vcenter.service" not in appliance.enabled()


def test_certificate_of_the_appliance(appliance, pair):
    appliance.configure(**FIXED, **VCENTER)
    own = appliance.text("etc/vcourier-appliance/tls/cert.pem")
    shown = subprocess.run(["openssl", "x509", "-noout", "-text"], input=own, capture_output=True, text=True, check=True).stdout
    assert "DNS:courier1.lab.example, DNS:courier1, IP Address:10.0.2.15" in shown
    appliance.configure(**FIXED, **VCENTER, custom_tls_ca_cert=pair[0], custom_tls_private_key=base64.b64encode(pair[1].encode()).decode())
    assert appliance.text("etc/vcourier-appliance/tls/cert.pem") == pair[0] and appliance.text("etc/vcourier-appliance/tls/key.pem") == pair[1]
    assert "is not the key of custom_tls_ca_cert" in appliance.configure(**FIXED, **VCENTER, custom_tls_ca_cert=own, custom_tls_private_key=pair[1])
    assert appliance.text("etc/vcourier-appliance/tls/cert.pem") not in (own, pair[0]), "the key of the given certificate is not used for the own one"


def front_of(appliance, lab, receiver):
    """nginx with the configuration of the appliance, on another port and without its user. Returns a function that requests a path."""
    port = free_port()
    text = appliance.text("etc/nginx/nginx.conf").replace("user www-data;\n", "").replace("listen [::]:443 ssl default_server;\n", "")
    text = text.replace("pid /run", f"pid {appliance.directory}").replace("listen 443", f"listen 127.0.0.1:{port}").replace("/etc/", f"{appliance.root}/etc/")
    text = re.sub(r"127\.0\.0\.1:80\d\d\b", f"127.0.0.1:{receiver.port}", text).replace("/run/vcourier-appliance", str(appliance.directory))
    (appliance.directory / "nginx.conf").write_text(text)
    (appliance.directory / "status.txt").write_text("fine\n")
    closed = appliance.path("etc/nginx/vcourier-closed.conf")
    closed.write_text(closed.read_text().replace("/etc/", f"{appliance.root}/etc/"))
    arguments = ["/usr/sbin/nginx", "-e", "stderr", "-c", appliance.directory / "nginx.conf", "-g", "daemon off; master_process off;"]
    done = subprocess.run([*arguments, "-t"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    nginx = lab._keep(Process("nginx", arguments, appliance.directory)).start()
    context = ssl.create_default_context(cafile=appliance.path("etc/vcourier-appliance/tls/cert.pem"))

    def get(path, login=None):
        request = urllib.request.Request(f"https://127.0.0.1:{port}{path}", headers={"Host": "courier1"})
        if login:
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), NoRedirect)
        try:
            with opener.open(request, timeout=20) as reply:
                return reply.status, reply.read().decode(), reply.headers
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(), error.headers

    def answers():
        try:
            return get("/events")
        except OSError:
            return None
    wait_until(lambda: answers() or not nginx.running(), 20, nginx.text)
    return get


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def test_the_front(appliance, lab):
    if not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        pytest.skip("nginx is not installed")
    appliance.configure(**{**FIXED, "ipaddress": "127.0.0.1", "netmask": "8"}, **VCENTER, endpoint_username="olga", endpoint_password="e: ä", webhook="True",
                        webhook_username="h", webhook_password="p")
    receiver = lab.receiver(lambda request: Answer(200, {"Set-Cookie": "s=1; HttpOnly"}, f"{request.path} {request.headers['host']}".encode()))
    get = front_of(appliance, lab, receiver)
    for path in ("/status", "/stats", "/stats/webhook", "/metrics", "/metrics/vcenter", "/metrics/functions"):
        assert get(path)[0] == get(path, "olga:wrong")[0] == 401, path
        status, body, _ = get(path, "olga:e: ä")
        assert (status, body) == (200, "fine\n" if path == "/status" else f"/{path.split('/')[1]} courier1"), path
    assert get("/events")[2]["Location"].endswith("/") and get("/webhook/x")[1] == "/webhook/x courier1", "the webhook has a password of its own"
    status, body, headers = get("/api/x")
    assert (status, body) == (200, "/api/x courier1") and "secure" in headers["Set-Cookie"].lower()
    appliance.path("etc/vcourier-appliance/htpasswd").unlink()
    assert "endpoint_password: is missing" in appliance.configure(**FIXED, **VCENTER)
    assert appliance.text("etc/nginx/vcourier-closed.conf") == "deny all;\n"


def test_nftables_accepts_the_rules(appliance):
    if not shutil.which("nft", path="/usr/sbin:/usr/bin"):
        pytest.skip("nft is not installed")
    appliance.configure(**FIXED, **VCENTER, enable_ssh="True")
    rules = appliance.path("etc/nftables.conf")
    done = subprocess.run(["unshare", "--net", "/usr/sbin/nft", "-c", "-f", rules], capture_output=True, text=True)
    if re.search("Operation not permitted|Protocol not supported|cache initialization", done.stderr):
        pytest.skip("the kernel has no nftables for this test")
    assert done.returncode == 0, done.stderr


def test_the_console_takes_its_configuration(appliance):
    appliance.configure(**FIXED, **VCENTER, console_password="c")
    text = appliance.text("etc/vcourier/console.yaml").replace("/etc/vcourier", str(appliance.path("etc/vcourier")))
    (appliance.directory / "console.yaml").write_text(text)
    done = subprocess.run([BUILD / "vcourier-console", "--check", "-c", appliance.directory / "console.yaml"], capture_output=True, text=True,
                          env={**os.environ, "CREDENTIALS_DIRECTORY": str(appliance.directory)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert yaml.safe_load(text)["hosts"] == ["courier1.lab.example", "courier1", "10.0.2.15"]


def test_other_forms_of_the_properties(appliance):
    done = appliance.run("# comment\n--prop:guestinfo.hostname='courier2'\nguestinfo.vcenter_server=\"vc\"\nvcenter_username=a=b\nguestinfo.vcenter_password=p\n", "lines")
    assert done.returncode == 0 and appliance.text("etc/hostname") == "courier2\n"
    assert appliance.config()["eventProviders"][0]["vcenter"]["auth"]["basicAuth"]["username"] == "a=b"


UNREADABLE = {"no XML": "<Environment", "entities": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "no lines": "hello\n", "too long": "#" * (4 << 20) + "\n"}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_properties_that_cannot_be_read(kind):
    with pytest.raises(environment_module.Unreadable):
        environment_module.parse(UNREADABLE[kind])


def test_what_is_configured_stays_when_the_properties_cannot_be_read(appliance):
    """The first time, the machine gets its network and front."""
    done = appliance.run(b"\xff\xfe<x/>")
    assert done.returncode == 1 and "the properties cannot be read: is not UTF-8" in done.stderr
    assert "DHCP=yes" in appliance.text("etc/systemd/network/10-appliance.network")
    appliance.configure(**FIXED, **VCENTER)
    before = appliance.files()
    assert appliance.run("<x").returncode == 1
    after = appliance.files()
    assert {p for p in after if p not in before or after[p][:4] != before[p][:4]} == {"etc/vcourier-appliance/messages"}


def test_a_power_cut_while_it_runs(appliance):
    """A part of the files is there, one only in its new form; the next run ends with the same configuration."""
    appliance.configure(**FIXED, **VCENTER)
    config = appliance.text("etc/vcourier/config.yaml")
    for path in ("etc/vcourier/nats/secrets/cli", "etc/vcourier/config.yaml", "var/lib/vcourier-appliance/configured", "etc/vcourier-appliance/tls/cert.pem"):
        appliance.path(path).unlink()
    (appliance.path("etc/vcourier") / ".config.yaml.new").write_text("half")
    appliance.path("var/lib/vcourier-appliance/passwords.json").write_text("{")
    assert appliance.configure(**FIXED, **VCENTER) == appliance.configure(**FIXED, **VCENTER)
    assert appliance.text("etc/vcourier/config.yaml") == config and not list(appliance.root.rglob(".*.new"))


@pytest.mark.parametrize("size,option", [(40, "rw"), (100, "rw"), (160, "rw"), (4096, "ro")], ids=["40 kB", "100 kB", "160 kB", "read-only"])
def test_a_disk_that_is_full_or_read_only(tmp_path, size, option):
    """What cannot be written is told, with its path; no secret is empty; the first boot is not over. With room it ends as on any disk."""
    if os.geteuid() != 0:
        pytest.skip("it takes root to mount a file system")
    (tmp_path / "root").mkdir()
    given = environment({**FIXED, **VCENTER})
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", tmp_path / "root"], check=True)
    try:
        appliance = Appliance(tmp_path)
        subprocess.run(["mount", "-o", f"remount,{option}", tmp_path / "root"], check=True)
        before = set(appliance.files())
        done = appliance.run(given)
        reason = "Read-only file system" if option == "ro" else "No space left on device"
        assert done.returncode == 1 and reason in done.stderr
        assert f"/etc/vcourier-appliance/messages: {reason}" in done.stderr and "the configuration is not complete" in done.stderr
        assert "Traceback" not in done.stderr
        created = [p for p in set(appliance.files()) - before if appliance.path(p).is_file()]
        assert not [p for p in created if "secrets" in p and appliance.path(p).stat().st_size == 0 and not p.endswith(".new")]
        assert not appliance.path(commands.DONE.lstrip("/")).exists()
        subprocess.run(["mount", "-o", "remount,rw,size=8m", tmp_path / "root"], check=True)
        done = appliance.run(given)
        assert done.returncode == 0 and "not complete" not in done.stderr
        assert appliance.path(commands.DONE.lstrip("/")).exists() and not list(appliance.root.rglob(".*.new"))
        checked(appliance)
    finally:
        subprocess.run(["umount", tmp_path / "root"], check=True)


def test_the_secrets_stay_in_guestinfo_until_they_are_stored(monkeypatch, tmp_path):
    removed = []
    monkeypatch.setattr(commands.environment, "find", lambda: (VCENTER, "guestinfo"))
    monkeypatch.setattr(commands.environment, "remove_secrets", lambda found: removed.append(found) or True)
    monkeypatch.setattr(commands, "restart", lambda target: None)
    for complete in (False, True):
        def apply(target, _given, complete=complete):
            target.live, target.complete = True, complete
        monkeypatch.setattr(commands, "apply", apply)
        monkeypatch.setattr(Target, "ids", lambda *_: (0, 0))
        assert commands.configure(argparse.Namespace(file=None, root=tmp_path, first_boot=False)) == (0 if complete else 1)
        assert len(removed) == complete


def test_another_backend_ends_the_one_before(appliance, monkeypatch):
    """Its dispatcher would start again and again: the configuration does not name it any more."""
    appliance.configure(**FIXED, **VCENTER, event_processor_type="Knative", knative_uri="http://broker/")
    target, called = Target(appliance.root), []
    monkeypatch.setenv("PATH", PATH.format(appliance.programs))
    commands.apply(target, {**FIXED, **VCENTER, "event_processor_type": "Functions"})
    monkeypatch.setattr(commands.subprocess, "run", lambda argv, **_: called.append(" ".join(argv)))
    commands.restart(target)
    stops = [c for c in called if " stop " in c]
    assert stops == ["systemctl --no-block stop vcourier-dispatcher@knative.service"]
    assert "vcourier-dispatcher@functions.service" in called[-1] and "knative" not in called[-1]


@pytest.mark.parametrize("year", [1970, 2100])
def test_a_certificate_of_another_time_is_made_again(appliance, monkeypatch, year):
    """At the first boot the clock may be wrong: a certificate that is not valid later would shut everybody out."""
    appliance.configure(**FIXED, **VCENTER)
    first = appliance.text(front.CERTIFICATE.lstrip("/"))
    appliance.configure(**FIXED, **VCENTER)
    assert appliance.text(front.CERTIFICATE.lstrip("/")) == first
    monkeypatch.setattr(front.time, "time", lambda: (year - 1970) * 31556952.0 + 100)
    appliance.configure(**FIXED, **VCENTER)
    assert appliance.text(front.CERTIFICATE.lstrip("/")) != first


def test_a_configuration_that_was_edited_is_kept(appliance):
    appliance.configure(**FIXED, **VCENTER)
    path = appliance.path("etc/vcourier/config.yaml")
    edited = path.read_text() + "# mine\n"
    path.write_text(edited)
    assert "config.yaml.old" in appliance.configure(**FIXED, **VCENTER)
    assert appliance.text("etc/vcourier/config.yaml.old") == edited


def test_every_property_is_read(appliance, monkeypatch):
    read = set()
    plain = properties.Values.__getitem__
    monkeypatch.setattr(properties.Values, "__getitem__", lambda values, key: read.add(key) or plain(values, key))
    given_value = properties.Values.set
    monkeypatch.setattr(properties.Values, "set", lambda values, key: read.add(key) or given_value(values, key))
    every = {**FIXED, **VCENTER, "webhook": "True", "horizon": "True", "horizon_server": "h", "horizon_domain": "D", "horizon_username": "u", "horizon_password": "p",
             "proxy_username": "u", "https_proxy": "p:1", "vcenter_checkpointing_age": "5",
             "syslog_server_hostname": "l"}
    for given in [BACKENDS[i][0] for i in (3, 4, 5, 7)]:
        target = Target(appliance.root)
        values = properties.Values({**every, **given}, target.tell)
        for section in (machine.name, *machine.SECTIONS, machine.proxy):
            section(target, values)
        courier.providers(target, values, {})
        backends.backend(target, values, {})
        front.given_certificate(target, values)
        front.password(target, values)
        values["console_password"]  # console() needs what courier() has written
    assert set(properties.PROPERTIES) | set(properties.EARLIER) == read | properties.WITHOUT_EFFECT & set(properties.PROPERTIES)


def test_groups_exist_on_debian():
    """The numbers above are those of base-passwd."""
    assert grp.getgrnam("www-data").gr_gid == GROUPS["www-data"] and grp.getgrnam("shadow").gr_gid == GROUPS["shadow"]


def test_the_properties_on_a_cd(tmp_path):
    """The file and the command of docs/appliance.md; xorriso reads what it wrote."""
    (tmp_path / "ovf-env.xml").write_text(page.block("docs/appliance.md", "Import it", 3).text)
    subprocess.run(["sh", "-ec", page.block("docs/appliance.md", "Import it", 4).text], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(["xorriso", "-osirrox", "on", "-indev", "properties.iso", "-extract", "/ovf-env.xml", "read.xml"], cwd=tmp_path, check=True, capture_output=True)
    assert environment_module.from_file(tmp_path / "read.xml") == {"root_password": "...", "vcenter_server": "vcenter.example.com"}


def test_the_commands_that_configure_again(appliance):
    """docs/appliance.md: from guestinfo, which a stand-in for vmtoolsd has, then from a file."""
    for program, text in (("vmtoolsd", f"cat <<'END'\n{environment({**FIXED, **VCENTER, 'hostname': 'first'})}END"),
                          ("vcourier-appliance", f'exec {ROOT}/appliance/vcourier-appliance "$@" --root {appliance.root}')):
        (appliance.programs / program).write_text(f"#!/bin/sh\n{text}\n")
        (appliance.programs / program).chmod(0o755)
    file = appliance.directory / "properties"
    file.write_text("".join(f"guestinfo.{key}={value}\n" for key, value in {**FIXED, **VCENTER, "hostname": "second"}.items()))
    for command, name in zip(page.block("docs/appliance.md", "The first boot").text.splitlines(), ("first", "second"), strict=True):
        subprocess.run(["sh", "-ec", command.replace("FILE", str(file))], check=True, env={**os.environ, "PATH": PATH.format(appliance.programs)}, capture_output=True)
        assert appliance.text("etc/hostname").startswith(name)
