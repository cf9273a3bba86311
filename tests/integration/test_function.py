# SPDX-License-Identifier: Apache-2.0
"""vcourier function: people's own function.yaml as containers under systemd. The machine is a directory (--root); tests/lab/functionhost.py is in
place of podman and systemd. test_function_real.py has the real ones."""
import base64
import fcntl
import json
import os
import re
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from lab import functionhost
from lab.process import BUILD, ROOT

sys.path.insert(0, str(ROOT / "tests/pages"))
from page import block  # noqa: E402

ON, ON08 = "com.vmware.event.router/event", "com.vmware.vsphere.VmPoweredOnEvent.v0"
USAGE, CONFIG = 64, 78
FIRST, PORTS = 21000, 4000  # docs/functions.md
SECRET = 'p"a$s\'s: ${HOME} %n \\ #é'
JSON_SECRET = '{\n  "URL": "https://hooks.example/a?b=$c",\n  "QUOTE": "\\"`x`\\""\n}'  # as VEBA's functions have theirs


def service(name="kn-echo", annotations=None, pod=None, **container):
    template = {"spec": {"containers": [{"image": "registry.example/veba/kn-echo:1.4", **container}], **(pod or {})}}
    if annotations:
        template["metadata"] = {"annotations": annotations}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": name}, "spec": {"template": template}}


