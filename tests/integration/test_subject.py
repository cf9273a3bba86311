# SPDX-License-Identifier: Apache-2.0
"""vcourier subject and vcourier tail --explain: the subjects of docs/events.md, what NATS cannot express, what a subject selects."""
import json
import re
import shlex
import subprocess

import pytest

from lab.process import BUILD, ROOT

SAMPLES = {  # subjects as collectors publish them
    "on": "vc.vc1.Berlin=202.Prod.info.event.VmPoweredOnEvent",
    "drs": "vc.vc1.Berlin=202.Prod.info.event.DrsVmPoweredOnEvent",
    "migrated": "vc.vc2.Paris._.info.event.VmMigratedEvent",
    "removed": "vc.vc1._._.warning.event.VmRemovedEvent",
    "lost": "vc.vc2.Paris._.error.event.HostConnectionLostEvent",
    "ha": "vc.vc1.Paris.Prod.error.eventex.com.vmware.vc.HA.DasHostFailedEvent",
    "esx": "vc.vc2.Paris.Prod.warning.eventex.esx.problem.net.vmnic.down",
    "alarm": "vc.vc2._._.info.event.AlarmStatusChangedEvent",
    "login": "vc.vc2._._.info.event.BadUsernameSessionEvent",
    "gap": "vc.vc1._._.error.vcourier.EventGap",
}
WISHES = {
    "everything of one vCenter": {"on", "drs", "removed", "ha", "gap"},
    "errors": {"lost", "ha", "gap"},
    "errors and warnings": {"lost", "ha", "gap", "removed", "esx"},
    "one datacenter": {"on", "drs"},
    "hosts and VMs outside clusters": {"removed", "gap"},
    "VMs powered on, by DRS too": {"on", "drs"},
    "VMs removed": {"removed"},
    "vMotion": {"migrated"},
    "a host does not answer": {"lost"},
    "vSphere HA": {"ha"},
    "problems of ESXi hosts": {"esx"},
    "an alarm changes its state": {"alarm"},
    "refused logins": {"login"},
    "gaps that vcourier reports": {"gap"},
}


def vcourier(*arguments):
    return subprocess.run([BUILD / "vcourier", *arguments], capture_output=True, text=True, timeout=60, env={"HOME": "/nowhere"})


def test_the_table_of_wishes(lab):
    """Each command of docs/events.md prints what the page says, and a real server delivers by it what the wish says."""
    rows = re.findall(r"^\| (.+?) \| `vcourier (subject .+?)` \| (.+?) \|$", (ROOT / "docs" / "events.md").read_text(), re.M)
    assert [wish for wish, _, _ in rows] == list(WISHES)
    wire = lab.nats().connect()
    heard = {}
    for wish, command, subjects in rows:
        printed = vcourier(*shlex.split(command)).stdout.split()
        assert printed == re.findall("`(.+?)`", subjects), wish
        heard[wish] = [wire.subscribe(subject) for subject in printed]
    for subject in SAMPLES.values():
        wire.publish(subject, b"{}")
    wire.flush()
    names = {subject: name for name, subject in SAMPLES.items()}
    for wish, sids in heard.items():
        assert {names[m.subject] for m in wire.messages if m.sid in sids} == WISHES[wish], wish


@pytest.mark.parametrize("arguments, subject, pattern, events", [
    (["--vcenter", "lab", "--event", "VmPowered*", "--severity", "error"], "vc.lab.*.*.error.>", {"subject": [{"wildcard": "VmPowered*"}]},
     ["VmPoweredOffEvent", "VmPoweredOnEvent"]),
    (["--event", "*Host*"], "vc.>", {"subject": [{"wildcard": "*Host*"}]}, []),
    (["--event", "esx.problem.net*"], "vc.*.*.*.*.*.esx.problem.>", {"subject": [{"wildcard": "esx.problem.net*"}]}, []),
    (["--event", "esx.problem.net*.>"], "vc.*.*.*.*.*.esx.problem.>", {"subject": [{"wildcard": "esx.problem.net*.*"}]}, []),
    (["--event", "a.b.c.d.e.f.g.*"], "vc.*.*.*.*.*.a.b.c.d.e.f.>", {"subject": [{"wildcard": "a.b.c.d.e.f.g.*"}]}, []),
    (["--datacenter", 'Prod "*', "--severity", "user"], "vc.*.*.*.user.>", {"data": {"Datacenter": {"Name": [{"wildcard": 'Prod "*'}]}}}, []),
    (["--cluster", "C*", "--datacenter", "D*", "--event", "Vm*On"], "vc.>", {
        "subject": [{"wildcard": "Vm*On"}],
        "data": {"Datacenter": {"Name": [{"wildcard": "D*"}]}, "ComputeResource": {"Name": [{"wildcard": "C*"}]}}}, []),
])
def test_what_nats_cannot_express_is_refused(arguments, subject, pattern, events):
    run = vcourier("subject", *arguments)
    assert run.returncode == 64 and run.stdout == "" and run.stderr.count("\n") == 1, run
    found = re.search(r"ubscribe to (\S+) and filter what arrives by the event pattern (\{.*\})$", run.stderr)
    assert found[1] == subject and json.loads(found[2]) == pattern
    assert re.findall(r"--event (\w+)", run.stderr) == events
    assert vcourier("tail", "--explain", found[1]).returncode == 0, "a valid subject"
    assert vcourier("match", "-p", found[2], "/dev/null").returncode == 0, "a valid pattern"


