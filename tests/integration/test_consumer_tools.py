# SPDX-License-Identifier: Apache-2.0
"""docs/consumers: ready-made tools read events as the recipes say. The real programs come from registries, with `make interop`."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lab.bususers import SecuredNats
from lab.process import ROOT, Process, free_port, wait_until
from lab.receiver import Answer
from lab.stream import event, subject

RECIPES = ROOT / "docs" / "consumers"
INTEROP = ROOT / "build" / "interop"


@pytest.fixture
def bus(lab):
    """A server with the users of the recipes. store() publishes an event as the collector."""
    connectors = [word for name in ("telegraf", "node-red", "chat", "notify") for word in ("--connector", name, "--subject", "vc.lab.>")]
    bus = lab._keep(SecuredNats(lab.directory, "--vcenter", "lab", *connectors)).start()
    collector = bus.login("collector-lab")
    assert "error" not in collector.request("$JS.API.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"]}).json()
    bus.stored = []

    def store(name="HostConnectionLostEvent", severity="error", **data):
        n = len(bus.stored) + 1
        body = event(n, name, {"Key": n, "FullFormattedMessage": f"message {n}", **data}, severity=severity)
        assert collector.request(subject(name, severity), body, {"Content-Type": "application/cloudevents+json"}).json()["seq"] == n
        bus.stored.append(f"{n}-1700000000000")
        return bus.stored[-1]

    bus.store = store
    yield bus
    refused = [line for line in bus.text().splitlines() if "Violation" in line]
    assert refused == [], "the tool works without a refused request"


def recipe(name, bus, **values):
    """The file with the names of this test."""
    text = (RECIPES / name).read_text().replace("nats://host:4222", bus.url).replace("vc1", "lab")
    for old, new in values.items():
        assert old in text
        text = text.replace(old, str(new))
    return text


def objects(path):
    """The whole lines of a file of JSON lines."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(True) if line.endswith("\n")]


def test_telegraf(lab, bus):
    program = INTEROP / "bin" / "telegraf"
    if not program.exists():
        pytest.skip("telegraf is not built: make interop")
    out, config = lab.directory / "events.json", lab.directory / "telegraf.conf"
    config.write_text(recipe("telegraf.conf", bus).replace("/var/lib/telegraf/events.json", str(out)))
    telegraf = lab._keep(Process("telegraf", [program, "--config", config], lab.directory, {"NATS_PASSWORD": bus.password("connector-telegraf")}))
    telegraf.start()
    wait_until(lambda: not telegraf.running() or bus.store() and objects(out), 60, telegraf.text)
    first = objects(out)[0]["fields"]["id"]
    for _ in range(5):
        bus.store("VmPoweredOnEvent", "info")
    wanted = bus.stored[bus.stored.index(first):]
    wait_until(lambda: {o["fields"]["id"] for o in objects(out)} >= set(wanted), 60, telegraf.text)
    metric = next(o for o in objects(out) if o["fields"]["id"] == bus.stored[-1])
    assert metric["name"] == "vcenter_event" and metric["tags"] == {
        "event": "VmPoweredOnEvent", "severity": "info", "subject": subject("VmPoweredOnEvent")}
    assert metric["fields"]["message"] == f"message {len(bus.stored)}" and metric["timestamp"] == 1795342272  # 2026-11-22T10:11:12Z


def flow(code, out):
    """A function node, and a file node that writes its messages."""
    return [
        {"id": "tab", "type": "tab", "label": "vCenter", "env": []},
        {"id": "events", "type": "function", "z": "tab", "name": "events", "func": "return msg;", "outputs": 1, "initialize": code,
         "finalize": 'const nc = context.get("connection"); if (nc) nc.close();', "libs": [{"var": "nats", "module": "nats"}],
         "x": 100, "y": 100,
         "wires": [["text"]]},
        {"id": "text", "type": "json", "z": "tab", "property": "payload", "action": "str", "x": 300, "y": 100, "wires": [["file"]]},
        {"id": "file", "type": "file", "z": "tab", "filename": str(out), "filenameType": "str", "appendNewline": True,
         "overwriteFile": "false", "x": 500, "y": 100, "wires": [[]]},
    ]


