# SPDX-License-Identifier: Apache-2.0
"""What the daemons write to a terminal and to the journal of systemd, and what they do when their terminal is closed."""
import os
import pty
import re
import signal
import socket
import subprocess

import pytest

from lab.process import BUILD, ROOT, free_port, wait_until

CONFIG = (ROOT / "tests" / "data" / "config" / "knative-uri.yaml").read_text()
PLAIN = r"^\d\d:\d\d:\d\d\.\d{3} (INFO |WARN |ERROR) \S+  \S.*$"


@pytest.fixture
def router(tmp_path):
    """A file whose metrics port is the one given."""
    def write(port):
        file = tmp_path / "router.yaml"
        file.write_text(CONFIG.replace("0.0.0.0:8082", f"127.0.0.1:{port}"))
        return file
    return write


def on_terminal(argv, **env):
    """The output of a program whose standard error is a terminal."""
    main, side = pty.openpty()
    with subprocess.Popen([*map(str, argv)], stdin=subprocess.DEVNULL, stdout=side, stderr=side, env={**os.environ, **env}):
        os.close(side)
        text = b""
        try:
            while part := os.read(main, 65536):
                text += part
        except OSError:  # the other side is closed
            pass
    os.close(main)
    return text.decode().replace("\r\n", "\n").splitlines()


def failing_start(router):
    """A collector whose port is in use: it warns, reports an error and ends."""
    taken = socket.create_server(("127.0.0.1", 0))
    return taken, [BUILD / "vcourier-collector", "-c", router(taken.getsockname()[1])]


@pytest.mark.parametrize("env, colours", [({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                                          ({"TERM": "dumb", "NO_COLOR": ""}, False), ({"TERM": "xterm", "NO_COLOR": "", "LC_ALL": "C"}, True)])
def test_lines_on_a_terminal(router, env, colours):
    taken, argv = failing_start(router)
    with taken:
        lines = on_terminal(argv, **env)
    assert lines and all(("\x1b[" in line) == colours for line in lines), lines
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert all(re.match(PLAIN, line) for line in plain), plain
    assert any("ERROR" in line and "in use by another program" in line for line in plain)
    assert len({line.index("=") - len(re.search(r"(\S+)=", line)[1]) for line in plain}) == 1, "the fields begin in one column"


def test_a_format_that_is_asked_for_is_written_to_a_terminal_too(router):
    taken, argv = failing_start(router)
    with taken:
        assert all(line.startswith("ts=") for line in on_terminal([*argv, "--log-format", "logfmt"], TERM="xterm"))
        assert all(line.startswith('{"ts":') for line in on_terminal([*argv, "-log-json"], TERM="xterm"))


def to_journal(argv, journal=True):
    """The lines of a program whose standard error is, or only seems to be, the stream that JOURNAL_STREAM names."""
    read, write = os.pipe()
    at = os.fstat(write)
    stream = f"{at.st_dev}:{at.st_ino}" if journal else "1:1"
    subprocess.run([*map(str, argv)], stderr=write, env={**os.environ, "JOURNAL_STREAM": stream}, timeout=30)
    os.close(write)
    with os.fdopen(read) as f:
        return f.read().splitlines()


def test_lines_in_the_journal_have_their_priority(router, tmp_path):
    priority = {"info": "<6>", "warn": "<4>", "error": "<3>"}  # syslog(3)
    taken, argv = failing_start(router)
    with taken:
        lines = to_journal(argv)
        levels = [re.search(r" level=(\w+) ", line)[1] for line in lines]
        assert {"warn", "error"} <= set(levels) and all(line.startswith(f"{priority[n]}ts=") for n, line in zip(levels, lines)), lines
        assert all(re.match(r'<\d>\{"ts":', line) for line in to_journal([*argv, "-log-json"]))
        assert all(line.startswith("ts=") for line in to_journal(argv, journal=False))
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("nonsense: 1\n")
    assert all(line.startswith(f"<3>{wrong}:") for line in to_journal([BUILD / "vcourier-collector", "-c", wrong]))


@pytest.fixture
def session():
    """Starts a program as the leader of a new session with a terminal of its own. Returns its pid and the terminal."""
    started = []

    def start(argv, hangup_ignored=False):
        pid, main = pty.fork()
        if pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_IGN if hangup_ignored else signal.SIG_DFL)
            os.execv(argv[0], [*map(str, argv)])
        started.append(pid)
        return pid, main
    yield start
    for pid in started:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):  # it has ended
            pass


def read_until(main, words):
    text = b""
    while words not in text:
        text += os.read(main, 65536)
    return text


def ended(pid):
    done, status = os.waitpid(pid, os.WNOHANG)
    return (os.waitstatus_to_exitcode(status),) if done else None


def test_closing_the_terminal_ends_a_foreground_process(router, session):
    pid, main = session([BUILD / "vcourier-collector", "-c", router(free_port())])
    read_until(main, b"collector starts")
    subprocess.run(["kill", "-HUP", str(pid)], check=True)  # not from the terminal
    read_until(main, b"configuration changed")
    assert ended(pid) is None, "it reloads"
    os.close(main)
    assert wait_until(lambda: ended(pid), 30, "it ends") == (0,)


def test_nohup_keeps_it_running(router, session):
    port = free_port()
    pid, main = session([BUILD / "vcourier-collector", "-c", router(port)], hangup_ignored=True)
    read_until(main, b"collector starts")
    os.close(main)
    os.kill(pid, signal.SIGHUP)
    socket.create_connection(("127.0.0.1", port), 10).close()
    assert ended(pid) is None
    os.kill(pid, signal.SIGTERM)
    assert wait_until(lambda: ended(pid), 30, "it ends") == (0,)