@pytest.mark.parametrize("arguments, error", [
    (["--vcenter", "l*"], "give a name, or leave it out"), (["--severity", "warn"], "none of info, warning, error, user"),
    (["--class", "vm"], "is none of event"), (["--event", "x" * 1025], "longer than 1024 bytes"), (["--prefix", "a.b"], "not a token"),
    (["--vcenter", ""], "empty"), (["extra"], "usage"),
])
def test_wrong_usage(arguments, error):
    run = vcourier("subject", *arguments)
    assert run.returncode == 64 and error in run.stderr and run.stdout == "" and run.stderr.count("\n") == 1, run


@pytest.mark.parametrize("arguments, subject, remark", [
    (["--event", "VmPoweredOnEvent"], "vc.*.*.*.*.event.VmPoweredOnEvent", "DrsVmPoweredOnEvent"),
    (["--event", "VmEvent"], "vc.*.*.*.*.event.VmEvent", "classes that derive from VmEvent"),
    (["--event", "Nope\x1b[2J"], "vc.*.*.*.*.*.Nope=1B=5B2J", "no class of vSphere events is named"),
    (["--event", "UserLoginSessionEvent"], "vc.*.*.*.*.event.UserLoginSessionEvent", None),
    (["--event", "esx.*.net.>"], "vc.*.*.*.*.*.esx.*.net.>", None),
    (["--event", "*"], "vc.>", None), (["--event", ">"], "vc.>", None), (["--vcenter", "*"], "vc.>", None),
    (["--event", "com.*.HA"], "vc.*.*.*.*.*.com.*.HA", None),
    (["--class", "eventex", "--event", "VmPoweredOffEvent"], "vc.*.*.*.*.eventex.VmPoweredOffEvent", None),
    (["--prefix", "prod", "--vcenter", "_"], "prod.=5F.>", None),
])
def test_subjects_and_remarks(arguments, subject, remark):
    run = vcourier("subject", *arguments)
    assert run.returncode == 0 and run.stdout == subject + "\n", run
    assert (remark in run.stderr if remark else run.stderr == "") and "\x1b" not in run.stderr


def test_a_subject_is_explained():
    run = vcourier("tail", "--explain", "vc.l=20b.*._.error.event.VmPoweredOnEvent")
    rows = [re.split(r"\s{2,}", line) for line in run.stdout.splitlines()]
    assert run.returncode == 0 and rows == [
        ["vc", "events"], ["l=20b", "the vCenter l b"], ["*", "any datacenter, or none"], ["_", "no cluster"], ["error", "severity error"],
        ["event", "an event with a vSphere class of its own"], ["VmPoweredOnEvent", "this class, which derives from VmEvent"]]
    for subject, words in {"vc.lab.>": "any datacenter, cluster, severity, class and name", ">": "any prefix, vCenter",
                           "vc.*.*.*.*.*.*": "any name without a dot", "vc.*.*.*.*.eventex.com.*.HA.>": "* is one part between dots, > one or more",
                           "vc.*.*.*.*.*.esx.>": "names that begin like this", "vc.*.*.*.*.event.Nope": "no vSphere class",
                           "vc.*.*.*.*.*.>": "any name", "vc.=1B[.>".replace("[", "=5B"): "the vCenter "}.items():
        run = vcourier("tail", "--explain", subject)
        assert run.returncode == 0 and words in run.stdout and "\x1b" not in run.stdout, run
    for subject, error in {"vc.x": "end it with >", "vc.*.*.*.*.*.VmPowered*": "a wildcard is a whole token", "other.>": "begin with vc"}.items():
        run = vcourier("tail", "--explain", subject)
        assert run.returncode == 64 and error in run.stderr and run.stdout == "", run
    assert "which SUBJECT?" in vcourier("tail", "--explain").stderr
