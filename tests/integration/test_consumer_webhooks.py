# SPDX-License-Identifier: Apache-2.0
"""docs/consumers: tools with an HTTP input get the events of a real collector from a dispatcher, as the recipes say. `make interop` fetches the tools."""
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest
import yaml

from lab.process import ROOT, Process, free_port, wait_until
from lab.product import provider, router_config
from lab.receiver import Answer
from lab.stream import ends
from lab.vcenter import milliseconds

sys.path.insert(0, str(ROOT / "tests/pages"))
from page import block  # noqa: E402

RECIPES = ROOT / "docs" / "consumers"
INTEROP = ROOT / "build" / "interop"
TOKEN = "t0ken"


def replaced(text, **values):
    for old, new in values.items():
        assert old in text, old
        text = text.replace(old, str(new))
    return text


@pytest.fixture
def source(lab):
    """A simulator and a collector that reads its history. events(name): what the simulator itself says, {id: event}."""
    lab.bus, lab.vc = lab.nats(), lab.vcenter("-backlog", "50")
    lab.provider = provider(lab.vc, startFrom="earliest")
    lab.collector(router_config(lab.bus, lab.authority.ca, [lab.provider]))

    def events(name=None):
        found = {f"{e['Key']}-{milliseconds(e['CreatedTime'])}": e for e in lab.vc.json()}
        kinds = {f"{key}-{created}": kind for (key, created), (kind, _) in lab.vc.events().items()}
        return {id: e for id, e in found.items() if name in (None, kinds[id])}

    lab.events = events
    return lab


def dispatcher(lab, name, port, token=TOKEN):
    """The dispatcher of the recipe, with the port and the token of this test."""
    entry = yaml.safe_load((RECIPES / name / "dispatcher.yaml").read_text())
    (lab.directory / "token").write_text(token)
    knative = entry["knative"]
    knative["destination"]["uri"] = f"http://127.0.0.1:{port}/" + knative["destination"]["uri"].split("/", 3)[3]
    knative["auth"]["bearer"]["tokenFile"] = str(lab.directory / "token")
    entry["retry"] = {"initial": "200ms", "max": "1s"}
    return lab.dispatcher(router_config(lab.bus, lab.authority.ca, [lab.provider], [entry])).wait_ready()


def stored(folder):
    """The whole lines of Filebeat's files."""
    return [json.loads(line) for path in folder.glob("events*") for line in path.read_text().splitlines(True) if line.endswith("\n")]


def test_filebeat(source):
    """Events wait in the stream while Filebeat does not run; those in its queue on the disk survive its kill."""
    lab, program = source, INTEROP / "bin" / "filebeat"
    if not program.exists():
        pytest.skip("filebeat is not built: make interop")
    port, home, out = free_port(), lab.directory / "filebeat", lab.directory / "out"
    home.mkdir()
    recipe = replaced((RECIPES / "filebeat" / "filebeat.yml").read_text(), **{"8080": port, "/var/lib/filebeat/out": out})
    unreachable = recipe.split("output.file:")[0] + 'output.elasticsearch: {hosts: ["127.0.0.1:1"]}\n' + \
        "setup.ilm.enabled: false\nsetup.template.enabled: false\n"

    def run(name, text):
        config = home / f"{name}.yml"
        config.write_text(text)
        config.chmod(0o600)
        return lab._keep(Process(name, [program, "-e", "-c", config, "--path.home", home], lab.directory, {"EVENTS_TOKEN": TOKEN})).start()

    def all_stored(beat):
        wait_until(lambda: not beat.running() or {o["vcenter"]["id"] for o in stored(out)} >= set(lab.events()), 120, beat.text)
        assert beat.running(), beat.text()

    def queued():
        """It answers before the event is on the disk."""
        text = b"".join(path.read_bytes() for path in (home / "data" / "diskqueue").glob("*.seg"))
        return all(id.encode() in text for id in lab.events())

    beat = run("filebeat-1", unreachable)
    wait_until(lambda: not beat.running() or beat.lines("Starting HTTP server"), 60, beat.text)
    kn = dispatcher(lab, "filebeat", port, "wrong")
    wait_until(lambda: kn.lines("deliveries pause.* status=401"), 60, kn.text)
    (lab.directory / "token").write_text(TOKEN)  # read again: the events that were refused come now
    wait_until(lambda: not beat.running() or queued(), 60, beat.text)
    beat.kill()
    lab.vc.burst(20)
    beat = run("filebeat-2", recipe)
    all_stored(beat)
    assert beat.stop() == 0
    lab.vc.burst(20)
    all_stored(run("filebeat-3", recipe))
    found = {o["vcenter"]["id"]: o for o in stored(out)}
    wanted = lab.events()
    for id, line in found.items():
        assert line["vcenter"]["data"]["FullFormattedMessage"] == wanted[id]["FullFormattedMessage"]
        assert milliseconds(line["@timestamp"]) == milliseconds(wanted[id]["CreatedTime"])
    assert ends(kn)["dead"] == 0
    assert len({o["@metadata"]["_id"] for o in found.values()}) == len(found), "an id of its own for each document"


