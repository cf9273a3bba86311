# SPDX-License-Identifier: Apache-2.0
"""vcourier-listen, the entry point of the images: the metrics port is open before the program's libraries are loaded."""
import os
import signal
import socket
import subprocess
from pathlib import Path

from lab.process import BUILD, ROOT, free_port, wait_until

LISTEN = ROOT / "build/release/vcourier-listen"
DISPATCHER = BUILD / "vcourier-dispatcher"


def started(lab, stream, *before):
    """A dispatcher that vcourier-listen has executed, or a script that executes it."""
    daemon = lab.daemon("dispatcher", stream.config(lab.receiver().url))
    daemon.argv = [str(LISTEN), *map(str, before), *daemon.argv]
    return daemon.start()


def connected(port):
    def connect():
        try:
            return socket.create_connection(("127.0.0.1", port), 30)
        except ConnectionRefusedError:
            return None
    return wait_until(connect)


def test_a_request_waits_for_the_program(lab, stream, tmp_path):
    gate, script = tmp_path / "gate", tmp_path / "late"
    os.mkfifo(gate)
    script.write_text(f'#!/bin/sh\nread -r go <{gate}\nexec "$@"\n')
    script.chmod(0o755)
    daemon = started(lab, stream, script)
    with connected(daemon.port) as probe:
        probe.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        gate.write_text("go\n")
        assert probe.recv(100).startswith(b"HTTP/1.1 200 "), daemon.text()
    assert Path("/proc/net/tcp").read_text().count(f":{daemon.port:04X} 00000000:0000 0A ") == 1  # one socket listens there


def test_the_port_is_opened_again_after_a_reload(lab, stream):
    daemon = started(lab, stream).wait_ready()
    daemon.configure(stream.config(lab.receiver().url, concurrency=7))
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "restarting with it" in daemon.text() and len(daemon.lines("deliveries begin")) == 2, what=daemon.text)
    assert daemon.wait_ready().stop() == 0


def run(*argv, **env):
    return subprocess.run([*map(str, argv)], capture_output=True, text=True, timeout=60, env={**os.environ, **env})


def test_errors_are_those_of_the_program(lab, stream):
    file = lab.daemon("dispatcher", stream.config(lab.receiver().url)).file
    with socket.create_server(("127.0.0.1", 0)) as used:
        for address in ("nonsense", "256.1.1.1:8082", f"127.0.0.1:{used.getsockname()[1]}"):
            alone, after = run(DISPATCHER, "-c", file, "--metrics", address), run(LISTEN, DISPATCHER, "-c", file, "--metrics", address)
            assert alone.returncode == after.returncode != 0, (alone, after)
            assert alone.stderr.partition(" level=")[2] == after.stderr.partition(" level=")[2], (alone, after)
    assert run(LISTEN, DISPATCHER, "--version").stdout == run(DISPATCHER, "--version").stdout
    assert (run(LISTEN).returncode, run(LISTEN, "/nonexistent").returncode) == (64, 127)
    assert run(LISTEN, "/nonexistent").stderr == "vcourier-listen: /nonexistent: No such file or directory\n"


def test_sockets_for_another_process_are_left_alone(lab, stream):
    """sd_listen_fds(3): the variables are inherited by children, for which they are not."""
    daemon = lab.daemon("dispatcher", stream.config(lab.receiver().url))
    with socket.create_server(("127.0.0.1", free_port())) as other:
        daemon.env, daemon.popen = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}, {"pass_fds": [other.fileno()]}
        daemon.start().wait_ready()
