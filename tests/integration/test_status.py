# SPDX-License-Identifier: Apache-2.0
"""vcourier status: streams, collectors, dispatchers; as text, as JSON, and on a terminal that it draws again and again."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time

import pytest

from lab.gateway import Gateway
from lab.process import BUILD, free_port, wait_until
from lab.product import knative, provider, router_config
from lab.receiver import Answer
from lab.stream import Stream

FAST = {"retry": {"initial": "50ms", "max": "200ms", "rejectGrace": "0s"}, "ackWait": "2s"}
COLLECTOR = ["source", "role", "lag", "last", "host", "pid", "state"]


def run(daemon, *options, code=None):
    run = subprocess.run([BUILD / "vcourier", "status", "-c", daemon.file, *options], capture_output=True, text=True, timeout=60)
    assert code is None or run.returncode == code, run.stdout + run.stderr
    return run


def look(daemon, code=None):
    return json.loads(run(daemon, "--json", code=code).stdout)


def row(text, name):
    """The columns of one line."""
    [line] = [line for line in text.splitlines() if line.startswith(name + "  ")]
    return re.split(r"\s{2,}", line.rstrip())


def state(daemon, name="kn"):
    [entry] = [e for e in look(daemon)["dispatchers"] if e["name"] == name]
    return entry["state"]


@pytest.fixture
def both(lab, pipeline):
    """A vCenter, a collector, a dispatcher: everything runs."""
    pipeline("-backlog", "20", standby=True)
    lab.receiver_ = lab.receiver()
    lab.config["eventProcessor"] = knative(lab.receiver_.url)
    lab.dis = lab.dispatcher(lab.config)
    lab.ledger.settle()
    lab.receiver_.wait_for(lambda requests: len(requests) >= lab.vc.stats()["events"], what="all are delivered")
    wait_until(lambda: look(lab.dis)["ok"], 30, lambda: f"all is well: {run(lab.dis).stdout}")
    return lab


def test_everything_runs(both):
    text = run(both.dis, code=0).stdout
    assert row(text, "VC_lab")[1] == str(both.vc.stats()["events"])
    collector = dict(zip(COLLECTOR, row(text, "lab")))
    assert collector["role"] == "leader" and collector["pid"] == str(both.col.pid) and collector["state"] == "reading"
    assert re.fullmatch(r"[0-9]s", collector["lag"])
    assert row(text, "kn") == ["kn", "VC_lab", "0", "0", "-", "up to date"]
    assert "ACK PENDING" in text and all(len(line) <= 80 for line in text.splitlines())
    seen = look(both.dis, code=0)
    assert seen["ok"] and [s["name"] for s in seen["streams"]] == ["VC_lab", "VCDEAD"]
    [report] = [c["report"] for c in seen["collectors"]]
    assert report["pid"] == both.col.pid and report["leader"] and seen["replicas"][0]["report"]["pid"] == both.dis.pid


def test_a_killed_collector_is_seen_within_10_seconds(both):
    standby = both.collector(both.config, name="second")
    wait_until(lambda: len(look(both.dis)["collectors"]) == 2, 60, "both reply")
    standby.kill()
    both.col.kill()
    killed = time.monotonic()
    seen = look(both.dis, code=1)
    assert time.monotonic() - killed < 10
    assert [(c["source"], c["state"], c["ok"]) for c in seen["collectors"]] == [("lab", "no reply", False)] and not seen["ok"]
    assert row(run(both.dis, code=1).stdout, "lab")[-1] == "no reply"


def test_a_standby_alone_does_not_lead(both):
    standby = both.collector(both.config, name="second")
    wait_until(lambda: len(look(both.dis)["collectors"]) == 2, 60, "both reply")
    assert {c["state"] for c in look(both.dis, code=0)["collectors"]} == {"reading", "ready"}
    both.col.signal(signal.SIGSTOP)  # neither replies nor renews its lease
    states = [c["state"] for c in look(both.dis, code=1)["collectors"]]
    assert states == ["ready", "no leader"]
    both.col.signal(signal.SIGCONT)
    assert standby.running()


def test_a_vcenter_that_does_not_answer(both):
    both.vc.stop()
    wait_until(lambda: look(both.dis)["collectors"][0]["state"] == "failing", 60, "the collector reports it")
    text = run(both.dis, code=1).stdout
    assert re.search(rf"^lab on .* \(pid {both.col.pid}\): vcenter: \S+", text, re.M)


def test_a_dispatcher_that_is_stopped(lab, stream):
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    stream.publish(10)
    stream.idle()
    text = run(dispatcher, code=1).stdout
    assert row(text, "kn")[-1] == "up to date" and row(text, "lab")[-1] == "no reply", "no collector runs"
    dispatcher.stop()
    assert row(run(dispatcher, code=1).stdout, "kn")[-1] == "no reply"
    stream.publish(7)
    columns = row(run(dispatcher, code=1).stdout, "kn")
    assert columns[2:4] == ["7", "0"] and columns[-1] == "not fetched"


def test_a_dispatcher_that_cannot_create_its_streams(lab):
    """It runs, answers, and says what it waits for: the server's store is smaller than the streams."""
    server = lab.nats(max_store="50MB")
    dispatcher = lab.dispatcher(Stream(lab, server).config(lab.receiver().url))
    wait_until(lambda: look(dispatcher)["dispatchers"][0]["state"] == "failing", 60, "it answers")
    text = run(dispatcher, code=1).stdout
    assert re.search(rf"^kn on .* \(pid {dispatcher.pid}\): consumer: .*no room for maxBytes", text, re.M), text


