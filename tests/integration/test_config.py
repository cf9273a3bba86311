# SPDX-License-Identifier: Apache-2.0
"""The configuration file on the command line: valid files, invalid files, and the files generated from the option tables."""
import json
import os
import socket
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from lab.process import BUILD, ROOT

EXAMPLES = sorted((ROOT / "tests" / "data" / "config").glob("*.yaml"))
SHIPPED = [ROOT / "k8s" / "base" / "config.yaml", ROOT / "compose" / "local" / "config.yaml"]
SCHEMA = ROOT / "schemas" / "config.schema.json"


def vcourier(*arguments, **options):
    return subprocess.run([BUILD / "vcourier", *arguments], capture_output=True, text=True, timeout=60, **options)


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# ---- existing files of users

@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_files_of_the_event_router_work_unchanged(example):
    run = vcourier("check", example)
    assert (run.returncode, run.stdout.splitlines()[0]) == (0, f"{example}: ok"), run.stderr
    assert all(line.startswith("warning: ") for line in run.stderr.splitlines())
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(yaml.safe_load(example.read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_the_effective_configuration_masks_secrets_and_is_valid(example, tmp_path):
    run = vcourier("config", example)
    assert run.returncode == 0, run.stderr
    assert "canary" not in run.stdout + run.stderr
    again = vcourier("config", write(tmp_path / "again.yaml", run.stdout))
    assert (again.returncode, again.stdout) == (0, run.stdout), again.stderr


@pytest.mark.parametrize("file", SHIPPED, ids=lambda p: p.parent.name)
def test_shipped_files_are_valid(file):
    run = vcourier("check", file, env={**os.environ, "NATS_USER": "someone"})
    assert run.returncode == 0, run.stderr
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(yaml.safe_load(file.read_text()))
    run = vcourier("check", file, env={k: v for k, v in os.environ.items() if k != "NATS_USER"})
    assert run.returncode == 78 and "bus.user: the environment variable NATS_USER is not set" in run.stderr


def test_the_examples_cover_all_kinds():
    """The examples cover both provider types, every backend and every kind of authentication."""
    text = "".join(p.read_text() for p in EXAMPLES)
    for word in ("vcenter:", "vcsim:", "knative:", "openfaas:", "awsEventBridge:", "uri:", "ref:", "basic_auth",
                 "aws_access_key", "aws_iam_role", "rootCAs", "metricsProvider", "labels", "checkpointDir", "async"):
        assert word in text, word


def test_generated_files_are_up_to_date():
    assert (ROOT / "docs" / "configuration.md").read_text() == vcourier("config", "--reference").stdout, "make docs"
    assert json.loads(SCHEMA.read_text()) == json.loads(vcourier("config", "--schema").stdout), "make docs"


def test_the_schema_is_valid_and_refuses_the_same_files_as_the_program():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    good = yaml.safe_load((ROOT / "tests" / "data" / "config" / "knative-uri.yaml").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    for change in ({"kind": "Secret"}, {"nonsense": 1}, {"bus": {"stream": {"replicas": 9}}},
                   {"eventProcessor": {"type": "knative"}}, {"log": {"level": "loud"}}):
        assert not validator.is_valid({**good, **change}), change


def test_help_lists_the_options():
    for program, option in (("collector", "eventProvider.vcenter.address"), ("dispatcher", "eventProcessor.knative.encoding")):
        run = subprocess.run([BUILD / f"vcourier-{program}", "--help", "all"], capture_output=True, text=True)
        assert run.returncode == 0 and option in run.stdout and "bus.urls" in run.stdout


# ---- mistakes in the file

WRONG = """apiVersion: event-router.vmware.com/v1alpha1
kind: RouterConfig
eventProvider:
  type: vcenter
  name: vc1
  vcenter:
    address: https://vc1.example.com
    insecureSsl: true
    timeout: 30
    auth:
      type: basic_auth
      basicAuth:
        username: ro
        pasword: canary
eventProcessor:
  type: knative
  name: kn
  knative:
    encoding: xml
    destination: {uri: "http://broker"}
"""


def test_all_errors_are_reported_with_their_position(tmp_path):
    file = write(tmp_path / "router.yaml", WRONG)
    run = vcourier("check", file)
    assert run.returncode == 78 and run.stdout == ""
    assert run.stderr.splitlines() == [
        f'{file}:8:5: eventProvider.vcenter.insecureSsl: unknown key (did you mean "insecureSSL"?)',
        f'{file}:9:5: eventProvider.vcenter.timeout: must be a duration with a unit, such as 30s or 5m, got "30"',
        f'{file}:12:7: eventProvider.vcenter.auth.basicAuth: password or passwordFile is missing',
        f'{file}:14:9: eventProvider.vcenter.auth.basicAuth.pasword: unknown key (did you mean "password"?)',
        f'{file}:19:5: eventProcessor.knative.encoding: must be one of binary, structured, got "xml"']


@pytest.mark.parametrize("program", ["collector", "dispatcher"])
def test_a_wrong_file_stops_the_start(tmp_path, program):
    file = write(tmp_path / "router.yaml", WRONG)
    run = subprocess.run([BUILD / f"vcourier-{program}", "-config", file], capture_output=True, text=True, timeout=30)
    assert run.returncode == 78 and f"{file}:" in run.stderr and "canary" not in run.stderr


@pytest.mark.parametrize("flags, code", [(["--nonsense"], 64), (["--log-level", "loud"], 64), (["-log-format=xml"], 64),
                                         (["stray"], 64), (["--version"], 0), (["-c", "/no/such/file"], 78)])
def test_the_command_line(flags, code):
    run = subprocess.run([BUILD / "vcourier-collector", *flags], capture_output=True, text=True, timeout=30)
    assert run.returncode == code and len(run.stderr.splitlines()) == (code != 0), run.stderr


def test_flags_of_the_event_router_work(tmp_path):
    """-log-json writes every line as JSON. The port is in use here, so the process reports this and ends."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = write(tmp_path / "router.yaml", (ROOT / "tests" / "data" / "config" / "knative-uri.yaml").read_text().replace(
            "0.0.0.0:8082", f"127.0.0.1:{taken.getsockname()[1]}"))
        run = subprocess.run([BUILD / "vcourier-collector", "-config", file, "-log-level", "warn", "-log-json"],
                             capture_output=True, text=True, timeout=30)
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert run.returncode == 1 and {line["level"] for line in lines} == {"warn", "error"}
    assert "in use by another program" in lines[-1]["error"] and "canary" not in run.stderr


def test_name_selects_one_of_several(tmp_path):
    entry = "{type: vcenter, name: %s, vcenter: {address: vc, auth: {basicAuth: {username: u, password: p}}}}"
    file = write(tmp_path / "router.yaml", f"eventProviders: [{entry % 'a'}, {entry % 'b'}]\n")
    run = subprocess.run([BUILD / "vcourier-collector", "-c", file], capture_output=True, text=True, timeout=30)
    assert run.returncode == 64 and "--name must pick one: a, b" in run.stderr


def test_a_start_that_fails_reports_the_errors_of_all_entries(tmp_path):
    """Also when it is not clear which entry is meant; each once."""
    entry = "{type: vcenter, name: %s, vcenter: {address: vc, timeout: 30, auth: {basicAuth: {username: u, password: p}}}}"
    file = write(tmp_path / "router.yaml", f"eventProviders:\n- {entry % 'a'}\n- {entry % 'b'}\n- {{type: vcenter}}\n")
    for flags in ([], ["--name", "a"]):
        run = subprocess.run([BUILD / "vcourier-collector", "-c", file, *flags], capture_output=True, text=True, timeout=30)
        wrong = run.stderr.splitlines()
        assert run.returncode == 78 and len(wrong) == len(set(wrong)), run.stderr
        for line in ("2:51: eventProviders[0].vcenter.timeout", "3:51: eventProviders[1].vcenter.timeout", "4:3: eventProviders[2]: name is missing"):
            assert any(f"{file}:{line}" in one for one in wrong), run.stderr


# ---- hostile files

def nested(text, n):
    return text * n


BAD = {
    "empty": "", "comment": "# nothing\n", "null": "~\n", "list": "- a\n", "scalar": "hello\n", "two": "a: 1\n---\nb: 2\n",
    "bom": "\ufeffnonsense: 1\n", "crlf": "nonsense: 1\r\nother: 2\r\n", "latin1": "a: caf\xe9\n".encode("latin-1"),
    "nul": b"a: \0\n", "utf16": "a: 1\n".encode("utf-16"), "tab": "a:\n\tb: 1\n", "anchor": "a: &x 1\n", "alias": "a: *x\n",
    "merge": "<<: {a: b}\n", "tag": "a: !!binary aGk=\n", "duplicate": "kind: RouterConfig\nkind: RouterConfig\n",
    "bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
    "brackets": nested("[", 100_000), "braces": nested("{", 100_000), "deep": nested("{a: ", 50_000), "dashes": nested("- ", 100_000),
    "quotes": nested("'", 500_001), "10MB": nested("a: b\n", 2_000_000), "1MB of keys": nested("a: b\n", 200_000),
    "long key": nested("k", 500_000) + ": 1\n", "long line": "kind: " + nested("v", 1_000_000) + "\n",
    "binary": bytes(range(256)) * 100, "yes": "eventProvider: yes\n", "octal": "bus: {stream: {replicas: 01}}\n",
    "range": "bus: {stream: {replicas: 99999999999999999999}}\n", "float": "bus: {stream: {replicas: 1e0}}\n",
}


def refused(file):
    """Checks that the file is refused with limits of one second of CPU and 32 MiB of memory, which the kernel enforces."""
    run = subprocess.run(["prlimit", "--cpu=1", f"--data={32 << 20}", "--", BUILD / "vcourier", "check", file],
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60)
    errors = run.stderr
    assert run.returncode == 78, errors
    assert errors.startswith(f"{file}:") and len(errors) < 32_000 and len(errors.splitlines()) <= 21, errors[:1000]
    assert all(ch.isprintable() or ch == "\n" for ch in errors)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD.keys())
def test_bad_text_is_refused_cheaply(tmp_path, text):
    refused(write(tmp_path / "router.yaml", text))


@pytest.mark.parametrize("kind", ["directory", "fifo", "socket", "missing", "loop", "unreadable", "device"])
def test_bad_files_are_refused(tmp_path, kind):
    file = tmp_path / "router.yaml"
    if kind == "directory":
        file.mkdir()
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(file))
    elif kind == "loop":
        file.symlink_to(file)
    elif kind == "unreadable":
        file = write(tmp_path / "router.yaml", "a: b\n")
        file.chmod(0)
        if os.access(file, os.R_OK):
            pytest.skip("root may read it all the same")
    elif kind == "device":
        file = Path("/dev/zero")
    refused(file)
