# SPDX-License-Identifier: Apache-2.0
"""nats-server with JetStream in a temporary directory. It keeps its port and store over restarts."""
import json
import re
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path

from .nats_wire import Wire
from .process import Process, wait_until


def version():
    """(major, minor) of the nats-server that the tests use."""
    text = subprocess.run(["nats-server", "--version"], check=True, capture_output=True, text=True).stdout
    return tuple(map(int, re.search(r"v(\d+)\.(\d+)", text).groups()))


def of_a_cluster():
    """
    The environment of a server of a cluster. 2.10 starts the goroutine that sends what Raft sends before it sets the system account
    (server.go, setSystemAccount). If the goroutine runs first, it has no account, and the server sends no vote and no reply until it is
    started again. On a loaded machine that was one start in a hundred: the cluster has two members, or the server does not get what was
    decided while it was down. With one processor the goroutine waits. 2.9 locks, 2.11.4 passes the account.
    """
    return {"GOMAXPROCS": "1"} if version() == (2, 10) else {}


class NatsServer(Process):
    def __init__(self, directory, name="nats", extra="", store=None, max_store="100GB", domain=None, env=None):
        self.directory = Path(directory) / name
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / "nats.conf"
        self.store = Path(store) if store else self.directory / "js"
        self.max_store = f", max_file_store: {max_store}" if max_store else ""  # without it: 75 % of the space that is free at a start
        self.domain = f", domain: {domain}" if domain else ""
        self.extra = extra  # more lines of configuration
        self.port = None
        self.account = ()  # user and password, for connect
        super().__init__(name, ["nats-server", "-c", self.config], directory, env)

    def _configure(self):
        self.config.write_text(f'listen: "{self.listen}"\nhttp: "127.0.0.1:-1"\nports_file_dir: "{self.directory}"\n'
                               f'jetstream {{ store_dir: "{self.store}"{self.max_store}{self.domain} }}\n{self.extra}\n')

    def start(self):
        self.listen = f"127.0.0.1:{self.port or -1}"
        self._configure()
        super().start()
        ports = self.directory / f"nats-server_{self.pid}.ports"
        wait_until(lambda: not self.running() or ports.exists() and ports.read_text().strip(), 30, f"{self.name} listens")
        assert self.running(), self.text()
        ports = json.loads(ports.read_text())
        self.port, self.monitor = int(ports["nats"][0].rsplit(":", 1)[1]), ports["monitoring"][0]
        return self

    def keep_store(self):
        """Restarts the server, and keeps its store as it was in between: a running server creates and deletes files during the copy."""
        self.stop()
        shutil.copytree(self.store, self.directory / "kept")
        self.start()

    def cut_power(self):
        """Ends the server and starts it with the store that was kept."""
        self.kill()
        shutil.rmtree(self.store)
        (self.directory / "kept").rename(self.store)
        self.start()

    def jsz(self, query=""):
        """The JetStream state of this server alone, without the rest of its cluster."""
        with urllib.request.urlopen(f"{self.monitor}/jsz?{query}", timeout=10) as reply:
            return json.load(reply)

    def holds(self, stream):
        """(first sequence, last sequence, messages) of this server's replica of the stream; None if it has no replica."""
        for account in self.jsz("streams=true").get("account_details", []):
            for detail in account.get("stream_detail") or []:
                if detail["name"] == stream:
                    return tuple(detail["state"][key] for key in ("first_seq", "last_seq", "messages"))
        return None

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def reload(self, extra):
        """Changes the extra lines of configuration without a restart. Meanwhile, JetStream does not answer."""
        self.extra = extra
        self._configure()
        before = self._reloads()
        self.signal(signal.SIGHUP)
        wait_until(lambda: self._reloads() > before, 30, f"{self.name} has read its configuration")

    def _reloads(self):
        return len(self.lines("Reloaded server configuration"))

    def connect(self, user=None, password=None):
        return Wire(self.port, *((user, password) if user else self.account))
