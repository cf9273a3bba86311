# SPDX-License-Identifier: Apache-2.0
"""vcourier health, and --health of the daemons: the exit code for the health check of a container."""
import subprocess

import pytest

from lab.process import BUILD, free_port
from lab.receiver import Answer


def health(*arguments):
    return subprocess.run([BUILD / "vcourier", "health", *arguments], capture_output=True, text=True, timeout=30)


def daemon_health(program, *arguments):
    return subprocess.run([BUILD / program, "--health", *arguments], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("status, code", [(200, 0), (204, 0), (503, 1), (404, 1), (302, 1)])
def test_the_exit_code_follows_the_status(lab, status, code):
    body = b"" if status == 204 else b'{"nats":"no"}'
    run = health(f"{lab.receiver(lambda request: Answer(status, body=body)).url}/readyz")
    assert run.returncode == code and run.stdout.startswith(str(status)), run


def test_no_server_listens():
    run = health(f"http://127.0.0.1:{free_port()}/readyz")
    assert run.returncode == 1 and "connect" in run.stderr and run.stderr.count("\n") == 1


def test_usage():
    assert health("--help").returncode == 0
    assert health("--nonsense").returncode == 64
    for text in ("8082", "127.0.0.1:8082", "file:///etc/passwd", ""):
        assert health(text).returncode == 64, text
    assert health("http://127.0.0.1:1/", "http://127.0.0.1:2/").returncode == 64


@pytest.mark.parametrize("program", ["vcourier-collector", "vcourier-dispatcher"])
def test_the_daemons_ask_without_a_configuration(lab, program):
    for status, code in ((200, 0), (503, 1)):
        receiver = lab.receiver(lambda request, status=status: Answer(status, body=b"{}"))
        run = daemon_health(program, "--metrics", receiver.url.removeprefix("http://"))
        assert run.returncode == code and run.stdout.startswith(str(status)), run
        assert [r.path for r in receiver.requests] == ["/readyz"]
    run = daemon_health(program, "--metrics", f"127.0.0.1:{free_port()}")
    assert run.returncode == 1 and run.stderr.startswith(f"{program}: ") and run.stderr.count("\n") == 1
