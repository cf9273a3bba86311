# SPDX-License-Identifier: Apache-2.0
"""Secrets and configuration change under load: nothing lost, nothing repeated, no restart, nothing told."""
import base64
import json
import signal
import subprocess
from collections import Counter

import pytest

from lab.bususers import SecuredNats
from lab.gateway import Function, Gateway
from lab.process import BUILD, wait_until
from lab.product import knative, provider, router_config
from lab.vcenter import PASSWORD


def secret(tmp_path, name, value):
    file = tmp_path / name
    file.write_text(value + "\n")
    file.chmod(0o600)
    return file


def with_file(entry, file):
    """A provider whose password stands in a file."""
    entry["vcenter"]["auth"]["basicAuth"] = {"username": "administrator@vsphere.local", "passwordFile": str(file)}
    return entry


class Line:
    """vCenter, NATS, collector, dispatcher, receiver; options are the bus's and the provider's."""

    def __init__(self, lab, nats=None, password=None, **bus):
        self.lab = lab
        self.nats = nats or lab.nats()
        self.vcenter = lab.vcenter("-rate", "200")
        self.receiver = lab.receiver()
        entry = provider(self.vcenter, startFrom="earliest", pollMin="20ms")
        if password:
            entry = with_file(entry, password)
        self.config = router_config(self.nats, self.vcenter.authority.ca, [entry],
                                    [{**knative(self.receiver.url + "/in"), "ackWait": "5s"}])
        self.config["bus"].update(bus)
        self.start()
        self.receiver.wait_count(200)

    def start(self):
        self.collector = self.lab.collector(self.config)
        self.dispatcher = self.lab.dispatcher(self.config)
        self.pids = self.collector.pid, self.dispatcher.pid

    def more(self, n=200):
        """n further events come through."""
        self.receiver.wait_count(self.receiver.count + n)

    def settle(self):
        """Every event of the vCenter was delivered once; the processes are the same ones as at the start."""
        self.vcenter.lab("rate", r=0)
        self.books().settle()
        self.receiver.wait_count(self.books().check())
        twice = {i: n for i, n in Counter(self.receiver.ids()).items() if n > 1}
        assert not twice and len(self.receiver.ids()) == self.books().check()
        assert (self.collector.pid, self.dispatcher.pid) == self.pids
        assert self.collector.running() and self.dispatcher.running()

    def books(self):
        return self.lab.books(self.nats, self.vcenter)


def test_the_vcenter_password_changes(lab, tmp_path):
    file = secret(tmp_path, "vcenter-password", PASSWORD)
    line = Line(lab, password=file)
    line.vcenter.lab("password", new="canary-another")
    line.more()  # the session goes on
    secret(tmp_path, "vcenter-password", "canary-another")
    line.vcenter.lab("expire")  # and the next login uses the new one
    line.more()
    line.settle()


def test_kubernetes_swaps_the_directory_of_a_secret(lab, tmp_path):
    """..data is a symbolic link to a directory, replaced by a rename."""
    for version, value in (("..v1", PASSWORD), ("..v2", "canary-next")):
        (tmp_path / version).mkdir()
        secret(tmp_path / version, "password", value)
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "password").symlink_to("..data/password")
    line = Line(lab, password=tmp_path / "password")
    line.vcenter.lab("password", new="canary-next")
    (tmp_path / "..data_tmp").symlink_to("..v2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    line.vcenter.lab("expire")
    line.more()
    line.settle()


def test_sighup_and_a_changed_file_reload(lab):
    line = Line(lab)
    line.more()
    line.collector.signal(signal.SIGHUP)
    line.dispatcher.signal(signal.SIGHUP)
    for daemon in (line.collector, line.dispatcher):
        wait_until(lambda: daemon.lines("configuration read anew"), 20, "reload by SIGHUP")
    line.more()
    line.config["eventProvider"]["vcenter"]["pageSize"] = 7
    line.config["eventProcessor"]["concurrency"] = 3
    line.config["eventProcessor"]["knative"]["destination"]["uri"] = line.receiver.url + "/new"
    for daemon in (line.collector, line.dispatcher):
        daemon.configure(line.config)
        wait_until(lambda: len(daemon.lines("configuration read anew")) == 2, 20, "reload of a changed file")
    line.receiver.wait_for(lambda requests: requests[-1].path == "/new", what="the new address")
    line.more()
    assert line.collector.metric("vcourier_config_last_reload_successful") == 1
    line.settle()


def test_a_wrong_new_file_leaves_the_old_one_in_use(lab):
    line = Line(lab)
    for daemon in (line.collector, line.dispatcher):
        daemon.configure({**line.config, "nonsense": "canary"})
        wait_until(lambda: daemon.lines("bad configuration: the old one stays in use.*nonsense: unknown key"), 20,
                   "the wrong file is told")
        wait_until(lambda: daemon.metric("vcourier_config_last_reload_successful") == 0, 20, "the metric")
        assert not daemon.lines("canary")
    line.more()
    line.settle()


def test_the_stats_of_the_old_router(lab):
    line = Line(lab)
    line.more(50)
    stats = json.loads(line.collector.get("/stats")[1])
    assert set(stats) == {"cmdline", "memstats", "system", "vmware.event.router.stats"}
    assert set(stats["system"]) == {"numberOfSeconds", "programName", "lastLoad", "allLoad"}
    lab_stats = stats["vmware.event.router.stats"]["lab"]
    assert lab_stats["type"] == "EventProvider" and lab_stats["address"] == line.vcenter.url
    assert set(lab_stats) == {"type", "address", "started", "events_total", "events_err", "events_per_sec"}
    assert lab_stats["events_total"] > 0 and lab_stats["events_err"] == 0
    line.settle()
    stats = json.loads(line.dispatcher.get("/stats")[1])["vmware.event.router.stats"]["kn"]
    assert stats["type"] == "EventProcessor" and stats["address"] == line.receiver.url + "/in"
    want = Counter(r.event()["subject"] for r in line.receiver.requests)
    assert stats["invocations"] == {s: {"SuccessCount": n, "FailureCount": 0} for s, n in want.items()}


def test_check_connect_prints_a_checklist(lab, tmp_path):
    line = Line(lab)
    file = tmp_path / "router.yaml"
    file.write_text(json.dumps(line.config))

    def check():
        return subprocess.run([BUILD / "vcourier", "check", "--connect", file], capture_output=True, text=True, timeout=120)
    run = check()
    assert run.returncode == 0, run.stdout + run.stderr
    for what in ("ok     vCenter lab: ", "ok     NATS: connected", "ok     stream VC_lab: ", "ok     knative kn"):
        assert what in run.stdout, run.stdout
    line.config["eventProvider"]["vcenter"]["auth"]["basicAuth"]["password"] = "canary-wrong"
    line.config["eventProcessor"]["knative"]["destination"]["uri"] = "http://127.0.0.1:1/"
    file.write_text(json.dumps(line.config))
    run = check()
    assert run.returncode == 1 and run.stdout.count("FAILED") == 2 and "canary" not in run.stdout + run.stderr, run.stdout
    line.settle()
