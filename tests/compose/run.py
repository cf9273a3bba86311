#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [pages]: runs the compose stack as users do: starts it, kills every container in turn under load, scales a dispatcher, checks that no
event is lost. With `pages` it runs the commands of the pages about compose instead (pages.py).

Skips with exit code 77 and a reason if there is no container engine and none can be started. COMPOSE="docker compose" or
COMPOSE=docker-compose selects the command; by default it is the first of these that is installed.
"""
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.request
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import pages  # noqa: E402
from engine import ROOT, Engine, NoEngine, run  # noqa: E402
from lab.nats_wire import Wire  # noqa: E402
from lab.process import free_port, wait_until  # noqa: E402
from lab.stored_events import subjects_by_id  # noqa: E402
from lab.vcenter import milliseconds  # noqa: E402

LIMIT = 25 * 60  # seconds for the whole test; it takes about eight minutes alone on two cores
SKIPPED = 77
BURST = 100
BACKENDS = {"knative": "dispatcher-knative", "gateway": "dispatcher-openfaas", "aws": "dispatcher-eventbridge"}
TOPICS = {"VmPoweredOnEvent", "VmPoweredOffEvent", "VmReconfiguredEvent", "UserLoginSessionEvent"}
ANY_CERTIFICATE = ssl._create_unverified_context()  # of the simulator itself


class Stack:
    def __init__(self, engine, secrets):
        self.port, self.secrets = free_port(), secrets
        self.environment = {**os.environ, "NATS_IMAGE": "vcourier-nats", "NATS_PORT": str(self.port), "EVENTS_PER_SECOND": "0", "SECRETS": str(secrets),
                            "COMPOSE_PROJECT_NAME": f"vcourier{os.getpid()}"}
        self.command = engine.compose
        self.wait = [] if engine.version.startswith("1.") else ["--wait", "--wait-timeout", "120"]  # not with 1.29
        self.before = {name: [] for name in BACKENDS}  # events that backends had received before they were killed

    def compose(self, *arguments):
        return run(*self.command, *arguments, cwd=ROOT / "compose", env=self.environment)

    def containers(self, service):
        return self.compose("ps", "-a", "-q", service).split()

    def inspect(self, container):
        return json.loads(run("docker", "inspect", container))[0]

    def healthy(self, container):
        state = self.inspect(container)["State"]
        return state["Running"] and state.get("Health", {}).get("Status", "healthy") == "healthy"

    def wait_healthy(self, service):
        wait_until(lambda: all(self.healthy(c) for c in self.containers(service)), 90, f"{service} is healthy")

    def get(self, service, port, path, scheme="http", data=None):
        """From the host directly to the container's address, because only the NATS port is published."""
        networks = self.inspect(self.containers(service)[0])["NetworkSettings"]["Networks"]
        address = next(iter(networks.values()))["IPAddress"]
        with urllib.request.urlopen(f"{scheme}://{address}:{port}{path}", context=ANY_CERTIFICATE if scheme == "https" else None,
                                    timeout=30, data=data) as reply:
            return reply.read().decode()

    def burst(self):
        self.get("vcenter", 8443, f"/lab/burst?n={BURST}", "https")

    def truth(self):
        """CloudEvent id of each event that the simulator shows."""
        lines = [line.split() for line in self.get("vcenter", 8443, "/lab/keys", "https").splitlines()]
        return {f"{key}-{milliseconds(created)}" for key, created, _, state in lines if state == "visible"}

    def stream(self):
        """{CloudEvent id: subject} of all of VC_lab."""
        admin = Wire(self.port, "admin", (self.secrets / "admin").read_text().strip())
        ids = subjects_by_id(admin)
        admin.close()
        return ids

    def received(self, backend):
        return self.before[backend] + json.loads(self.get(backend, 8080, "/received"))["ids"]

    def kill(self, service):
        """Sends SIGKILL from outside the engine, so that the restart policy restarts the container."""
        if service in self.before:  # a backend loses its state: make it refuse new events, and save what it has received
            self.get(service, 8080, "/down?on=1", data=b"")
            self.before[service] = self.received(service)
        container = self.containers(service)[0]
        started = self.inspect(container)["State"]["StartedAt"]
        os.kill(self.inspect(container)["State"]["Pid"], 9)
        wait_until(lambda: self.inspect(container)["State"]["StartedAt"] != started, 60, f"{service} is started again")
        self.wait_healthy(service)

    def check_events(self, what):
        """Checks that the stream has every event of the vCenter, and each backend every event of the stream that it wants."""
        truth = self.truth()
        wait_until(lambda: truth <= set(self.stream()), 90, f"{what}: events of vCenter missing in the stream")
        stream = self.stream()
        for backend in BACKENDS:
            wanted = {i for i, subject in stream.items() if backend != "gateway" or subject in TOPICS}
            wait_until(lambda: wanted <= set(self.received(backend)), 120,
                       lambda: f"{what}: {backend} misses {len(wanted - set(self.received(backend)))} of {len(wanted)}")
            received = set(self.received(backend))  # the stream may have grown since it was read
            assert received <= set(self.stream()), f"{what}: {backend} got what is not in the stream"
        print(f"{what}: {len(stream)} events in the stream, all delivered", flush=True)

    def figures(self, when):
        """Image sizes and resident memory of our containers."""
        for service in ("collector", *BACKENDS.values(), "nats"):
            container = self.inspect(self.containers(service)[0])
            size = int(run("docker", "image", "inspect", "-f", "{{.Size}}", container["Image"])) / 1e6
            status = Path(f"/proc/{container['State']['Pid']}/status").read_text()
            rss = int(status.split("VmRSS:")[1].split()[0]) / 1024
            print(f"{when}: {service:24} image {size:6.1f} MB   resident {rss:5.1f} MB", flush=True)

    def time_to_ready(self, service):
        """Seconds from the start of a container's process to the first 200 on /readyz, requested from the host."""
        container = self.containers(service)[0]
        run("docker", "restart", container)

        def ready():
            try:
                self.get(service, 8082, "/readyz")
                return datetime.now(timezone.utc)
            except OSError:
                return None
        end = wait_until(ready, 60, f"{service} is ready")
        return (end - datetime.fromisoformat(self.inspect(container)["State"]["StartedAt"])).total_seconds()


