# SPDX-License-Identifier: Apache-2.0
"""vcourier match: results, exit codes, messages about invalid input."""
import json
import subprocess

import pytest

from lab.process import BUILD

EVENT = {"specversion": "1.0", "id": "7-1", "source": "https://vc.lab/sdk", "type": "com.vmware.event.router/event",
         "subject": "VmPoweredOnEvent", "time": "2026-11-22T10:00:00.999Z", "data": {"Vm": {"Name": "web-1"}}}


def match(tmp_path, pattern, events, *options):
    file = tmp_path / "pattern.json"
    file.write_text(pattern if isinstance(pattern, str) else json.dumps(pattern))
    return subprocess.run([str(BUILD / "vcourier"), "match", "--pattern", str(file), *options], input=events, text=True,
                          capture_output=True, timeout=30)


def test_a_line_for_each_event(tmp_path):
    events = '{"a":1}\n\n{"a":[2,"x"]}\r\n{"b":1}'
    run = match(tmp_path, {"a": [1, {"prefix": "x"}]}, events)
    assert (run.stdout, run.returncode, run.stderr) == ("match\nmatch\nnomatch\n", 0, "")


@pytest.mark.parametrize("pattern, expected", [
    ({"detail": {"data": {"Vm": {"Name": ["web-1"]}}}}, "match"),
    ({"detail": {"data": {"Vm": {"Name": ["web-2"]}}}}, "nomatch"),
    ({"source": [{"suffix": "/sdk"}], "detail-type": ["VmPoweredOnEvent"]}, "match"),
    ({"time": ["2026-11-22T10:00:00Z"], "region": ["eu-west-1"], "account": ["42"]}, "match"),
    ({"resources": [{"exists": False}], "version": ["0"]}, "match"),
    ({"id": ["what AWS will draw"], "source": [{"prefix": "https:"}]}, "match"),
])
def test_cloudevents_in_the_form_that_rules_match(tmp_path, pattern, expected):
    run = match(tmp_path, pattern, json.dumps(EVENT), "--cloudevent", "--region", "eu-west-1", "--account", "42")
    assert (run.stdout, run.returncode) == (expected + "\n", 0), run.stderr


def test_an_invalid_pattern_is_refused_with_its_position(tmp_path):
    run = match(tmp_path, '{"a":[{"EXISTS":true}]}', '{"a":1}')
    assert run.returncode == 78 and run.stdout == ""
    assert "Event pattern is not valid. Reason: Unrecognized match type EXISTS at line: 1, column:" in run.stderr


def test_lines_that_are_not_events(tmp_path):
    run = match(tmp_path, {"a": [1]}, 'nonsense\n{"a":1}\n[1]\n')
    assert (run.stdout, run.returncode) == ("error\nmatch\nerror\n", 1)
    assert "stdin:1: " in run.stderr and "stdin:3: " in run.stderr


def test_missing_files(tmp_path):
    run = subprocess.run([str(BUILD / "vcourier"), "match", "-p", str(tmp_path / "none")], capture_output=True, text=True)
    assert run.returncode == 78 and "none: No such file or directory" in run.stderr
    run = match(tmp_path, {"a": [1]}, "", str(tmp_path / "missing"))
    assert run.returncode == 78 and "missing: No such file or directory" in run.stderr
