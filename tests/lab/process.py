# SPDX-License-Identifier: Apache-2.0
"""A child process with a log file. It ends with its parent."""
import os
import random
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# VCOURIER_BUILD: the programs of another checkout, which `make bench AGAINST=` measures
BUILD = Path(os.environ.get("VCOURIER_BUILD") or ROOT / "build" / os.environ.get("VARIANT", "release"))


def wait_until(condition, timeout=60, what=None):
    """Returns the first true result of condition(), or raises AssertionError after the timeout. For states that only polling can detect."""
    end = time.monotonic() + timeout
    pause = 0.01
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            why = what() if callable(what) else what
            raise AssertionError(f"not within {timeout} s: {why or getattr(condition, '__doc__', None) or condition}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def free_port():
    """A port below the kernel's range for outgoing connections, so that none of these takes it before the server starts."""
    while True:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", random.SystemRandom().randrange(15000, 32000)))
                return s.getsockname()[1]
            except OSError:
                continue


class Process:
    def __init__(self, name, argv, directory, env=None, **popen):
        self.name, self.argv, self.env, self.popen = name, [str(a) for a in argv], env, popen
        self.log = Path(directory) / f"{name}.log"
        self.process = None

    def start(self):
        """setpriv makes the kernel kill the child when its parent dies for any reason. Its own session protects the child
        from Ctrl-C, so that the processes are stopped in order."""
        assert not self.running(), f"{self.name} runs already"
        with open(self.log, "ab") as log:
            files = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log, **self.popen}
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *self.argv], cwd=ROOT,
                                            start_new_session=True, env={**os.environ, **(self.env or {})}, **files)
        return self

    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def wait(self, timeout=30):
        """Waits for the end and returns the exit code."""
        return self.process.wait(timeout)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self, timeout=30):
        """Sends SIGTERM and returns the exit code. Kills the process and returns None if it does not end."""
        if self.process is None:
            return None
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def lines(self, pattern):
        return [line for line in self.text().splitlines() if re.search(pattern, line)]

    def rss(self, which="VmRSS"):
        """Resident memory in bytes, now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{which}:\s+(\d+)", status).group(1)) * 1024

    def peak(self):
        """The largest resident memory so far, in bytes."""
        return self.rss("VmHWM")