def trigger(name="kn-echo", broker="default", **spec):
    spec = spec or {"filter": {"attributes": {"subject": "VmPoweredOnEvent"}}}
    return {"apiVersion": "eventing.knative.dev/v1", "kind": "Trigger", "metadata": {"name": f"{name}-trigger"}, "spec": {
        "broker": broker, **spec, "subscriber": {"ref": {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": name}}}}


def secret(name, kind="Opaque", **values):
    return {"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": {"name": name},
            "data": {k: base64.b64encode(v.encode()).decode() for k, v in values.items()}}


class Machine:
    """A root with a configuration, and programs that record what they are asked for."""

    def __init__(self, path):
        self.path, self.root, self.host = path, path / "root", path / "host"
        for directory in (self.host, self.root / "etc/vcourier/functions", self.root / "etc/vcourier/secrets/functions"):
            directory.mkdir(parents=True)
        (self.root / "etc/vcourier/config.yaml").write_text(yaml.safe_dump({"eventProcessor": {
            "type": "functions", "name": "fn", "functions": {"directory": "/etc/vcourier/functions"}}}))
        self.bin = functionhost.install(path / "bin")
        # the loopback ports of functions depend on their names alone: one test at a time has them
        self.lock = open(Path(tempfile.gettempdir()) / "vcourier-function-test.lock", "w")

    def run(self, *words, env=None):
        verb, *rest = map(str, words)
        if verb == "apply" and "--dry-run" not in rest:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        return subprocess.run([BUILD / "vcourier", "function", verb, "--root", self.root, *rest], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "PATH": f"{self.bin}:/usr/bin:/bin", "FUNCTION_HOST": str(self.host),
                                   "FUNCTION_ROOT": str(self.root), **(env or {})})

    def file(self, *documents, name="function.yaml"):
        file = self.path / name
        file.write_text(documents[0] if isinstance(documents[0], str) else "---\n".join(yaml.safe_dump(d, allow_unicode=True) for d in documents))
        return file

    def apply(self, *documents, options=(), code=0, **more):
        done = self.run("apply", "-f", self.file(*documents), *options, **more)
        assert done.returncode == code, done.stderr + done.stdout
        return done.stderr.replace(f"{self.path}/", "") if code else done.stdout

    def refused(self, *documents, options=()):
        """The errors; nothing was written and nothing run."""
        before = self.snapshot()
        text = self.apply(*documents, options=options, code=CONFIG)
        assert self.snapshot() == before and not [c for c in self.calls() if c[0] == "podman" or c[1] in ("start", "restart")]
        return text

    def snapshot(self):
        return {str(p.relative_to(self.root)): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()}

    def calls(self):
        file = self.host / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def verbs(self):
        """What systemd was told since the last time."""
        verbs = [c[1] for c in self.calls() if c[0] == "systemctl" and c[1] not in ("show", "is-active")]
        (self.host / "calls.jsonl").unlink(missing_ok=True)
        return verbs

    def unit(self, name="kn-echo"):
        return (self.root / f"etc/containers/systemd/vcourier-function-{name}.container").read_text()

    def port(self, name="kn-echo"):
        return int(re.search(r"^PublishPort=127\.0\.0\.1:(\d+):\d+$", self.unit(name), re.M)[1])

    def secrets(self, name="kn-echo"):
        return self.root / f"etc/vcourier/secrets/function@{name}"

    def env(self, name="kn-echo"):
        """The variables of the container: podman's file line by line, systemd's by the rules of systemd.exec(5)."""
        text = (self.secrets(name) / "env").read_bytes().decode()
        values = dict(line.split("=", 1) for line in text.split("\n") if line)
        quoted = self.secrets(name) / "lines"
        if quoted.exists():
            assert f"EnvironmentFile=/etc/vcourier/secrets/function@{name}/lines\n" in self.unit(name)
            for key, value in re.findall(r'^(\w+)="((?:[^"\\]|\\.)*)"$', quoted.read_bytes().decode(), re.M | re.S):
                assert f" --env={key}" in self.unit(name)
                values[key] = re.sub(r'\\(["\\`$])', r"\1", value)
        return values

    def ls(self):
        done = self.run("ls", "--json")
        assert done.returncode == 0, done.stderr
        return {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}

    def events(self, name):
        file = self.host / f"{name}.events"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def close(self):
        for file in self.host.glob("*.state"):
            functionhost.HERE = self.host
            functionhost.stop(file.stem)
        self.lock.close()


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    yield machine
    machine.close()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# ---- the life of a function

def test_a_function_is_applied_called_listed_changed_and_removed(lab, stream, machine):
    before = machine.snapshot()
    out = machine.apply(service(env=[{"name": "MODE", "value": "a"}]), trigger())
    port = machine.port()
    assert out == f"kn-echo: applied, http://127.0.0.1:{port}/\n" and FIRST <= port < FIRST + PORTS
    assert machine.verbs() == ["daemon-reload", "restart"]
    lab.dispatcher(stream.config({"type": "functions", "name": "fn", "functions": {
        "directory": str(machine.root / "etc/vcourier/functions"), "refreshInterval": "1s"}}, emptyGrace="2s")).wait_ready()
    events = [f"{k}-1700000000000" for k in stream.publish(3)]
    stream.publish(1, "VmPoweredOffEvent")
    stream.idle("fn")
    assert sorted(e["id"] for e in machine.events("kn-echo")) == sorted(events)
    assert machine.ls()["kn-echo"] == {"name": "kn-echo", "container": True, "state": "running", "url": f"http://127.0.0.1:{port}/",
                                       "file": "kn-echo.yaml", "filter": "subject=VmPoweredOnEvent", "restarts": 0, "last_exit": 0}
    assert re.search(rf"^kn-echo +running +0 +0 +http://127.0.0.1:{port}/ +subject=VmPoweredOnEvent$", machine.run("ls").stdout, re.M)

    applied = machine.snapshot()
    assert "unchanged" in machine.apply(service(env=[{"name": "MODE", "value": "a"}]), trigger())
    assert machine.verbs() == ["start"] and machine.snapshot() == applied
    assert "applied" in machine.apply(service(env=[{"name": "MODE", "value": "b"}]), trigger())
    assert machine.verbs() == ["restart"] and machine.env()["MODE"] == "b" and machine.port() == port
    assert "applied" in machine.apply(service(env=[{"name": "MODE", "value": "b"}]), trigger(filter={"attributes": {"type": ON08}}))
    assert machine.verbs() == ["start"] and machine.ls()["kn-echo"]["filter"] == f"type={ON08}", "only its events have changed"

    done = machine.run("rm", "kn-echo")
    assert (done.returncode, done.stdout) == (0, "kn-echo: removed\n"), done.stderr
    assert machine.snapshot() == before and machine.verbs() == ["stop", "daemon-reload", "reset-failed"] and machine.ls() == {}
    assert not machine.secrets().exists()
    done = machine.run("rm", "kn-echo")
    assert done.returncode == 1 and "was not applied here" in done.stderr


def test_triggers_of_all_shapes_that_users_have(lab, stream, machine):
    shapes = {
        "router": {"filter": {"attributes": {"type": ON, "subject": "VmPoweredOnEvent"}}},
        "subject-only": {"filter": {"attributes": {"subject": "VmPoweredOnEvent"}}},
        "veba08": {"filter": {"attributes": {"type": ON08}}},
        "before-2021-09": {"filter": {"attributes": {"type": "com.vmware.vsphere.VmPoweredOnEvent"}}},
        "eventclass": {"filter": {"attributes": {"eventclass": "event"}}},
        "everything": {"filter": {}},
        "dialects": {"filters": [{"any": [{"suffix": {"type": "VmPoweredOnEvent.v0"}}, {"exact": {"subject": "X"}}]},
                                 {"not": {"exact": {"severity": "error"}}}]},
    }
    documents = [d for name, spec in shapes.items() for d in (service(name), trigger(name, **spec))]
    documents += [service("other"), trigger("other", filter={"attributes": {"subject": "VmPoweredOffEvent"}})]
    machine.apply(*documents)
    assert len({machine.port(name) for name in [*shapes, "other"]}) == len(shapes) + 1
    lab.dispatcher(stream.config({"type": "functions", "name": "fn", "functions": {
        "directory": str(machine.root / "etc/vcourier/functions"), "refreshInterval": "1s"}}, emptyGrace="2s")).wait_ready()
    events = [f"{k}-1700000000000" for k in stream.publish(2)]
    stream.idle("fn")
    for name in shapes:
        assert sorted(e["id"] for e in machine.events(name)) == sorted(events), name
    assert {e["type"] for e in machine.events("veba08")} == {ON08} and not machine.events("other")
    # a List, as `kubectl get -o yaml` writes it, with what Knative adds to a Service
    exported = service("listed", pod={"containerConcurrency": 0, "timeoutSeconds": 300, "enableServiceLinks": False},
                       readinessProbe={"successThreshold": 1, "tcpSocket": {"port": 0}}, resources={})
    exported["spec"]["template"]["spec"]["containers"][0]["name"] = "user-container"
    exported["status"] = {"url": "http://listed.default.example.com"}
    exported["spec"]["traffic"] = [{"latestRevision": True, "percent": 100}]
    machine.apply({"apiVersion": "v1", "kind": "List", "items": [exported, trigger("listed")]})
    assert machine.ls()["listed"]["state"] == "running"


# ---- what is written

def test_the_container_has_few_rights(machine):
    machine.apply(service(), trigger())
    unit, first = machine.unit(), 0x70000000 + (machine.port() - FIRST) * 65536
    for line in ("NoNewPrivileges=true", "DropCapability=all", "ReadOnly=true", "Restart=always", "WantedBy=multi-user.target",
                 "Image=registry.example/veba/kn-echo:1.4", f"PublishPort=127.0.0.1:{machine.port()}:8080"):
        assert f"\n{line}\n" in unit, line
    assert f"--uidmap=0:{first}:65536 --gidmap=0:{first}:65536" in unit and "--network=bridge" in unit and "IPAddress" not in unit
    assert mode(machine.secrets()) == 0o700 and mode(machine.secrets() / "env") == 0o600
    assert machine.env() == {"PORT": "8080", "K_SERVICE": "kn-echo", "K_CONFIGURATION": "kn-echo", "K_REVISION": "kn-echo-00001"}


def test_limits_port_user_and_command(machine):
    told = machine.run("apply", "-f", machine.file(service(
        image="kn-echo", ports=[{"containerPort": 80}], resources={"limits": {"memory": "512Mi", "cpu": "250m"}, "requests": {"memory": "1Gi"}},
        securityContext={"runAsUser": 1000, "runAsGroup": 100, "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False,
                         "readOnlyRootFilesystem": False},
        command=["sh", "-c"], args=['echo "$HOME" 100%', "", ";"], workingDir="/a b",
        annotations={"autoscaling.knative.dev/minScale": "0", "autoscaling.knative.dev/maxScale": "5"}), trigger()))
    assert told.returncode == 0, told.stderr
    unit = machine.unit()
    assert "\nImage=docker.io/library/kn-echo\n" in unit and ":80\n" in unit and machine.env()["PORT"] == "80"
    assert " --memory=536870912 " in unit and " --cpus=0.250 " in unit and "ip_unprivileged_port_start=0" in unit and "\nReadOnly=false\n" in unit
    assert "\nUser=1000\nGroup=100\n" in unit and '"--workdir=/a b"' in unit and "\nExec=" not in unit
    assert r'''"--entrypoint=[\"sh\",\"-c\",\"echo \\\"$$HOME\\\" 100%%\",\"\",\";\"]"''' in unit
    assert "minScale: 0 counts as 1: the container always runs" in told.stderr
    assert "maxScale: is ignored: there is one container" in told.stderr and "requests: is ignored: nothing is reserved" in told.stderr


def test_the_environment(machine):
    folder = machine.root / "etc/vcourier/secrets/functions/in-files"
    folder.mkdir()
    (folder / "TOKEN").write_text("from a file\n")
    (folder / "bad key").write_text("x")
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"COLOUR": "red", "SIZE": "7"}}
    values = {"EMPTY": "", "TRICKY": SECRET, "TRAILING": " blank ", "HASH": "# no comment", "LINES": "a\nb\n", "QUOTED": "\"\\`$x\r\n'",
              "HTTPS_PROXY": "http://proxy:3128", "PATH": "/app:/bin", "my.name": "dots"}
    file = machine.file(service(env=[{"name": k, "value": v} for k, v in values.items()] + [
        {"name": "ONE", "valueFrom": {"secretKeyRef": {"name": "login", "key": "password"}}},
        {"name": "SIZE_OF", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "SIZE"}}},
        {"name": "ABSENT", "valueFrom": {"secretKeyRef": {"name": "login", "key": "none", "optional": True}}}],
        envFrom=[{"secretRef": {"name": "slack-secret"}}, {"secretRef": {"name": "in-files"}}, {"configMapRef": {"name": "settings"}, "prefix": "S_"},
                 {"secretRef": {"name": "nowhere", "optional": True}}]), trigger(), config_map)
    more = machine.file(secret("login", password=SECRET), secret("slack-secret", **{"SLACK_SECRET": JSON_SECRET, "TRICKY": "env wins", "1x": "no"}),
                        name="secrets.yaml")
    dry = machine.run("apply", "--dry-run", "-f", file, "-f", more)
    assert dry.returncode == 0 and SECRET not in dry.stdout + dry.stderr and "***" in dry.stdout and not machine.calls()
    assert "vcourier-function-kn-echo.container (mode 0644)" in dry.stdout and not (machine.root / "etc/containers").exists()
    done = machine.run("apply", "-f", file, "-f", more)
    assert done.returncode == 0, done.stderr
    assert '"1x" is no name of a variable: left out' in done.stderr and len(done.stderr.splitlines()) == 1 and SECRET not in done.stderr + done.stdout
    assert machine.env() == {**values, "ONE": SECRET, "SIZE_OF": "7", "SLACK_SECRET": JSON_SECRET, "TOKEN": "from a file", "S_COLOUR": "red",
                             "S_SIZE": "7", "PORT": "8080", "K_SERVICE": "kn-echo", "K_CONFIGURATION": "kn-echo", "K_REVISION": "kn-echo-00001"}
    assert mode(machine.secrets() / "lines") == 0o600
    readable = [p for p in machine.root.rglob("*") if p.is_file() and mode(p) & 0o077 and p.parts[-2] != "in-files"]
    assert not [p for p in readable if SECRET in p.read_text() or "hooks.example" in p.read_text()]
    assert SECRET not in json.dumps(machine.calls()) and "hooks" not in json.dumps(machine.calls())