def test_node_red(lab, bus):
    """Stored events arrive once, also those that were stored while Node-RED did not run."""
    modules = INTEROP / "node_modules"
    if not (modules / "node-red").exists() or not shutil.which("node"):
        pytest.skip("node-red is not installed: make interop")
    home, out = lab.directory / "node-red", lab.directory / "events.jsonl"
    home.mkdir()
    (home / "node_modules").symlink_to(modules)  # as Node-RED itself installs a module of a function node
    (home / "package.json").write_text(json.dumps({"name": "node-red-project", "private": True, "version": "0.0.1",
                                                   "dependencies": {"nats": "2.29.3"}}))
    (home / "settings.js").write_text("module.exports = { httpAdminRoot: false, httpNodeRoot: false, uiHost: '127.0.0.1', credentialSecret: false, "
                                      "functionExternalModules: true, telemetry: { enabled: false } };\n")
    (home / "flows.json").write_text(json.dumps(flow(recipe("node-red.js", bus), out)))
    env = {"NATS_URL": bus.url, "NATS_PASSWORD": bus.password("connector-node-red")}

    def run(name, expected):
        red = lab._keep(Process(name, ["node", modules / "node-red" / "red.js", "-u", home, "-p", free_port(), "flows.json"], lab.directory, env))
        red.start()
        wait_until(lambda: not red.running() or [o["id"] for o in objects(out)] >= expected, 120, red.text)
        assert [o["id"] for o in objects(out)] == expected, red.text()
        wait_until(lambda: settled(), 60, "acknowledged")
        assert red.stop() is not None

    def settled():
        info = bus.login("connector-node-red").request("$JS.API.CONSUMER.INFO.VC_lab.node-red").json()
        return info["num_pending"] == 0 and info["num_ack_pending"] == 0

    errors = [bus.store(), bus.store()]
    bus.store("VmPoweredOnEvent", "info")  # not selected
    run("node-red-1", errors)
    errors += [bus.store(), bus.store()]
    run("node-red-2", errors)


def test_ansible_rulebook(lab, stream):
    """A playbook runs for the event that the rule selects, delivered by the dispatcher of the recipe."""
    folder = INTEROP / "rulebook" / "bin"
    if not (folder / "ansible-rulebook").exists() or not shutil.which("java"):
        pytest.skip("ansible-rulebook or a Java runtime is not installed: make interop")
    port, log, home, token = free_port(), lab.directory / "powered-off.log", lab.directory / "ansible", "t0ken"
    shutil.copytree(RECIPES / "ansible", home)
    text = (home / "rulebook.yml").read_text()
    assert "port: 5000" in text
    (home / "rulebook.yml").write_text(text.replace("port: 5000", f"port: {port}"))
    playbook = (home / "powered-off.yml").read_text()
    assert "/tmp/powered-off.log" in playbook
    (home / "powered-off.yml").write_text(playbook.replace("/tmp/powered-off.log", str(log)))
    (home / "eda-token").write_text(token)
    rulebook = lab._keep(Process("ansible-rulebook", ["env", "-C", home, folder / "ansible-rulebook", "--rulebook", home / "rulebook.yml", "--inventory", home / "inventory.yml",
                                                      "--env-vars", "EDA_TOKEN", "--print-events"], lab.directory,
                                 {"EDA_TOKEN": token, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(home), "ANSIBLE_HOME": str(home / "home"),
                                  "ANSIBLE_LOCALHOST_WARNING": "false"}))
    rulebook.start()
    entry = yaml.safe_load((home / "dispatcher.yaml").read_text())
    entry["knative"]["destination"]["uri"] = f"http://127.0.0.1:{port}/events"
    entry["knative"]["auth"]["bearer"]["tokenFile"] = str(home / "eda-token")
    entry["retry"] = {"initial": "200ms", "max": "1s"}
    lab.dispatcher(stream.config(entry)).wait_ready()  # before the webhook listens: it is tried again until it does
    for n, (name, vm) in enumerate([("VmPoweredOnEvent", "web-1"), ("VmPoweredOffEvent", "db-1"), ("VmPoweredOffEvent", "WEB-2")], 1):
        stream.publish(1, name, data={"Key": n, "UserName": "LAB\\jane", "Vm": {"Name": vm}})
    wait_until(lambda: not rulebook.running() or log.exists() and log.read_text().endswith("\n"), 60, rulebook.text)
    assert log.exists(), rulebook.text()
    assert log.read_text() == "3-1700000000000 WEB-2 LAB\\jane\n", rulebook.text()


