# SPDX-License-Identifier: Apache-2.0
"""All programs with the NATS users of compose/nats/users.py, by password and in operator mode: everything works, and the server refuses no request."""
import json
import re
import subprocess

import pytest

from lab.console import Console
from lab.operatornats import KINDS, kind_of_bus
from lab.process import BUILD, wait_until
from lab.product import knative, provider, router_config
from lab.receiver import Answer

NAMES = ["--vcenter", "lab", "--dispatcher", "knative"]
API = "$JS.API"


class Pipeline:
    """A vCenter, a backend that rejects the first event until `accept` is called, and the programs."""

    def __init__(self, lab, bus):
        self.lab, self.bus, self.rejected = lab, bus, None
        self.vcenter, self.backend = lab.vcenter(), lab.receiver(self.answer)
        self.config = router_config(bus, lab.authority.ca, [provider(self.vcenter, startFrom="earliest", standby=True)],
                                    [knative(self.backend.url, name="knative")])
        self.config["bus"] |= bus.options("${NATS_USER}")

    def answer(self, request):
        event = request.event()["id"]
        self.rejected = self.rejected or event
        return Answer(400) if event == self.rejected else None

    def accept(self):
        self.rejected = "nobody"

    def start(self, program, user):
        daemon = self.lab.daemon(program, self.config, name=f"{program}-{len(self.lab.processes)}")
        daemon.env = {"NATS_USER": user}
        self.file = daemon.file
        return daemon.start()

    def cli(self, *arguments):
        command = [BUILD / "vcourier", *arguments, "-c", self.file]
        run = subprocess.run([str(c) for c in command], env={"NATS_USER": "cli"}, capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, (arguments, run.stdout, run.stderr)
        return run.stdout

    def dead(self):
        return [json.loads(line) for line in self.cli("dead", "ls", "--json").splitlines()]

    def wait_dead(self):
        wait_until(lambda: self.rejected and self.rejected in self.cli("dead", "ls", "--json"), 60, "the dead letter")

    def violations(self):
        return [line for line in self.bus.text().splitlines() if "Violation" in line]


@pytest.fixture(params=KINDS)
def pipeline(request, lab, tmp_path):
    return Pipeline(lab, lab._keep(kind_of_bus(request.param)(tmp_path, *NAMES)).start())


def test_the_pipeline_and_the_operators_tool(pipeline):
    vcenter, backend = pipeline.vcenter, pipeline.backend
    vcenter.burst(200)
    pipeline.start("dispatcher", "dispatcher-knative")
    for _ in range(2):  # the second collector reads the end of the first one's stream
        collector = pipeline.start("collector", "collector-lab").wait_ready()
        vcenter.burst(50)
        expected = set(vcenter.events())
        backend.wait_for(lambda requests: len({r.event()["id"] for r in requests}) >= len(expected))
        lines = pipeline.cli("status").splitlines()
        described = [json.loads(line) for line in pipeline.cli("events", "--json").splitlines()]
        collector.kill()
    pipeline.wait_dead()
    assert [line for line in lines if re.match("knative .*(up to date|delivering)$", line)], "the dispatcher may answer"
    assert [line for line in lines if re.match("lab +leader .*(reading|catching up)$", line)], "the collector may answer"
    assert pipeline.cli("tail", "--since", "1h", "--count", "3", "--json").count("\n") == 3
    assert len([e for e in described if e.get("description")]) > 40 and sum(e["events"] for e in described) > 0
    pipeline.cli("emit", "VmPoweredOnEvent", "--dispatcher", "knative")
    pipeline.accept()
    pipeline.cli("dead", "redrive", "--all")
    before = len(backend.requests)
    pipeline.cli("replay", "--dispatcher", "knative", "--since", "1h")
    backend.wait_for(lambda requests: len(requests) >= before + len(expected), what="the replay")
    for bucket in ("vcourier", "vcourier-checkpoints"):
        made = pipeline.bus.login("admin").request(f"{API}.STREAM.INFO.KV_{bucket}").json()["config"]
        assert made["subjects"] == [f"$KV.{bucket}.>"] and not {"republish", "mirror", "sources"} & set(made)
    assert pipeline.violations() == []


def job_of(login, path, body):
    """The job that a request begins, after its end."""
    number = login.post(path, body).json()["job"]

    def ended():
        job = login.get("/api/job").json()
        return job and job["job"] == number and not job["running"] and job
    return wait_until(ended, 30, "the job has ended")


def test_the_console_reads_with_one_user_and_changes_with_another(pipeline, lab, tmp_path):
    """Without `operator`, the process has no login with which anybody could send an event again or drop a dead letter."""
    pipeline.vcenter.burst(20)
    pipeline.start("dispatcher", "dispatcher-knative")
    pipeline.start("collector", "collector-lab").wait_ready()
    pipeline.wait_dead()
    bus = {"urls": [pipeline.bus.url], **pipeline.bus.options("console")}
    reads = lab._keep(Console(tmp_path, pipeline.bus, "reads", bus=bus)).start().wait_ready()
    works = lab._keep(Console(tmp_path, pipeline.bus, "works", bus=bus, operator=pipeline.bus.options("console-operator"))).start().wait_ready()
    viewer, operator = works.login("vera"), works.login("olga")
    letter = wait_until(lambda: viewer.get("/api/dead").json()["rows"], 30, "the dead letter on the page")[0]
    wait_until(lambda: "knative" in viewer.get("/api/status").body.decode(), 30, "the dispatcher on the page")
    assert viewer.post("/api/dead/redrive", {"seqs": [letter["seq"]]}).status == 403
    assert pipeline.violations() == []

    alone = reads.login("olga")  # the role alone does not help a process whose NATS user only reads
    job = job_of(alone, "/api/dead/redrive", {"seqs": [letter["seq"]]})
    assert job["failed"] == 1 and job["done"] == 0 and "NATS does not permit it: Permissions Violation" in job["error"], job
    stolen = pipeline.bus.login("console")
    for subject in ("vcreplay.knative.forged", f"{API}.STREAM.MSG.DELETE.VCDEAD"):
        stolen.publish(subject, json.dumps({"seq": letter["seq"]}).encode())
        assert "Permissions Violation for Publish" in stolen.take_errors()[0]
    assert [d["seq"] for d in pipeline.dead()] == [letter["seq"]]

    refused, pipeline_rejected = len(pipeline.violations()), pipeline.rejected
    pipeline.accept()
    assert job_of(operator, "/api/dead/redrive", {"seqs": [letter["seq"]]})["done"] == 1
    pipeline.backend.wait_for(lambda requests: [r for r in requests if r.event()["id"] == pipeline_rejected and r.status == 202])
    assert pipeline.dead() == [] and len(pipeline.violations()) == refused