def test_the_login_to_a_registry(machine):
    login = json.dumps({"auths": {"registry.example": {"auth": "dXNlcjpwYXNz"}}})
    machine.apply(service(pod={"imagePullSecrets": [{"name": "regcred"}]}), trigger(),
                  secret("regcred", "kubernetes.io/dockerconfigjson", **{".dockerconfigjson": login}))
    file = machine.secrets() / "login"
    assert file.read_text() == login and mode(file) == 0o600
    assert "--authfile=/etc/vcourier/secrets/function@kn-echo/login" in machine.unit()
    assert ["podman", "pull", "--quiet", "--authfile", str(file), "registry.example/veba/kn-echo:1.4"] in machine.calls()
    machine.apply(service(), trigger())
    assert not file.exists() and "authfile" not in machine.unit()


def test_an_image_from_a_file(machine):
    (machine.host / "images").write_text("")  # no registry
    archive = machine.path / "image.tar"
    archive.write_text("registry.example/veba/kn-echo:1.4")
    out = machine.apply(service(), trigger(), options=["--image-file", archive])
    assert "Loaded image: registry.example/veba/kn-echo:1.4" in out and not [c for c in machine.calls() if c[1] == "pull"]
    archive.write_text("registry.example/veba/other:1")
    assert "manifest unknown" in machine.apply(service(image="registry.example/veba/kn-echo:2"), trigger(), options=["--image-file", archive], code=1)


