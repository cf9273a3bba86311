# SPDX-License-Identifier: Apache-2.0
"""make demo and make run, started and ended as by a user."""
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lab.process import ROOT, free_port, wait_until
from lab.product import knative, provider, router_config

DEMO, RUN = ROOT / "tests/demo/demo.py", ROOT / "tests/demo/run.py"


def start(tmp_path, *argv, program=sys.executable, **env):
    out = open(tmp_path / "out", "w")
    return subprocess.Popen([program, *map(str, argv)], stdout=out, stderr=subprocess.STDOUT, cwd=ROOT,
                            env={**os.environ, "TMPDIR": str(tmp_path), **env}, start_new_session=True)


def left_over(mark):
    """The command lines of processes that contain this text."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(mark) in text:
            found.append(text)
    return found


def test_console_opens_its_page_and_ends_with_a_summary(tmp_path):
    """README's `make console`, which is `make demo` with a browser. $BROWSER (see Python's webbrowser) is the reader's."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    assert start(tmp_path, "console", "DURATION=4", program="make", BROWSER=f"{browser} %s").wait(120) == 0
    text = (tmp_path / "out").read_text()
    text = text[text.index("Starting NATS"):]  # after what make says
    assert f"console     {(tmp_path / 'opened').read_text()} " in text
    assert re.search(r"^\d+ published, [1-9]\d* delivered, 0 lost; latency p50 \d+ ms, p99 \d+ ms$", text, re.M), text
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  demo  +\S+ +.* ms$", text, re.M), text
    assert text.index("arrived  ") < text.index(" ms\n"), "the first event comes below the titles"
    assert text.startswith("Starting NATS, a vCenter simulator,"), "the first line says what it waits for"
    wait_until(lambda: not left_over(tmp_path), 10, lambda: left_over(tmp_path))


def test_the_commands_that_the_demo_prints_show_the_demo(tmp_path):
    """Each is taken from its output and run as it stands, except that tail ends after an event. `nats` may not be installed."""
    demo = start(tmp_path, DEMO)
    out = tmp_path / "out"
    wait_until(lambda: out.read_text().count(" ms\n") > 4, 60, out.read_text)
    commands = [line.strip() for line in out.read_text().splitlines() if "/vcourier " in line]
    assert [shlex.split(c)[1] for c in commands] == ["status", "tail", "tail", "dead"]
    for command in commands:
        tail = " -n 1 --since 1h" if " tail " in command else ""
        run = subprocess.run(command + tail, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0 and not run.stderr, (command, run)
        wanted = {"status": "VC_demo", "tail": " demo ", "dead": ""}[shlex.split(command)[1]]
        assert wanted in run.stdout, (command, run.stdout)
    subjects = {shlex.split(line)[-1] for line in out.read_text().splitlines() if " sub " in line}
    assert subjects == {"vc.demo.>", "vc.demo.*.*.*.event.VmPoweredOnEvent"}, "NATS: a * is a whole token"
    demo.send_signal(signal.SIGINT)
    assert demo.wait(30) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_demo_leaves_no_process(tmp_path, number):
    """SIGINT is Ctrl-C. SIGKILL is the hardest way to end it."""
    demo = start(tmp_path, DEMO)
    wait_until(lambda: " ms\n" in (tmp_path / "out").read_text(), 60, lambda: (tmp_path / "out").read_text())
    demo.send_signal(number)
    demo.wait(30)
    wait_until(lambda: not left_over(tmp_path), 20, lambda: left_over(tmp_path))


def test_run_with_a_configuration(lab, tmp_path):
    """NATS is started at the address in the file, events are shown, and Ctrl-C ends all processes."""
    vcenter, sink, port = lab.vcenter("-backlog", "5"), lab.receiver(), free_port()
    config = router_config(f"nats://127.0.0.1:{port}", lab.authority.ca, [provider(vcenter)], [knative(sink.url)])
    config["metricsProvider"] = {"type": "default", "name": "m", "default": {"bindAddress": f"127.0.0.1:{free_port()}"}}
    file = tmp_path / "router.yaml"
    file.write_text(json.dumps(config))
    run = start(tmp_path, RUN, file, "--store", tmp_path / "store")

    def arrived():
        vcenter.burst(1)
        return sink.count > 0 and " ms\n" in (tmp_path / "out").read_text()
    wait_until(arrived, 60, lambda: (tmp_path / "out").read_text())
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 0
    wait_until(lambda: not left_over(tmp_path / "store"), 20, lambda: left_over(tmp_path / "store"))


def test_run_reports_errors(tmp_path):
    run = start(tmp_path, RUN, tmp_path / "nowhere.yaml")
    assert run.wait(30) == 78
    assert len((tmp_path / "out").read_text().splitlines()) == 1
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text('eventProvider: {type: vcenter, name: a, vcenter: {adress: "https://vc1"}}\n')
    run = start(tmp_path, RUN, wrong, "--store", tmp_path / "store")
    assert run.wait(30) == 78 and not (tmp_path / "store").exists(), "nothing was started"
    assert 'adress: unknown key (did you mean "address"?)' in (tmp_path / "out").read_text()