def test_the_paused_replica(lab, stream):
    """Of two replicas, the one whose destination fails is shown as paused. After it stops it is not shown any more."""
    paused = lab.dispatcher(stream.config(lab.receiver(lambda request: Answer(503)).url, **FAST))
    paused.wait_ready()
    assert state(paused) == "up to date"
    stream.publish(10)
    wait_until(lambda: paused.metric("vcourier_dispatcher_circuit_state") == 2, what="it pauses")
    works = lab.dispatcher(stream.config(lab.receiver().url, **FAST), name="works").wait_ready()
    text = run(paused, code=1).stdout
    assert row(text, "kn")[-1] == "paused 1 of 2"
    assert f"pid {paused.pid}) has been paused for" in text and "1 of 1 targets; HTTP 503" in text
    paused.kill()
    stream.idle()
    assert state(works) == "up to date"
    works.stop()
    assert state(works) == "no reply"


def test_the_function_that_is_down(lab, stream):
    gateway = Gateway().start()
    lab.closers.append(gateway.close)
    gateway.deploy("good", "VmPoweredOffEvent")
    gateway.deploy("broken", "VmPoweredOnEvent", lambda call: 503)
    auth = {"type": "basic_auth", "basicAuth": {"username": "admin", "password": "secret"}}
    dispatcher = lab.dispatcher(stream.config(
        {"type": "openfaas", "name": "kn", "openfaas": {"address": gateway.url, "auth": auth}} | FAST))
    stream.publish(10, "VmPoweredOffEvent")
    stream.publish(10, "VmPoweredOnEvent")
    wait_until(lambda: dispatcher.metric("vcourier_dispatcher_circuit_state") == 2, what="it pauses")
    assert "1 of 2 targets; broken.openfaas-fn: HTTP 503" in run(dispatcher, code=1).stdout


def test_a_request_that_nats_refuses(lab, tmp_path):
    """A user of an earlier release may not ask collectors: the command says so, and does not say that none runs."""
    nats = lab.nats(extra='authorization { users: [ { user: a, password: a }, { user: old, password: old, permissions: {'
                          ' publish: { allow: ["$JS.>", "vcourier.status.*"] }, subscribe: { allow: ["_INBOX_old.>", "_INBOX.>", "_INBOX_cli.>"] } } } ] }')
    vcenter = lab.vcenter("-backlog", "1")
    config = router_config(nats, lab.authority.ca, [provider(vcenter, startFrom="earliest")])
    config["bus"] |= {"user": "a", "password": "a"}
    lab.collector(config).wait_ready()
    config["bus"] |= {"user": "old", "password": "old"}
    asks = type("Daemon", (), {"file": tmp_path / "old.yaml"})
    asks.file.write_text(json.dumps(config))
    out = run(asks)
    assert row(out.stdout, "lab")[-1] == "not permitted" and out.returncode == 1, out.stdout + out.stderr


def test_nats_does_not_answer(lab, tmp_path):
    asks = type("Daemon", (), {"file": tmp_path / "x.yaml"})
    asks.file.write_text(json.dumps({"bus": {"urls": [f"nats://127.0.0.1:{free_port()}"]}}))
    for option in ("--json", "--watch", None):
        out = run(asks, *[option] if option else [], code=69)
        assert out.stdout == "" and out.stderr.count("\n") == 1


# ---- on a terminal