@pytest.mark.parametrize("egress, lines", [
    (["any"], []), (["none"], ["IPAddressDeny=any", "IPAddressAllow=localhost", "IPAddressAllow=10.88.0.0/16"]),
    (["10.1.0.0/16", "fd00::1"], ["IPAddressDeny=any", "IPAddressAllow=localhost", "IPAddressAllow=10.88.0.0/16", "IPAddressAllow=10.1.0.0/16",
                                  "IPAddressAllow=fd00::1"])])
def test_egress(machine, egress, lines):
    machine.apply(service(), trigger(), options=[word for e in egress for word in ("--egress", e)])
    assert [line for line in machine.unit().splitlines() if line.startswith("IPAddress")] == lines


def test_the_network_of_podman_may_always_connect(machine):
    """The requests of the dispatcher come from it, whatever addresses it has on this machine."""
    file = machine.file(service(), trigger())
    for said, networks in {
            functionhost.NETWORK.replace("10.88.0.", "10.99.0."): "10.99.0.0/16",  # default_subnet of containers.conf
            'time="2026-11-29T02:00:00Z" level=warning msg="[x] unknown"\n' + functionhost.NETWORK: "10.88.0.0/16",
            functionhost.NETWORK.replace('"10.88.0.1"\n               }', '"10.88.0.1"}, {"subnet": "fd00::/64"}'): "10.88.0.0/16 fd00::/64"}.items():
        (machine.host / "network").write_text(said)
        shown = machine.run("apply", "-f", file, "--egress", "none", "--dry-run")
        assert [line for line in shown.stdout.splitlines() if line.startswith("IPAddress")] == [
            "IPAddressDeny=any", "IPAddressAllow=localhost", f"IPAddressAllow={networks}"], shown


