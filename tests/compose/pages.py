# SPDX-License-Identifier: Apache-2.0
"""The blocks of docs/compose.md and docs/functions.md, as they are printed, in a checkout like that of a reader. run.py runs them.

Images and ports come from the variables of the page's table, because no registry is reached. The peers of "A real vCenter" are the stand-ins
in containers of their own. Horizon's double runs on the host."""
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "pages")]
import page  # noqa: E402
from engine import ROOT, run  # noqa: E402
from lab import horizon  # noqa: E402
from lab.lab import Lab  # noqa: E402
from lab.process import free_port, wait_until  # noqa: E402

PAGE, START, REAL, IMAGES = "docs/compose.md", "Run with Docker Compose", "A real vCenter and real backends", "The images"
SOURCES = "A webhook and Horizon"
FUNCTIONS, WITH_COMPOSE = "docs/functions.md", "With compose"
PASSWORD = "a password of the test"
PEERS = {"vcenter": ["-e", f"VCENTER_SIM_PASSWORD={PASSWORD}", "vcourier-simulator", "-listen", "0.0.0.0:8443", "-real", "20"],
         "knative": ["vcourier-standins", "-role", "knative"]}


class Reader:
    """Commands in a checkout. docker-compose 1.29 takes the place of `docker compose` where that is not installed."""

    def __init__(self, engine, base, directory):
        self.engine, self.checkout = engine, Path(directory) / "checkout"
        self.checkout.mkdir()
        context = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!") and "compose/" not in line]
        for name in (".dockerignore", "compose", *context):
            (self.checkout / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.checkout / name, symlinks=True)
            else:
                shutil.copy2(ROOT / name, self.checkout / name)
        self.compose = self.checkout / "compose"
        self.project = f"vcourierpages{os.getpid()}"
        self.console_port, self.webhook_port = free_port(), free_port()
        self.environment = {**os.environ, "NATS_IMAGE": "vcourier-nats", "BASE": base, "NATS_PORT": str(free_port()), "CONSOLE_PORT": str(self.console_port),
                            "COMPOSE_PROJECT_NAME": self.project, "WEBHOOK_ADDRESS": f"127.0.0.1:{self.webhook_port}",
                            "VCENTER_PASSWORD": PASSWORD, "WEBHOOK_PASSWORD": PASSWORD, "HORIZON_PASSWORD": horizon.PASSWORD}

    def text(self, name, heading, number=1):
        return page.block(name, heading, number).text.replace("docker compose", " ".join(self.engine.compose))

    def sh(self, script, directory=None):
        return run("sh", "-euc", script, cwd=directory or self.compose, env=self.environment)

    def healthy(self, *services, seconds=120):
        for service in services:
            wait_until(lambda: self.state(service) == "healthy", seconds, f"{service} is healthy")

    def container(self, service):
        return run("docker", "ps", "-q", "--filter", f"label=com.docker.compose.project={self.project}",
                   "--filter", f"label=com.docker.compose.service={service}").strip()

    def state(self, service):
        name = self.container(service)
        return run("docker", "inspect", "-f", "{{.State.Health.Status}}", name).strip() if name else "not there"

    def logs(self, container):
        done = subprocess.run(["docker", "logs", container], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    def down(self, *files):
        run(*self.engine.compose, *files, "down", "-v", "--remove-orphans", "-t", "5", cwd=self.compose, env=self.environment)


def first(reader):
    """The stack in the foreground, then the functions and the console, then Ctrl-C."""
    script = reader.text(PAGE, START)
    with open(reader.checkout.parent / "up.log", "wb") as log:
        up = subprocess.Popen(["sh", "-euc", script], cwd=reader.checkout, env=reader.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                              start_new_session=True)
    try:
        reader.healthy("nats", "collector", "dispatcher-knative", "dispatcher-openfaas", "dispatcher-eventbridge", seconds=900)  # it builds first
        wait_until(lambda: "VmPoweredOnEvent" in reader.logs(reader.container("knative")), 120, "the stand-in prints an event")
        reader.sh(reader.text(FUNCTIONS, WITH_COMPOSE))
        reader.healthy("dispatcher-functions")
        (reader.compose / "password.txt").write_text(PASSWORD + "\n")
        reader.sh(reader.text(PAGE, IMAGES))
        users = reader.compose / "local/secrets/services/console/users"
        wait_until(users.exists, 60, "the service `volume` gives the users to the console")  # logins before that would be slowed down
        wait_until(lambda: logged_in(reader.console_port), 60, "olga logs in at the console")
    finally:
        os.killpg(up.pid, signal.SIGINT)
        up.wait(120)
        reader.down()
    print("pages: docs/compose.md and docs/functions.md, the local stack, functions and console: passed", flush=True)


def logged_in(port):
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    try:
        connection.request("POST", "/api/login", json.dumps({"user": "olga", "password": PASSWORD}), {"Content-Type": "application/json"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def sources(reader, peers):
    """A webhook and a Horizon beside the vCenter. The reader writes the address of Horizon into the block of the page."""
    lab = Lab(reader.checkout.parent / "horizon")
    try:
        pod = horizon.Horizon(lab, host="")
        pod.add(3, message="of a Horizon")
        gateway = run("docker", "network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", f"{reader.project}_default").strip()
        block = reader.text(PAGE, SOURCES)
        assert "address: https://horizon.example.com\n" in block
        with open(reader.compose / "my.yaml", "a", encoding="utf-8") as file:
            file.write(block.replace("https://horizon.example.com\n", f"https://{gateway}:{pod.receiver.port}\n      insecureSSL: true\n      startFrom: earliest\n"))
        reader.sh(reader.text(PAGE, SOURCES, 2))
        reader.healthy("nats", "collector", "collector-webhook", "collector-horizon", "dispatcher-knative")
        shown = reader.sh(reader.text(PAGE, SOURCES, 3).replace("localhost:8080", f"localhost:{reader.webhook_port}"))
        assert "Hello" in shown, shown
        for text in ("Hello", "AGENT_CONNECTED"):
            wait_until(lambda: text in reader.logs(peers["knative"]), 120, f"{text} is delivered")
    finally:
        lab.close()


def real(reader):
    """Peers outside the stack. The reader edits the two files between the last two commands of the block."""
    peers = {name: f"{reader.project}-{name}" for name in PEERS}
    files, start = reader.text(PAGE, REAL).rstrip().rsplit("\n", 1)
    reader.sh(files)
    mine = (reader.compose / "my.yaml").read_text()
    assert "\n  name: lab\n" in mine and "VCENTER_NAME=vc1" in (reader.compose / ".env").read_text()
    (reader.compose / "my.yaml").write_text(mine.replace("\n  name: lab\n", "\n  name: vc1\n"))
    try:
        for name, options in PEERS.items():
            run("docker", "run", "-d", "-i", "--name", peers[name], "--tmpfs", "/tmp", *options)
        reader.sh(start)
        for name, container in peers.items():
            run("docker", "network", "connect", "--alias", name, f"{reader.project}_default", container)
        reader.healthy("nats", "collector", "dispatcher-knative")
        wait_until(lambda: "VmPoweredOnEvent" in reader.logs(peers["knative"]), 120, "an event arrives")
        sources(reader, peers)
    finally:
        for container in peers.values():
            subprocess.run(["docker", "rm", "-f", container], capture_output=True, check=False)
        reader.down("-f", "compose.yaml", "--profile", "webhook", "--profile", "horizon")
    print("pages: docs/compose.md, a real vCenter and real backends, a webhook and Horizon: passed", flush=True)


def exercise(engine, base, directory):
    reader = Reader(engine, base, directory)
    try:
        first(reader)
        real(reader)
    except AssertionError:
        if (reader.checkout.parent / "up.log").exists():
            print((reader.checkout.parent / "up.log").read_text(errors="replace")[-4000:])
        raise