class Terminal:
    """A terminal of this size, and the command in it. It understands the few sequences that the command uses."""

    def __init__(self, daemon, columns, *options):
        self.main, self.other = pty.openpty()
        self.resize(columns)
        self.before = termios.tcgetattr(self.other)
        self.bytes = b""
        self.process = subprocess.Popen([BUILD / "vcourier", "status", "-c", daemon.file, *options], stdin=self.other, stdout=self.other,
                                        stderr=self.other, start_new_session=True)
        os.set_blocking(self.main, False)

    def resize(self, columns, rows=24):
        fcntl.ioctl(self.other, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def text(self):
        try:
            while chunk := os.read(self.main, 65536):
                self.bytes += chunk
        except (BlockingIOError, OSError):
            pass
        return self.bytes.decode()

    def lines(self):
        """The last frame that is complete."""
        frames = [f for f in self.text().split("\x1b[H")[1:] if f.split("\x1b[2J")[-1].endswith("\x1b[J")]
        return [re.sub(r"\x1b\[\??\d*[A-Za-z]|\r", "", line) for line in frames[-1].split("\n")] if frames else []

    def wait(self, what):
        wait_until(lambda: any(re.search(what, line) for line in self.lines()), 30, lambda: f"{what}: {self.lines()}")

    def restored(self):
        assert self.text().count("\x1b[?1049h") == self.text().count("\x1b[?1049l") and self.text().endswith("\x1b[?1049l")
        assert termios.tcgetattr(self.other) == self.before
        os.close(self.main)
        os.close(self.other)


def test_watch_draws_again_and_takes_keys(both):
    screen = Terminal(both.dis, 80, "--watch")
    screen.wait("^lab .*reading")
    both.col.kill()
    screen.wait("^lab .*no reply")
    os.write(screen.main, b"p")
    screen.wait("^paused")
    both.col.start()
    both.col.wait_ready()
    assert any(re.search("no reply", line) for line in screen.lines()), "it does not look while it is paused"
    os.write(screen.main, b"p")
    screen.wait("^lab .*reading")
    assert max(map(len, screen.lines())) <= 80
    os.write(screen.main, b"q")
    assert screen.process.wait(30) == 0
    screen.restored()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_watch_restores_the_terminal_after_a_signal(lab, stream, number):
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    screen = Terminal(dispatcher, 80, "--watch")
    screen.wait("^kn ")
    screen.process.send_signal(number)
    assert screen.process.wait(30) == 1, "the last state: no collector runs"
    screen.restored()


def test_watch_restores_the_terminal_while_it_is_stopped(lab, stream):
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    screen = Terminal(dispatcher, 80, "--watch")
    screen.wait("^kn ")
    screen.process.send_signal(signal.SIGTSTP)
    os.waitpid(screen.process.pid, os.WUNTRACED)
    assert termios.tcgetattr(screen.other) == screen.before and screen.text().endswith("\x1b[?1049l")
    screen.process.send_signal(signal.SIGCONT)
    wait_until(lambda: screen.text().rindex("\x1b[?1049h") > screen.text().rindex("\x1b[?1049l") and screen.lines(), 30, "it draws again")
    os.write(screen.main, b"q")
    screen.process.wait(30)
    screen.restored()


def test_watch_survives_nats_and_says_so(both):
    screen = Terminal(both.dis, 80, "--watch")
    screen.wait("^lab .*reading")
    both.bus.stop()
    screen.wait("NATS does not answer")
    both.bus.start()
    screen.wait("^lab .*reading")
    os.write(screen.main, b"q")
    screen.process.wait(30)
    screen.restored()


@pytest.mark.parametrize("columns", [40, 20])
def test_a_narrow_terminal(both, columns):
    screen = Terminal(both.dis, columns, "--watch")
    screen.wait("STATE up to date|up to date")
    assert max(map(len, screen.lines())) <= columns
    screen.resize(80)
    os.kill(screen.process.pid, signal.SIGWINCH)
    screen.wait("^kn +VC_lab ")
    assert screen.lines()[-1].strip() == "p pause  q quit", "all lines are on the screen"
    screen.resize(80, 5)
    os.kill(screen.process.pid, signal.SIGWINCH)
    screen.wait("^p pause  q quit  j k 1-4/[1-9][0-9]*")
    assert len(screen.lines()) == 5
    os.write(screen.main, b"q")
    assert screen.process.wait(30) == 0
    screen.restored()


def test_a_low_terminal_scrolls(both):
    screen = Terminal(both.dis, 40, "--watch")
    screen.resize(40, 200)
    os.kill(screen.process.pid, signal.SIGWINCH)
    screen.wait("^p pause  q quit")
    os.write(screen.main, b"p")
    screen.wait("^paused  p resume  q quit")
    whole = screen.lines()[:-1]
    whole = whole[:max(i for i, line in enumerate(whole) if line) + 1]
    screen.resize(40, 6)
    os.kill(screen.process.pid, signal.SIGWINCH)

    def shows(first):
        """These 5 of all lines and, below them, which ones they are. Counted from 1."""
        screen.wait(f"^paused  p resume  q quit  j k {first}-{first + 4}/{len(whole)} *$")
        assert [line.rstrip() for line in screen.lines()[:-1]] == [line.rstrip() for line in whole[first - 1:first + 4]]
        assert max(map(len, screen.lines())) <= 40
    shows(1)
    for keys, first in ((b"j", 2), (b"jj", 4), (b"k", 3), (b"\x1b[B", 4), (b"\x1b[A", 3), (b"\x1bOB", 4), (b"\x1bOA", 3), (b"kkkk", 1),
                        (b"\x1b[6~", 6), (b"\x1b[5~", 1), (b" ", 6), (b"j" * 60, len(whole) - 4)):
        os.write(screen.main, keys)
        shows(first)
    os.write(screen.main, b"x?q")
    assert screen.process.wait(30) == 0
    screen.restored()


def test_watch_without_a_terminal(lab, stream):
    dispatcher = lab.dispatcher(stream.config(lab.receiver().url, **FAST)).wait_ready()
    assert run(dispatcher, "--watch", code=64).stderr == "vcourier: --watch needs a terminal\n"
    assert "exclude each other" in run(dispatcher, "--watch", "--json", code=64).stderr