def test_a_network_of_podman_that_is_not_known(machine):
    """Without its addresses the dispatcher could not reach the function: nothing is written. A function without --egress does not need them."""
    before = machine.snapshot()
    for said in ("[]\nError: inspecting object: network podman: unable to find network with name or ID podman: network not found", "", "[", "[]",
                 "[7]", "[\n]", functionhost.NETWORK.replace("10.88.0.0/16", "10.88.0.0/16\\nExecStart=/bin/sh"),
                 functionhost.NETWORK.replace("subnets", "subnet")):
        (machine.host / "network").write_text(said)
        text = machine.apply(service(), trigger(), options=["--egress", "none"], code=1)
        assert "--egress needs" in text and text.count("\n") == 1
        assert machine.snapshot() == before
    assert machine.run("apply", "-f", machine.file(service(), trigger()), "--dry-run").returncode == 0


def test_the_commands_of_the_page(machine):
    """As printed, with the paths below the root."""
    wrapper = machine.bin / "vcourier"
    wrapper.write_text(f'#!/bin/sh\na=$1 b=$2; shift 2; exec {BUILD / "vcourier"} $a $b --root {machine.root} "$@"\n')
    wrapper.chmod(0o755)
    (machine.path / "slack.json").write_text(JSON_SECRET)
    machine.file(service("kn-ps-echo", envFrom=[{"secretRef": {"name": "slack-secret"}}]), trigger("kn-ps-echo"))
    fcntl.flock(machine.lock, fcntl.LOCK_EX)
    shown = ""
    for number in (2, 1):
        text = block("docs/functions.md", "Run the functions on this machine", number).text
        done = subprocess.run(["sh", "-ec", text.replace("/etc/", f"{machine.root}/etc/")], cwd=machine.path, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PATH": f"{machine.bin}:/usr/bin:/bin", "FUNCTION_HOST": str(machine.host),
                                   "FUNCTION_ROOT": str(machine.root)})
        assert done.returncode == 0, done.stderr
        shown += done.stdout
    assert re.search(r"^kn-ps-echo: applied.*^kn-ps-echo +running.*no module named vmware.*^kn-ps-echo: removed$", shown, re.M | re.S), shown