def exercise(stack):
    stack.compose("-f", "compose.yaml", "config", "-q")  # only the product
    stack.compose("up", "-d", *stack.wait)
    for service in ("nats", "vcenter", "collector", *BACKENDS, *BACKENDS.values()):
        stack.wait_healthy(service)
    stack.burst()
    stack.check_events("up")
    stack.figures("idle")
    shown = stack.compose("run", "--rm", "-T", "cli", "status")
    assert all(name in shown for name in ("VC_lab", "knative", "openfaas", "eventbridge")), shown
    tried = stack.compose("run", "--rm", "-T", "check")
    for peer in ("vCenter lab", "NATS", "knative", "openfaas", "aws_event_bridge"):
        assert re.search(rf"^ +ok +{peer}\b", tried, re.M), tried
    shown = stack.compose("logs", "collector", *BACKENDS.values())
    assert "passwordFile" not in shown and "secretKeyFile" not in shown, shown  # no warning about our own files
    for service in ("collector", *BACKENDS.values(), *BACKENDS, "nats"):
        stack.burst()
        stack.kill(service)
        stack.burst()
        stack.check_events(f"{service} killed")
    stack.burst()
    stack.compose("up", "-d", "--no-recreate", *stack.wait, "--scale", "dispatcher-knative=3")
    stack.wait_healthy("dispatcher-knative")
    assert len(stack.containers("dispatcher-knative")) == 3, "dispatcher-knative is not scaled"
    for _ in range(20):
        stack.burst()
    stack.figures("under load")
    stack.check_events("dispatcher-knative scaled to 3")
    stack.kill("vcenter")  # it loses its events and starts with a new database
    stack.burst()
    stack.check_events("vcenter killed and restarted")
    for service in ("collector", *BACKENDS.values()):
        print(f"{service}: ready {stack.time_to_ready(service):.2f} s after its start", flush=True)


def end_of_time(*_):
    raise AssertionError("stopped from outside, or not done in time")


def attempt(engine):
    """Builds and tests the stack, then removes it. Returns the exit code."""
    secrets = Path(tempfile.mkdtemp(prefix="vcourier-secrets-"))
    stack = Stack(engine, secrets)
    try:
        base = engine.base()
        engine.build(base)
        if sys.argv[1:] == ["pages"]:
            with tempfile.TemporaryDirectory(prefix="vcourier-pages-") as directory:
                pages.exercise(engine, base, directory)
        else:
            exercise(stack)
    except (AssertionError, OSError) as why:
        print(f"compose-test: FAILED: {why}", file=sys.stderr)
        subprocess.run([*stack.command, "logs", "--tail", "20"], cwd=ROOT / "compose", env=stack.environment, timeout=60)
        return 1
    finally:
        signal.alarm(0)
        stack.compose("down", "-v", "--remove-orphans", "-t", "5")
        shutil.rmtree(secrets)
    print("compose-test: passed")
    return 0


def main():
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, end_of_time)
    signal.alarm(LIMIT)
    try:
        engine = Engine()
        try:
            print(f"compose-test: {' '.join(engine.compose)} {engine.version}", flush=True)
            return attempt(engine)
        finally:
            engine.stop()
    except NoEngine as why:
        print(f"compose-test: SKIPPED: {why}", file=sys.stderr)
        return SKIPPED


if __name__ == "__main__":
    sys.exit(main())
