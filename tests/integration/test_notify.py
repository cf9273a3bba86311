# SPDX-License-Identifier: Apache-2.0
"""Notifications of our daemons to systemd: readiness, status, reload, watchdog, stop."""
import json
import signal
import socket

import pytest

from lab.process import BUILD, Process
from lab.product import knative, router_config


class Manager:
    """The receiver at NOTIFY_SOCKET."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(30)

    def until(self, *prefixes):
        """Reads until each prefix has occurred, in any order. Watchdog pings never end, so it fails after 60."""
        heard = []
        while not all(any(line.startswith(p) for line in heard) for p in prefixes):
            assert len(heard) < 60, (prefixes, heard)
            heard += self.socket.recv(4096).decode().splitlines()


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.socket.close()


@pytest.mark.parametrize("program", ["collector", "dispatcher"])
def test_a_daemon_under_systemd(program, lab, manager, tmp_path):
    config = tmp_path / "router.yaml"
    auth = {"type": "basic_auth", "basicAuth": {"username": "u", "password": "p"}}
    provider = {"type": "vcenter", "name": "lab", "vcenter": {"address": "https://127.0.0.1:1/sdk", "auth": auth}}
    text = json.dumps(router_config("nats://127.0.0.1:1", None, [provider], [knative("http://127.0.0.1:1/")]))
    config.write_text(text)
    daemon = lab._keep(Process(program, [BUILD / f"vcourier-{program}", "-c", config, "--metrics", "127.0.0.1:0"], tmp_path,
                               {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "500000"})).start()
    manager.until("READY=1")
    manager.until("WATCHDOG=1", "STATUS=nats: ")
    manager.until("WATCHDOG=1")

    config.write_text("{")  # an invalid file: the old configuration stays in use, and systemd is notified of the end of the reload
    daemon.signal(signal.SIGHUP)
    manager.until("RELOADING=1")
    manager.until("READY=1")
    daemon.signal(signal.SIGTERM)
    manager.until("STOPPING=1")
    assert daemon.wait() == 0
