# SPDX-License-Identifier: Apache-2.0
"""
Secrets in memory. No process writes a core dump, whatever limits it was started with. The password of vCenter, which is needed
once, is not in the memory of a collector after its login. Other secrets are needed for each request or connection and stay in
memory: see docs/security.md.
"""
import base64
import http.client
import json
import os
import re
import resource
import shutil
import signal
import ssl
import subprocess
from pathlib import Path

import pytest

from lab.console import Console, hash_of
from lab.stream import PROVIDER
from lab.process import wait_until
from lab.product import knative, provider, router_config

PASSWORD = "canary0f0vcenter0x7q"
METRICS = "canary0f0metrics0x7q"


@pytest.fixture
def logged_in(lab, tmp_path):
    """A collector that has its vCenter's password from a file and has read events."""
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "metrics").write_text(METRICS + "\n")
    vcenter = lab.vcenter("-backlog", "20")
    vcenter.stop()
    vcenter.env["VCENTER_SIM_PASSWORD"] = PASSWORD
    vcenter.start()
    login = {"type": "basic_auth", "basicAuth": {"username": "administrator@vsphere.local", "passwordFile": str(tmp_path / "password")}}
    metrics = {"type": "default", "default": {"bindAddress": "127.0.0.1:0", "auth": {
        "type": "basic_auth", "basicAuth": {"username": "m", "passwordFile": str(tmp_path / "metrics")}}}}
    bus = lab.nats()
    js = lab.jetstream(bus)
    collector = lab.collector(router_config(bus, lab.authority.ca, [provider(vcenter, startFrom="earliest", auth=login)],
                                            metricsProvider=metrics))
    wait_until(lambda: "VC_lab" in js.streams() and js.count("VC_lab") >= 20, what="the events")
    return collector


def core_of(process, directory):
    """A core dump by gdb, which root may create of any process."""
    if not shutil.which("gcore") or os.geteuid() != 0:
        pytest.skip("needs gdb and root")
    run = subprocess.run(["gcore", "-a", "-o", directory / "core", str(process.pid)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return (directory / f"core.{process.pid}").read_bytes()


def test_the_password_of_vcenter_is_not_in_memory_after_the_login(logged_in, tmp_path):
    core = core_of(logged_in, tmp_path)
    assert b"administrator@vsphere.local" in core, "it is a core of this process, with its heap"
    for secret in (PASSWORD, METRICS):
        forms = [secret.encode(), *(base64.b64encode(b"x" * n + secret.encode())[4 if n else 0:-4] for n in range(3))]
        assert not [form for form in forms if form in core], secret


@pytest.mark.parametrize("tls", [False, True])
def test_the_password_of_a_login_is_not_in_the_memory_of_the_console(lab, tmp_path, tls):
    """Neither a right one nor a wrong one, nor one in a request that is too large."""
    files = {"tls": {"certFile": str(lab.authority.cert), "keyFile": str(lab.authority.key)}} if tls else {}
    console = lab._keep(Console(lab.directory, lab.nats(), users={"olga": PASSWORD}, **files)).start()
    context = ssl.create_default_context(cafile=str(lab.authority.ca)) if tls else None
    wait_until(lambda: console.lines("console serves"), 30, "it serves")

    def login(password, fill=0, close=False):
        """With a body in two chunks."""
        body = json.dumps({"user": "olga", "password": password, "fill": "f" * fill}).encode()
        connection = (http.client.HTTPSConnection("127.0.0.1", console.port, context=context, timeout=30) if tls else
                      http.client.HTTPConnection("127.0.0.1", console.port, timeout=30))
        lab.closers.append(connection.close)
        connection.request("POST", "/api/login", iter((body[:-5], body[-5:])), {"Content-Type": "application/json"}, encode_chunked=True)
        status = connection.getresponse().status
        if close:
            connection.close()
        return status
    wrong = PASSWORD[::-1]
    for close in (False, True):
        assert [login(PASSWORD, close=close), login(wrong, close=close), login("x" + wrong, 20000, close)] == [200, 401, 401]
        assert login(wrong, 70000, close) == 413
    core = core_of(console, tmp_path)
    assert hash_of(PASSWORD).encode() in core, "it is a core of this process, with its sessions"
    for secret in (PASSWORD, wrong):
        at = core.find(secret.encode())
        assert at < 0, core[max(at - 100, 0):at + 100]


def aborted(argv):
    """Whether the kernel wrote a core dump of a process that is ended by SIGABRT after its start, with unlimited core size."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
    child = subprocess.Popen(argv, preexec_fn=limits, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
        child.send_signal(signal.SIGABRT)
        _, status = os.waitpid(child.pid, 0)
        assert os.WTERMSIG(status) == signal.SIGABRT
        child.returncode = -signal.SIGABRT
        yield os.WCOREDUMP(status)
    finally:
        if child.returncode is None:
            child.kill()
            child.wait()


@pytest.mark.parametrize("program", ["collector", "dispatcher"])
def test_no_core_is_left(lab, program):
    config = router_config("nats://127.0.0.1:9", providers=[PROVIDER], processors=[knative("http://127.0.0.1:9")])
    daemon = lab.daemon(program, config)
    daemon.argv[daemon.argv.index("--metrics") + 1] = f"127.0.0.1:{daemon.port}"
    run = aborted(daemon.argv)
    child = next(run)
    wait_until(lambda: daemon.get("/livez")[0] == 200, what="it runs")
    assert re.search(r"Max core file size +0 +0 ", Path(f"/proc/{child.pid}/limits").read_text())
    assert os.stat(f"/proc/{child.pid}/mem").st_uid == 0  # PR_SET_DUMPABLE 0: even another process of this user cannot read its memory
    assert next(run) is False