class N8n:
    """n8n in the test's folder, with the workflow of the recipe and the commands of the page."""

    def __init__(self, lab, action):
        self.lab, self.port, self.runs, self.home = lab, free_port(), 0, lab.directory / "n8n"
        folder = INTEROP / "n8n"
        for name, values in (("credentials", {"CHANGE-ME": TOKEN}), ("workflow", {"http://127.0.0.1:9000": action})):
            file = self.home / f"{name}.json"
            self.home.mkdir(exist_ok=True)
            file.write_text(replaced((RECIPES / "n8n" / file.name).read_text(), **values))
        program = self.home / "bin" / "n8n"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {folder}/node {folder}/node_modules/n8n/bin/n8n "$@"\n')
        program.chmod(0o755)
        self.env = {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(self.home), "N8N_USER_FOLDER": str(self.home),
                    "N8N_PORT": str(self.port), "N8N_RUNNERS_BROKER_PORT": str(free_port())}
        *first, last = block("docs/consumers.md", "n8n").text.splitlines()
        assert last == "n8n start"
        self.variables = [line for line in first if line.startswith("export ")]
        done = subprocess.run(["sh", "-ec", "\n".join(first)], cwd=self.home, env={**os.environ, **self.env}, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    def start(self):
        self.runs += 1
        script = "\n".join([*self.variables, "exec n8n start"])
        return self.lab._keep(Process(f"n8n-{self.runs}", ["sh", "-ec", script], self.lab.directory, self.env)).start()

    def post(self, token):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/webhook/vcenter-powered-off", b"{}",
                                         {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=60)
        return refused.value.code


def test_n8n(source):
    """Each event of the filter causes an action: also one whose action failed, one during whose action n8n was killed, and those that came while it was down."""
    lab = source
    if not (INTEROP / ".n8n").exists():
        pytest.skip("n8n is not installed: make interop")
    failed, held, go_on = [], [], threading.Event()

    def answer(request):
        """The first action fails. The first of the second run has no answer until n8n is killed."""
        id = request.json()["id"]
        if not failed:
            failed.append(id)
            return Answer(503)
        if n8n.runs == 2 and not held:
            held.append(id)
            go_on.wait(60)
            return Answer(0)
        return Answer(200)

    action = lab.receiver(answer)
    n8n = N8n(lab, action.url)

    def done(requests):
        return {r.json()["id"] for r in requests if r.status == 200}

    def all_done(process):
        wanted = lab.events("VmPoweredOffEvent")
        action.wait_for(lambda requests: not process.running() or done(requests) >= set(wanted), 300, process.text)
        assert process.running(), process.text()
        wait_until(lambda: ends(kn)["delivered"] >= len(wanted), 60, "n8n has answered for each event")
        return wanted

    lab.vc.burst(10, tmpl="VmPoweredOffEvent")
    lab.vc.burst(10)
    kn = dispatcher(lab, "n8n", n8n.port)  # n8n is down: the events wait
    process = n8n.start()
    all_done(process)
    assert failed[0] in done(action.requests)
    assert n8n.post("wrong") == 403
    assert process.stop(120) is not None
    lab.vc.burst(10, tmpl="VmPoweredOffEvent")
    process = n8n.start()
    action.wait_for(lambda _: not process.running() or held, 300, process.text)
    process.kill()
    go_on.set()
    wanted = all_done(n8n.start())
    assert done(action.requests) == set(wanted) and len(wanted) >= 20 and held[0] in wanted
    for request in action.requests:
        event = wanted[request.json()["id"]]
        assert request.path == "/powered-off" and request.json() == {
            "id": request.json()["id"], "vm": event["Vm"]["Name"], "user": event["UserName"], "message": event["FullFormattedMessage"]}
    assert ends(kn)["dead"] == 0