# ---- bad input

@pytest.mark.parametrize("change, words", [
    ({"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, ["containers[0].volumeMounts: is not possible for a function without Kubernetes"]),
    ({"pod": {"volumes": [{"name": "v"}]}}, ["template.spec.volumes: is not possible"]),
    ({"pod": {"initContainers": [{"name": "i"}]}}, ["initContainers: is not possible"]), ({"pod": {"hostNetwork": True}}, ["hostNetwork: is not"]),
    ({"lifecycle": {"preStop": {}}}, ["lifecycle: is not"]), ({"securityContext": {"privileged": True}}, ["privileged: is not"]),
    ({"securityContext": {"capabilities": {"add": ["NET_ADMIN"]}}}, ["capabilities.add: is not"]),
    ({"resources": {"limits": {"nvidia.com/gpu": "1"}}}, ["gpu: is not"]), ({"resources": {"limits": {"memory": "1 GB"}}}, ["must be a quantity"]),
    ({"resources": {"limits": {"memory": "100"}}}, ["at least 6Mi"]), ({"env": [{"name": "PORT", "value": "1"}]}, ['"PORT" is set by vcourier']),
    ({"env": [{"name": "A", "value": "$(B)"}]}, ["$(NAME) is not replaced"]), ({"env": [{"name": "a b", "value": ""}]}, ["no name of a variable"]),
    ({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}, ["fieldRef: is not"]),
    ({"env": [{"name": "A", "value": ["x"]}]}, ["env[0].value: must be a text"]), ({"env": [{"name": "LD_PRELOAD", "value": "a\nb"}]}, ["cannot have a value of several lines"]),
    ({"env": [{"name": "A", "value": "x" * 140000}]}, ["larger than 128 KiB"]), ({"ports": [{"containerPort": 1}, {"containerPort": 2}]}, ["one port"]),
    ({"ports": [{"containerPort": 70000}]}, ["containerPort", "1 to 65535"]), ({"ports": [{"containerPort": 53, "protocol": "UDP"}]}, ["protocol"]),
    ({"envFrom": [{"secretRef": {"name": "gone"}}]}, ['the Secret "gone" is in none of the files', "secrets/functions/gone"]),
    ({"envFrom": [{"secretRef": {"name": "../../etc"}}]}, ['"../../etc" is no name of a Secret']), ({"image": "--privileged"}, ["no name of an image"]),
    ({"image": "x\nExecStart=/bin/sh"}, ["no name of an image"]), ({"args": ["a", ""]}, ['an argument "" is only possible together with command']),
    ({"args": [";"]}, ["only possible together with command"]), ({"imagee": "x"}, ['imagee: unknown key (did you mean "image"?)'])])
def test_what_is_not_possible_is_named(machine, change, words):
    text = machine.refused(service(**change), trigger())
    assert re.match(r"function\.yaml:\d+:\d+: ", text) and all(word in text for word in words), text


@pytest.mark.parametrize("documents, words", [
    # an entry without a value
    (({**service(), "spec": {"template": {"spec": {"containers": [None]}}}}, trigger()), ["image is missing"]),
    (({**service(), "spec": {"template": None}}, trigger()), ["template is missing"]),
    (({**service(), "spec": None}, trigger()), ["spec"]),
    ((service(env=[None]), trigger()), ["env[0]"]),
    ((service(envFrom=[None]), trigger()), ["envFrom[0]"]),
    ((service(ports=[None]), trigger()), ["ports[0]"]),
    ((service(env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}]), trigger()), ["key is missing"]),
    ((service(env=[{"value": "x"}]), trigger()), ["name is missing"]),
    ([service(), service(), trigger()], ['a second Service with the name "kn-echo"']), ([service()], ["no Trigger in this file"]),
    ([service("../../x"), trigger("../../x")], ["must have 1 to 63 lower-case letters"]), ([service("A"), trigger("A")], ["must have 1 to 63"]),
    ([service(), trigger(broker="other")], ['the broker is "other", not "default"']), ([service(), trigger("kn-other")], ['no Service "kn-other"']),
    ([service(), trigger(filters=[{"cesql": "a = 1"}])], ["cesql is not supported"]), ([trigger()], ["no Service is in this file"]),
    ([service(), trigger(), {"url": "http://x/"}], ["is chosen here"]), ([secret("s", a="b")], ["no Service of serving.knative.dev is in this file"]),
    (["apiVersion: serving.knative.dev/v1\nkind: [\n"], ["function.yaml:"]), (["kind: Service\n"], ["no Service of serving.knative.dev"]),
    (["{}"], ["no Service"]), ([{**service(), "spec": {}}, trigger()], ["template is missing"]),
    ([{**service(), "spec": {"template": {"spec": {"containers": [{"image": "a"}, {"image": "b"}]}}}}, trigger()], ["containers[1]: a further container"]),
    ([{**service(), "spec": {"template": {"spec": {"containers": []}}}}, trigger()], ["a list with one container"])])
