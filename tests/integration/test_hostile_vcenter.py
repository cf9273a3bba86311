# SPDX-License-Identifier: Apache-2.0
"""The collector reads pages of a hostile vCenter with bounded CPU time and memory, and feeds the systemd watchdog meanwhile."""
import os
import socket
import threading
import time

import pytest

from lab.process import wait_until
from lab.pipeline import stored_at_least

METRIC = "vcourier_collector_"
MIB = 1 << 20


class Watchdog:
    """Receives WATCHDOG=1 as systemd does; `longest` is the longest time in seconds without it."""

    def __init__(self, path, seconds):
        self.path, self.seconds = path, seconds
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(0.2)
        self.last, self.longest, self.ended = time.monotonic(), 0, False
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    @property
    def environment(self):
        return {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(self.seconds * 1_000_000)}

    def listen(self):
        while not self.ended:
            try:
                fed = b"WATCHDOG=1" in self.socket.recv(4096)
            except socket.timeout:
                fed = False
            now = time.monotonic()
            self.longest = max(self.longest, now - self.last)
            if fed:
                self.last = now

    def close(self):
        self.ended = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def watched(lab, pipeline, tmp_path, monkeypatch):
    """pipeline() with WatchdogSec=5."""
    watchdog = Watchdog(tmp_path / "notify", 5)
    for name, value in watchdog.environment.items():
        monkeypatch.setenv(name, value)
    lab.watchdog = watchdog
    yield pipeline
    watchdog.close()
    assert watchdog.longest < watchdog.seconds


def cpu_seconds(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


HOSTILE = {
    "elements": dict(unit="<q/>"),
    "elements of different names": dict(unit="<@/>"),
    "attributes": dict(open="<a", unit=" @='1'", close="/>"),
    "attributes of each tag": dict(unit="<a" + " @='1'" * 100 + "/>"),
    "namespaces": dict(unit="<a xmlns:@='b' xmlns:x@='b'>"),
    "a long namespace": dict(open="<a xmlns='", unit="#", close="'/>"),
    "long names": dict(unit="<@#/>"),
    "depth": dict(unit="<a>"),
    "levels": dict(unit="<a><b><c><d>x</d></c></b></a>"),
    "broken": dict(unit="</a><b"),
    "open tags": dict(unit="<"),
    "references": dict(unit="&#x0;&b"),
    "comments": dict(unit="<!---->"),
    "CDATA": dict(open="<userName>", unit="<![CDATA[x]]>", close="</userName>"),
    "other events": dict(unit="</returnval><returnval/><returnval>"),
    "events without an end": dict(unit="<returnval>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_page_that_costs_more_than_its_bytes(lab, watched, name):
    """20 MiB of it in one event: less than 10 s of CPU time, and less memory than MemoryMax of the systemd unit."""
    watched("-backlog", "100")
    lab.ledger.settle()
    lab.vc.fault("hostile", n=1, method="ReadNextEvents", key=5000, size=20 * MIB, **HOSTILE[name])
    lab.vc.lab("key", next=5000)
    before = cpu_seconds(lab.col)
    lab.vc.burst(100)
    wait_until(lambda: lab.vc.stats()["faults"] == 0, 60, "the page was read")
    stored_at_least(lab, 200)
    lab.vc.burst(10)
    lab.ledger.settle()
    assert cpu_seconds(lab.col) - before < 10
    assert lab.col.rss("VmHWM") < 256 * MIB


@pytest.mark.parametrize("method", ["CurrentTime", "ReadNextEvents", "HasPrivilegeOnEntities"])
def test_watchdog_is_fed_while_a_call_waits(lab, watched, method):
    watched("-backlog", "100", timeout="12s", auditInterval="1s")
    lab.ledger.settle()
    lab.vc.fault("silent", n=1, method=method)
    wait_until(lambda: lab.vc.stats()["faults"] == 0, 60, "the call")
    polls = lab.col.metric(METRIC + "polls_total", result="ok")
    wait_until(lambda: lab.col.metric(METRIC + "polls_total", result="ok") > polls, 60, "it reads again")
    lab.vc.burst(10)
    lab.ledger.settle()


def test_watchdog_is_fed_while_a_page_drips(lab, watched):
    watched("-backlog", "10")
    lab.ledger.settle()
    lab.vc.fault("trickle", n=1, ms=1, method="ReadNextEvents")
    lab.vc.burst(15)
    lab.ledger.settle()


def test_watchdog_is_fed_while_retries_are_far_apart(lab, watched):
    """Each failure doubles the pause, up to a minute; the last pauses are longer than WatchdogSec."""
    watched("-backlog", "100")
    lab.ledger.settle()
    lab.vc.fault("503", n=6)
    wait_until(lambda: lab.vc.stats()["faults"] == 0, 120, "all failures")
    lab.vc.burst(10)
    lab.ledger.settle()


@pytest.mark.parametrize("method", ["RetrieveServiceContent", "Login"])
def test_reply_before_login(lab, watched, method):
    """The peer is not known to be the vCenter yet: at most 4 MiB of a reply are read."""
    watched("-backlog", "100")
    lab.ledger.settle()
    lab.vc.fault("flood", n=2, method=method)
    lab.vc.lab("expire", what="sessions")
    wait_until(lambda: lab.vc.stats()["faults"] == 0, 60, "the login")
    lab.vc.burst(10)
    lab.ledger.settle()
    assert lab.col.rss("VmHWM") < 64 * MIB