class Script:
    """A recipe in Python that sends each event on, with a shorter pause after a failure. Its durable has its name."""

    def __init__(self, lab, bus, name):
        text = (RECIPES / f"{name}.py").read_text()
        assert "msg.nak(delay=10)" in text
        self.lab, self.bus, self.name, self.file = lab, bus, name, lab.directory / f"{name}.py"
        self.file.write_text(text.replace("msg.nak(delay=10)", "msg.nak(delay=0.2)"))

    def start(self, process, destination):
        return self.lab._keep(Process(process, [sys.executable, self.file, self.bus.url_for(f"connector-{self.name}"), "VC_lab", self.name, "vc.lab.*.*.error.>",
                                                destination], self.lab.directory, {"PYTHONPATH": str(INTEROP / "python")})).start()

    def wait_acknowledged(self, process):
        def pending():
            return self.bus.login(f"connector-{self.name}").request(f"$JS.API.CONSUMER.INFO.VC_lab.{self.name}").json()["num_ack_pending"]
        wait_until(lambda: not process.running() or pending() == 0, 30, process.text)


def test_chat(lab, bus):
    """A webhook that fails gets the message again; the next start continues after the last message."""
    if not (INTEROP / "python" / "nats").exists():
        pytest.skip("nats-py is not installed: make interop")
    answers = [Answer(500), Answer(200), Answer(200), Answer(200)]
    receiver, webhook = lab.receiver(lambda request: answers.pop(0)), lab.directory / "webhook"
    webhook.write_text(f"{receiver.url}/services/T/B\n")
    script = Script(lab, bus, "chat")

    def run(name, count):
        chat = script.start(name, webhook)
        receiver.wait_for(lambda requests: len(requests) >= count)
        script.wait_acknowledged(chat)
        chat.kill()

    bus.store()
    bus.store("VmPoweredOnEvent", "info")
    run("chat-1", 2)
    bus.store(FullFormattedMessage="<!channel> down")
    run("chat-2", 3)
    assert [r.json()["text"] for r in receiver.requests] == 2 * ["*error* HostConnectionLostEvent: message 1"] + [
        "*error* HostConnectionLostEvent: &lt;!channel> down"]


def test_notify(lab, bus):
    """Apprise: an event that one of two services refuses is sent again, to both."""
    if not (INTEROP / "python" / "apprise").exists():
        pytest.skip("apprise is not installed: make interop")
    answers = [Answer(500), Answer(200), Answer(200)]
    first, second = lab.receiver(lambda request: answers.pop(0)), lab.receiver(lambda request: Answer(200))
    urls = lab.directory / "urls"
    urls.write_text(f"json://127.0.0.1:{first.port}/first\njson://127.0.0.1:{second.port}/second\n")
    script = Script(lab, bus, "notify")
    (lab.directory / "wrong").write_text("no-service://x\n")
    wrong = script.start("notify-wrong", lab.directory / "wrong")
    assert wrong.wait(60) == 1 and "is no URL of Apprise" in wrong.text()
    bus.store()
    bus.store("VmPoweredOnEvent", "info")
    bus.store()
    notify = script.start("notify", urls)
    wait_until(lambda: not notify.running() or len(first.requests) >= 3 and len(second.requests) >= 3, 60, notify.text)
    script.wait_acknowledged(notify)
    for receiver, path in ((first, "/first"), (second, "/second")):
        assert sorted(r.json()["message"] for r in receiver.requests) == ["message 1", "message 1", "message 3"], notify.text()
        assert {(r.path, r.json()["title"], r.json()["type"]) for r in receiver.requests} == {(path, "error HostConnectionLostEvent", "failure")}


def test_every_recipe_is_on_the_page():
    page = (ROOT / "docs" / "consumers.md").read_text()
    for file in RECIPES.rglob("*.*"):
        assert f"consumers/{file.relative_to(RECIPES)}" in page, file


def test_configurations_are_valid(tmp_path):
    """The dispatcher entries of the recipes, checked by `vcourier check`."""
    from lab.process import BUILD
    from lab.stream import PROVIDER
    for file in RECIPES.rglob("dispatcher.yaml"):
        config = {"apiVersion": "event-router.vmware.com/v1alpha1", "kind": "RouterConfig", "metadata": {"name": "x"}, "bus": {"urls": ["nats://127.0.0.1:1"]},
                  "eventProvider": PROVIDER, "eventProcessor": yaml.safe_load(file.read_text().replace("/etc/vcourier/secrets", str(tmp_path)))}
        Path(config["eventProcessor"]["knative"]["auth"]["bearer"]["tokenFile"]).write_text("x")
        (tmp_path / "config.yaml").write_text(json.dumps(config))
        run = subprocess.run([BUILD / "vcourier", "check", tmp_path / "config.yaml"], capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