def test_manifests_that_are_wrong(machine, documents, words):
    text = machine.refused(*documents)
    assert text.startswith("function.yaml:") and all(word in text for word in words), text


def test_an_image_that_does_not_exist_changes_nothing(machine):
    machine.apply(service(), trigger())
    (machine.host / "images").write_text("registry.example/veba/kn-echo:1.4")
    before, port = machine.snapshot(), machine.port()
    machine.verbs()
    text = machine.apply(service(image="registry.example/veba/kn-echo:9.9"), trigger(), code=1)
    assert "function kn-echo: podman pull: Error:" in text and "manifest unknown" in text
    assert machine.snapshot() == before and machine.verbs() == [] and machine.ls()["kn-echo"]["state"] == "running"
    text = machine.apply(service("new", image="registry.example/veba/new:1"), trigger("new"), code=1)
    assert "manifest unknown" in text and set(machine.snapshot()) == set(before) and port == machine.port()
    text = machine.apply(service("new", image="registry.example/veba/new:1", imagePullPolicy="Never"), trigger("new"), code=1)
    assert "is not on this machine: --image-file" in text


def test_a_container_that_ends_at_once(machine):
    (machine.host / "kn-echo.ends").write_text("3")
    text = machine.apply(service(), trigger(), code=1)
    assert "function kn-echo: it has ended with status 3 (exit-code)" in text and "Traceback: no module named vmware" in text
    assert machine.ls()["kn-echo"]["state"] == "auto-restart" and machine.ls()["kn-echo"]["last_exit"] == 3
    (machine.host / "kn-echo.ends").unlink()
    assert "applied" in machine.apply(service(env=[{"name": "FIXED", "value": "1"}]), trigger())


def test_a_function_that_does_not_listen(machine):
    (machine.host / "kn-echo.silent").write_text("")
    text = machine.apply(service(), trigger(), code=1, options=["--timeout", "1s"])
    assert "it runs, but nothing answers on its port within 1 s; the variable PORT says" in text


def test_a_port_in_use(machine):
    machine.apply(service(), trigger())
    port = machine.port()
    machine.run("rm", "kn-echo")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        machine.apply(service(), trigger())
        assert machine.port() != port
        kept = machine.port()
    machine.apply(service(env=[{"name": "A", "value": "b"}]), trigger())
    assert machine.port() == kept, "a function keeps its port"
    machine.run("rm", "kn-echo")
    machine.apply(service(), trigger())
    assert machine.port() == port, "the same name has the same port"


