# SPDX-License-Identifier: Apache-2.0
"""docs/examples: each consumer reads by subject with a durable, continues where it stopped, and replays from a time."""
import calendar
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.bususers import SecuredNats
from lab.jetstream import clear
from lab.process import ROOT, Process, wait_until

EXAMPLES = ROOT / "docs" / "examples"
INTEROP = ROOT / "build" / "interop"  # downloaded by `make interop`: nats-py, npm nats
POWERED_ON = "vc.lab.Berlin.Prod-A.info.event.VmPoweredOnEvent"
HA = "vc.lab.Berlin.Prod-A.error.eventex.com.vmware.vc.HA.DasHostFailedEvent"
ESX = "vc.lab.Berlin.Prod-A.warning.eventex.esx.problem.net.connectivity.lost"


@pytest.fixture
def bus(tmp_path):
    bus = SecuredNats(tmp_path, "--vcenter", "lab", "--reader", "reports").start()
    collector = bus.login("collector-lab")
    collector.request("$JS.API.STREAM.CREATE.VC_lab", {"name": "VC_lab", "subjects": ["vc.lab.>"]})
    bus.keys, bus.stored = 0, []

    def store(subject, again=False):
        """Stores one event, or the last one a second time. Returns its id and the time at which the stream stored it."""
        bus.keys += not again
        event = {"specversion": "1.0", "id": f"{bus.keys}-1", "source": "https://vc/sdk", "type": "com.vmware.event.router/event",
                 "subject": subject.split(".", 6)[6], "datacontenttype": "application/json",
                 "data": {"Key": bus.keys, "FullFormattedMessage": f"message {bus.keys}"}}
        stored = collector.request(subject, json.dumps(event).encode(), {"Content-Type": "application/cloudevents+json"})
        got = collector.request("$JS.API.STREAM.MSG.GET.VC_lab", {"seq": stored.json()["seq"]}).json()
        bus.stored.append((event["id"], got["message"]["time"]))
        return bus.stored[-1]

    bus.store = store
    yield bus
    bus.stop()


def build(language, directory):
    """(argv, environment) of an example. Skips with a reason if a library is missing."""
    program = directory / "consumer"
    if language == "c":
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", EXAMPLES / "consumer.c", "-o", program, "-lnats"], check=True)
        return [program], {}
    if language == "go":
        if not Path("/usr/share/gocode/src/github.com/nats-io/nats.go").exists():
            pytest.skip("golang-github-nats-io-go-nats-dev is not installed")
        environment = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "", "GOCACHE": str(ROOT / "build/go-cache")}
        subprocess.run(["/usr/bin/go", "build", "-o", program, EXAMPLES / "consumer.go"], check=True,
                       env={**os.environ, **environment})
        return [program], {}
    if language == "java":
        if not list((INTEROP / "java").glob("jnats-*.jar")) or not shutil.which("javac"):
            pytest.skip("jnats or a JDK is not installed: `make interop` fetches jnats")
        subprocess.run(["javac", "-nowarn", "-d", directory, "-cp", f"{INTEROP}/java/*", EXAMPLES / "Consumer.java"], check=True)
        return ["java", "-cp", f"{directory}:{INTEROP}/java/*", "Consumer"], {}
    if language == "rust":
        if not (INTEROP / "rust/debug/consumer").exists():
            pytest.skip("the Rust example is not built: `make interop` does it with cargo")
        return [INTEROP / "rust/debug/consumer"], {}
    if language == "python":
        if not (INTEROP / "python" / "nats").exists():
            pytest.skip("nats-py is not installed: `make interop` fetches it")
        return [sys.executable, EXAMPLES / "consumer.py"], {"PYTHONPATH": str(INTEROP / "python")}
    if not (INTEROP / "node_modules" / "nats").exists() or not shutil.which("node"):
        pytest.skip("npm's nats or node is not installed: `make interop` fetches it")
    return ["node", EXAMPLES / "consumer.js"], {"NODE_PATH": str(INTEROP / "node_modules")}


def ids(process):
    """The ids that a consumer printed. The C example prints whole CloudEvents, the others a line that begins with the id."""
    lines = process.text().splitlines()
    if any(not re.match(r'\{|\d+-\d+ ', line) for line in lines):
        return lines
    return [json.loads(line)["id"] if line.startswith("{") else line.split()[0] for line in lines]


@pytest.mark.parametrize("language", ["c", "go", "python", "javascript", "java", "rust"])
def test_example(language, request, tmp_path):
    argv, environment = build(language, tmp_path)  # may take minutes, after which the server closes an idle connection
    bus = request.getfixturevalue("bus")

    def consume(durable, subject, expect, *since):
        """Runs the example until it has printed as many ids as expected."""
        user = "reader-reports"
        url = [f"127.0.0.1:{bus.port}", user, bus.password(user)] if language in ("javascript", "rust") else [bus.url_for(user)]
        runs = len(list(tmp_path.glob("consumer-*.log")))
        process = Process(f"consumer-{runs}", [*argv, *url, "VC_lab", durable, subject, *since], tmp_path, environment).start()
        try:
            wait_until(lambda: len(ids(process)) >= len(expect) or not process.running(), 30, process.text)
            wait_until(lambda: not process.running() or acknowledged(bus, durable), 30, "acknowledged")
        finally:
            process.kill()
        # an event that the server gives to the pull of a killed consumer comes again only after ack_wait, 30 s
        wait_until(lambda: consumer_info(bus, durable)["num_waiting"] == 0, 30, "the server forgets its pull")
        assert ids(process) == expect, process.text()

    stored = {bus.store(subject)[0]: subject for subject in (POWERED_ON, HA, ESX, HA)}
    if language != "c":
        bus.store(HA, again=True)  # the example leaves it out
    ha = [event for event, subject in stored.items() if subject == HA]
    consume("reports", "vc.lab.*.*.*.eventex.com.vmware.vc.HA.>", ha)
    later, _ = bus.store(HA)
    consume("reports", "vc.lab.*.*.*.eventex.com.vmware.vc.HA.>", [later])  # the durable has kept its position
    clear(bus.login("reader-reports"), "VC_lab", "reports")
    replayed = [bus.store(POWERED_ON) for _ in range(2)]
    since = replayed[0][1]
    if language == "c":  # whole seconds
        since = str(calendar.timegm(time.strptime(since[:19], "%Y-%m-%dT%H:%M:%S")))
        replayed = [(event, stored) for event, stored in bus.stored if stored[:19] >= replayed[0][1][:19]]
    consume("reports", "vc.lab.>", [event for event, _ in replayed], since)


def consumer_info(bus, durable):
    return bus.login("reader-reports").request(f"$JS.API.CONSUMER.INFO.VC_lab.{durable}").json()


def acknowledged(bus, durable):
    info = consumer_info(bus, durable)
    return info["num_pending"] == 0 and info["num_ack_pending"] == 0


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("[Cc]onsumer.*")), ids=lambda p: p.name)
def test_example_is_under_40_lines(example):
    code = [line for line in example.read_text().splitlines() if line.strip() and not line.strip().startswith(("//", "#"))]
    assert len(code) < 40
