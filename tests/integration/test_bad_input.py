# SPDX-License-Identifier: Apache-2.0
"""Mistakes of an operator: one clear message with the remedy, and the correct exit code or state."""
import json
import socket
import subprocess

import pytest

from lab.process import BUILD, free_port, wait_until
from lab.product import knative, provider, router_config
from lab.vcenter import USER

PROGRAMS = ["collector", "dispatcher"]


def once(program, *arguments, timeout=20):
    """Runs the program until it ends. Returns (exit code, lines on stderr)."""
    run = subprocess.run([BUILD / f"vcourier-{program}", *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    return run.returncode, run.stderr.splitlines()


class Nowhere:
    """The address of a vCenter or a NATS on which nothing listens."""

    def __init__(self):
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}/sdk"


def config_at(tmp_path, config):
    file = tmp_path / "router.yaml"
    file.write_text(config if isinstance(config, str) else json.dumps(config))
    return file


@pytest.fixture
def complete(tmp_path):
    """A valid configuration with addresses of missing servers."""
    nowhere = Nowhere()
    return router_config(f"nats://127.0.0.1:{nowhere.port}", None, [provider(nowhere)], [knative("http://127.0.0.1:9")])


@pytest.mark.parametrize("program", PROGRAMS)
def test_unknown_flag(program):
    code, lines = once(program, "--frobnicate")
    assert code == 64
    assert any("frobnicate" in line for line in lines) and len(lines) <= 2


@pytest.mark.parametrize("program", PROGRAMS)
def test_help_and_version(program):
    for flag in ("--help", "--version"):
        run = subprocess.run([BUILD / f"vcourier-{program}", flag], capture_output=True, text=True, timeout=10)
        assert run.returncode == 0 and run.stdout.strip() and not run.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_unreadable_config(program, tmp_path):
    missing = tmp_path / "nowhere.yaml"
    code, lines = once(program, "-c", missing)
    assert code == 78 and len(lines) == 1 and str(missing) in lines[0]
    code, lines = once(program, "-c", tmp_path)
    assert code == 78 and len(lines) == 1 and str(tmp_path) in lines[0]


@pytest.mark.parametrize("program", PROGRAMS)
def test_wrong_configuration_is_reported_with_its_position(program, tmp_path):
    file = config_at(tmp_path, "apiVersion: event-router.vmware.com/v1alpha1\nkind: RouterConfig\nbus:\n  urls: 7up://x\n  colour: red\n")
    code, lines = once(program, "-c", file)
    assert code == 78
    assert any("router.yaml:4" in line and "urls" in line for line in lines)
    assert any("router.yaml:5" in line and "colour" in line for line in lines)


@pytest.mark.parametrize("program", PROGRAMS)
def test_garbage_as_config(program, tmp_path):
    file = tmp_path / "router.yaml"
    file.write_bytes(bytes(range(256)) * 64)
    code, lines = once(program, "-c", file)
    assert code == 78 and 1 <= len(lines) <= 3 and "router.yaml" in lines[0]


@pytest.mark.parametrize("program", PROGRAMS)
def test_unknown_name(program, tmp_path, complete):
    code, lines = once(program, "-c", config_at(tmp_path, complete), "--name", "elsewhere")
    assert code in (64, 78) and len(lines) == 1 and "elsewhere" in lines[0]


@pytest.mark.parametrize("program", PROGRAMS)
def test_invalid_metrics_address(program, tmp_path, complete):
    code, lines = once(program, "-c", config_at(tmp_path, complete), "--metrics", "nonsense")
    assert code == 64 and len([line for line in lines if "nonsense: is not an" in line]) == 1


@pytest.mark.parametrize("program", PROGRAMS)
def test_metrics_port_taken(program, tmp_path, complete):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, lines = once(program, "-c", config_at(tmp_path, complete), "--metrics", f"127.0.0.1:{port}")
    assert code == 1
    assert len([line for line in lines if str(port) in line]) == 1 and len(lines) <= 3


def wait_reported(daemon, *words):
    """Waits until a log line has all the words and /readyz reports a failure."""
    wait_until(lambda: [line for line in daemon.text().splitlines() if all(w in line for w in words)], 20,
               lambda: f"a line with {words} in:\n{daemon.text()}")
    wait_until(lambda: daemon.get("/readyz")[0] == 503, 20, lambda: f"not ready: {daemon.get('/readyz')}")
    assert daemon.running()


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_nats(lab, program):
    vcenter, nowhere = lab.vcenter(), Nowhere()
    config = router_config(f"nats://127.0.0.1:{nowhere.port}", lab.authority.ca, [provider(vcenter)],
                           [knative("http://127.0.0.1:9")])
    daemon = lab.daemon(program, config).start()
    wait_reported(daemon, "nats", str(nowhere.port))
    assert daemon.stop(20) == 0
    assert len(daemon.text().splitlines()) < 25


def test_no_vcenter(lab):
    nats, nowhere = lab.nats(), Nowhere()
    daemon = lab.collector(router_config(nats, lab.authority.ca, [provider(nowhere)]))
    wait_reported(daemon, str(nowhere.port), "connect")
    assert daemon.stop(20) == 0


def test_wrong_password_is_tried_rarely(lab):
    """The second attempt is much later than the first, because accounts may be locked."""
    nats, vcenter = lab.nats(), lab.vcenter()
    wrong = {"type": "basic_auth", "basicAuth": {"username": USER, "password": "wr0ng-canary"}}
    daemon = lab.collector(router_config(nats, lab.authority.ca, [provider(vcenter, auth=wrong)]))
    wait_reported(daemon, USER)
    lines = [line for line in daemon.text().splitlines() if "level=error" in line or "level=warn" in line]
    assert vcenter.stats()["calls"]["Login"] == 1, lines
    assert "wr0ng-canary" not in daemon.text()
    assert daemon.stop(20) == 0
    assert vcenter.stats()["calls"]["Login"] == 1


def test_untrusted_certificate(lab):
    nats, vcenter = lab.nats(), lab.vcenter()
    daemon = lab.collector(router_config(nats, None, [provider(vcenter)]))
    wait_reported(daemon, "certificate")
    assert vcenter.stats()["calls"] == {}
    assert daemon.stop(20) == 0


def test_pinned_thumbprint(lab):
    """A SHA-256 thumbprint replaces the certificate authority. Another certificate is refused."""
    nats, vcenter = lab.nats(), lab.vcenter("-backlog", "5")
    good = vcenter.ready["sha256"]
    daemon = lab.collector(router_config(nats, None, [provider(vcenter, thumbprint=good, startFrom="earliest")]))
    daemon.wait_ready()
    lab.open_ledger(nats, vcenter).settle()
    bad = ("00" if good[:2] != "00" else "11") + good[2:]
    other = lab.collector(router_config(nats, None, [provider(vcenter, thumbprint=bad)]), name="other")
    wait_reported(other, good)