def test_files_and_functions_of_others(machine):
    mine = machine.root / "etc/vcourier/functions/kn-echo.yaml"
    mine.write_text("url: http://10.0.0.1/\n")
    assert "kn-echo.yaml was not written by this command" in machine.refused(service(), trigger())
    mine.rename(mine.parent / "by-hand.yml")
    (mine.parent / "by-hand.yml").write_text("name: kn-echo\nurl: http://10.0.0.1/\n")
    assert 'the function "kn-echo" is in /etc/vcourier/functions/by-hand.yml already' in machine.refused(service(), trigger())
    assert machine.ls()["kn-echo"]["state"] == "-" and machine.run("rm", "kn-echo").returncode == 1 and (mine.parent / "by-hand.yml").exists()
    for name in ("../by-hand", "", "-x", "a/b"):
        assert machine.run("rm", "--", name).returncode == 1 and machine.run("logs", "--", name).returncode == 1


def test_a_directory_that_cannot_be_written(machine):
    (machine.root / "etc/containers").write_text("a file\n")
    text = machine.apply(service(), trigger(), code=1)
    assert "function kn-echo: " in text and "Not a directory" in text and not list((machine.root / "etc/vcourier/functions").iterdir())


def test_the_machine_lacks_something(machine):
    (machine.host / "podman.version").write_text("podman version 4.3.1")
    assert "podman 4.3 reads no .container files: 4.4 or later is needed" in machine.apply(service(), trigger(), code=1)
    (machine.bin / "podman").unlink()
    assert "podman is not installed" in machine.apply(service(), trigger(), code=1, env={"PATH": str(machine.bin)})
    (machine.host / "calls.jsonl").unlink()
    config = machine.root / "etc/vcourier/config.yaml"
    config.write_text(yaml.safe_dump({"eventProcessor": {"type": "knative", "name": "kn"}}))
    assert "has no eventProcessor of type functions" in machine.refused(service(), trigger())
    config.write_text(yaml.safe_dump({"eventProcessors": [{"type": "functions", "name": n, "functions": {"directory": f"/{n}"}} for n in "ab"]}))
    assert "has several eventProcessors of type functions: --dispatcher NAME" in machine.refused(service(), trigger())
    assert "No such file" in machine.refused(service(), trigger(), options=["-d", "b"])


def test_logs_are_journalctl(machine):
    machine.apply(service(), trigger())
    done = machine.run("logs", "kn-echo", "-f", "-n", "5")
    assert done.returncode == 0 and "no module named vmware" in done.stdout
    assert machine.calls()[-1] == ["journalctl", "--unit", "vcourier-function-kn-echo.service", "--output=short-iso", "--follow", "-n5"]
    assert machine.run("logs", "other").returncode == 1


@pytest.mark.parametrize("words, why", [(["apply"], "-f FILE is missing"), (["apply", "-f", "x", "--egress", "all"], "neither any, nor none"),
                                        (["apply", "-f", "x", "--egress", "any", "--egress", "10.0.0.0/8"], "stand alone"),
                                        (["apply", "-f", "x", "--timeout", "5"], "is no duration"), (["rm"], "NAME is missing")])
def test_usage(machine, words, why):
    done = machine.run(*words)
    assert done.returncode == USAGE and why in done.stderr, done.stderr


def test_two_at_once_give_different_ports(machine):
    """Both wait for the other at the lock, and see its ports."""
    names = [f"f{i}" for i in range(6)]
    files = {n: machine.file(service(n), trigger(n), name=f"{n}.yaml") for n in names}
    environment = {**os.environ, "PATH": f"{machine.bin}:/usr/bin:/bin", "FUNCTION_HOST": str(machine.host), "FUNCTION_ROOT": str(machine.root)}
    (machine.host / "here").write_text("registry.example/veba/kn-echo:1.4")
    fcntl.flock(machine.lock, fcntl.LOCK_EX)
    running = [subprocess.Popen([BUILD / "vcourier", "function", "apply", "-f", files[n], "--root", machine.root], env=environment,
                                stdout=subprocess.DEVNULL) for n in names]
    assert [p.wait(60) for p in running] == [0] * len(names)
    assert len({machine.port(n) for n in names}) == len(names)
