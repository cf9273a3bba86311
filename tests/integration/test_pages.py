# SPDX-License-Identifier: Apache-2.0
"""Every block of commands in README and docs is run by a test, in the order of its page, or the page says why none runs it."""
import functools
import re
import subprocess
import sys

import pytest
import yaml

from lab.process import ROOT

sys.path.insert(0, str(ROOT / "tests/pages"))
import namespace  # noqa: E402
import nats_cli  # noqa: E402
import page  # noqa: E402

# (page, heading, number of the block): the file that runs it. test_a_file_that_runs_a_block_names_it guards the table.
RUN_BY = {
    ("README.md", "Two commands", 1): ".ci/run",
    ("CONTRIBUTING.md", "Set up", 1): ".ci/run",
    ("docs/systemd.md", "Run with systemd", 1): "tests/pages/systemd.py",
    ("docs/systemd.md", "Run with systemd", 2): "tests/pages/systemd.py",
    ("docs/systemd.md", "Run with systemd", 3): "tests/pages/systemd.py",
    ("docs/systemd.md", "Run with systemd", 4): "tests/pages/systemd.py",
    ("docs/migration.md", "From the event router", 1): "tests/pages/host.py",
    ("docs/migration.md", "From the event router", 2): "tests/pages/host.py",
    ("docs/migration.md", "From VEBA 0.8", 1): "tests/integration/test_import.py",
    ("docs/migration.md", "The webhook of VEBA 0.8", 1): "tests/integration/test_import.py",
    ("docs/functions.md", "Run the functions on this machine", 1): "tests/integration/test_function.py",
    ("docs/functions.md", "Run the functions on this machine", 2): "tests/integration/test_function.py",
    ("docs/delivery.md", "Dead letters", 1): "tests/pages/host.py",
    ("docs/delivery.md", "Send past events again", 1): "tests/pages/host.py",
    ("docs/openfaas.md", "Commands", 1): "tests/pages/host.py",
    ("docs/eventbridge.md", "Which events are sent", 1): "tests/pages/host.py",
    ("docs/nats.md", "Users", 1): "tests/pages/host.py",
    ("docs/nats.md", "Connectors", 1): "tests/pages/host.py",
    ("docs/nats.md", "Operator mode", 1): "tests/pages/nats_cli.py",
    ("docs/tutorial.md", "1. Start the demo", 1): "tests/pages/host.py",
    ("docs/tutorial.md", "1. Start the demo", 2): "tests/pages/host.py",
    ("docs/tutorial.md", "2. Look at the events", 1): "tests/pages/host.py",
    ("docs/tutorial.md", "3. Write a function", 2): "tests/pages/host.py",
    ("docs/tutorial.md", "3. Write a function", 3): "tests/pages/host.py",
    ("docs/tutorial.md", "4. Connect it", 2): "tests/pages/host.py",
    ("docs/tutorial.md", "5. A dead letter", 1): "tests/pages/host.py",
    ("docs/tutorial.md", "4. Connect it", 3): "tests/pages/host.py",
    ("docs/tutorial.md", "5. A dead letter", 2): "tests/pages/host.py",
    ("docs/tutorial.md", "5. A dead letter", 3): "tests/pages/host.py",
    ("docs/operations.md", "Backup and upgrade", 1): "tests/integration/test_backup.py",
    ("docs/operations.md", "Backup and upgrade", 2): "tests/integration/test_backup.py",
    ("docs/events.md", "Try a function with a made-up event", 1): "tests/pages/host.py",
    ("docs/console.md", "Users", 1): "tests/pages/host.py",
    ("docs/consumers.md", "Examples", 1): "tests/pages/nats_cli.py",
    ("docs/consumers.md", "Without JetStream", 1): "tests/pages/nats_cli.py",
    ("docs/consumers.md", "n8n", 1): "tests/integration/test_consumer_webhooks.py",
    ("docs/scale.md", "More than one NATS server", 2): "tests/pages/nats_cli.py",
    ("docs/compose.md", "Run with Docker Compose", 1): "tests/compose/pages.py",
    ("docs/compose.md", "A real vCenter and real backends", 1): "tests/compose/pages.py",
    ("docs/compose.md", "Several vCenters", 1): "tests/integration/test_compose.py",
    ("docs/compose.md", "Several vCenters", 2): "tests/integration/test_compose.py",
    ("docs/compose.md", "A webhook and Horizon", 2): "tests/compose/pages.py",
    ("docs/compose.md", "A webhook and Horizon", 3): "tests/compose/pages.py",
    ("docs/compose.md", "The images", 1): "tests/compose/pages.py",
    ("docs/functions.md", "With compose", 1): "tests/compose/pages.py",
    ("docs/appliance.md", "Build it", 1): "tests/appliance/boot.py",
    ("docs/appliance.md", "Import it", 4): "tests/integration/test_appliance.py",
    ("docs/appliance.md", "The first boot", 1): "tests/integration/test_appliance.py",
    ("docs/kubernetes.md", "With Helm", 1): "tests/integration/test_helm.py",
    ("docs/kubernetes.md", "With Helm", 2): "tests/cluster/scenarios.py",
    ("docs/kubernetes.md", "Start", 2): "tests/integration/test_k8s.py",
    ("docs/kubernetes.md", "Start", 3): "tests/cluster/scenarios.py",
    ("docs/kubernetes.md", "Start", 4): "tests/cluster/scenarios.py",
    ("docs/kubernetes.md", "Another name, another vCenter, another dispatcher", 5): "tests/integration/test_k8s.py",
    ("docs/kubernetes.md", "A NATS of your own", 3): "tests/integration/test_kube_apiserver.py",
    ("docs/kubernetes.md", "From one NATS server to three", 2): "tests/integration/test_k8s.py",
    ("docs/kubernetes.md", "From one NATS server to three", 3): "tests/integration/test_k8s.py",
}
# Blocks of commands that no test can run: the sentence of the page that says so.
SAID_TO_BE_UNTESTED = {
    ("docs/appliance.md", "Import it", 1): "No test runs these commands of `govc` and `ovftool`",
    ("docs/appliance.md", "Import it", 2): "No test runs these commands of `govc` and `ovftool`",
}
# Blocks that are neither commands nor YAML or JSON.
NO_COMMANDS = {
    ("README.md", "vcourier", 1): "picture",
    ("HACKING.md", "The map", 1): "picture",
    ("docs/architecture.md", "The pipeline", 1): "picture",
    ("docs/architecture.md", "The life of an event", 1): "picture",
    ("docs/appliance.md", "Import it", 3): "XML",
    ("docs/consumers.md", "Subjects", 1): "syntax",
    ("docs/events.md", "Which events there are", 1): "output",
    ("docs/kubernetes.md", "From one NATS server to three", 1): "output",
    ("docs/operations.md", "vcourier status", 1): "output",
    ("docs/operations.md", "Try the connections", 1): "output",
    ("docs/scale.md", "More than one NATS server", 1): "file of nats-server",
    ("docs/tutorial.md", "3. Write a function", 1): "program",
}
COMMANDS = ("make", "apt", "cd", "cp", "mkdir", "install", "systemctl", "vcourier", "vcourier-collector", "vcourier-dispatcher", "nats",
            "nats-server", "docker", "kubectl", "helm", "python3", "curl", "printf", "export", "kill", "tail", "users.py", "./nats/users.py", "./vcenters.py", "compose/nats/users.py", "sh")


def is_data(block):
    """YAML or JSON, which may have a line like a command only in a comment."""
    try:
        data = yaml.safe_load(block.text)
    except yaml.YAMLError:
        return False
    first = next(line for line in block.text.splitlines() if not line.startswith("#"))
    return isinstance(data, dict | list) and first.split(" ")[0] not in COMMANDS


def place(block):
    return block.page, block.heading, block.number


def blocks_of_commands():
    """What is not known to be something else. So a block that begins with a program that no page has named yet is not overlooked."""
    return [block for name in page.PAGES for block in page.blocks(name) if place(block) not in NO_COMMANDS and not is_data(block)]


@pytest.mark.parametrize("block", blocks_of_commands(), ids=lambda b: b.at)
def test_a_test_runs_each_block_of_commands(block):
    if place(block) in SAID_TO_BE_UNTESTED:
        section = (ROOT / block.page).read_text().split(f"# {block.heading}\n")[1].split("\n#")[0]
        assert SAID_TO_BE_UNTESTED[place(block)] in section
        return
    by = RUN_BY.get(place(block))
    assert by, f"{block.at}: no test runs\n{block.text}"
    if by.endswith(".py"):
        assert block.page in (ROOT / by).read_text() and f'"{block.heading}"' in (ROOT / by).read_text(), f"{by} does not run {block.at}"


def test_every_row_names_a_block():
    assert sorted((RUN_BY.keys() | SAID_TO_BE_UNTESTED.keys()) - {place(b) for b in blocks_of_commands()}) == []
    assert sorted(NO_COMMANDS.keys() - {place(b) for name in page.PAGES for b in page.blocks(name) if not is_data(b)}) == []


def test_fences_have_no_commands():
    """page.py reads indented blocks alone."""
    fences = {fence for name in page.PAGES for fence in re.findall(r"^```(\w.*)$", (ROOT / name).read_text(), re.M)}
    assert fences <= {"yaml"} and not any(re.search(r"^ {0,3}~~~", (ROOT / name).read_text(), re.M) for name in page.PAGES)


@pytest.mark.parametrize("scenario", ["first_day", "functions", "patterns", "users", "emit", "console", "tutorial", "consumers", "leaf", "operator_mode"])
def test_the_commands_of_a_page(scenario):
    if reason := namespace.missing():
        pytest.skip(reason)
    if scenario in ("consumers", "leaf") and not nats_cli.PROGRAM.exists():
        pytest.skip("the NATS CLI is not installed: `make interop` builds it where go is new enough")
    if scenario == "operator_mode" and not nats_cli.NSC.exists():
        pytest.skip("nsc is not installed: `make interop` builds it")
    run = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, ROOT / "tests/pages/host.py", scenario],
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    print(run.stdout)


def test_commands_in_sentences_exist():
    """`vcourier NAME` in a sentence names a subcommand."""
    usage = subprocess.run([ROOT / "build/release/vcourier", "--help"], capture_output=True, text=True).stdout
    named = {m for p in page.PAGES for m in re.findall(r"`vcourier ([a-z]+)[ `]", (ROOT / p).read_text())}
    assert {n for n in named if not re.search(rf"^\s*{n}\b", usage, re.M)} == set()


@functools.cache
def help_of(*command):
    return subprocess.run([ROOT / "build/release/vcourier", *command, "--help", "all"], capture_output=True, text=True, check=True).stdout


def test_options_of_commands_in_sentences_exist():
    """`vcourier tail --since 1h` in a sentence: tail has --since."""
    spans = {s for p in page.PAGES if p != "CHANGELOG.md" for s in re.findall(r"`vcourier ([a-z][^`\n]*)`", (ROOT / p).read_text())}
    missing = []
    for span in spans:
        words = span.split()
        command = words[:2] if words[0] in ("dead", "function") and len(words) > 1 else words[:1]
        missing += [(span, o) for o in words if re.fullmatch(r"--[a-z-]+|-[a-z]", o) and not re.search(rf"(?<!\S){o}\b", help_of(*command))]
    assert len(spans) > 40 and missing == []


def test_targets_of_make_in_sentences_exist():
    files = [ROOT / "Makefile", *ROOT.glob("*/rules.mk"), *ROOT.glob("tests/*/rules.mk")]
    targets = {t for file in files for line in re.findall(r"^([a-z][\w -]*):(?!=)", file.read_text(), re.M) for t in line.split()}
    named = {t for p in page.PAGES for t in re.findall(r"`make ([a-z][\w-]*)[ `]", (ROOT / p).read_text())}
    assert len(named) > 10 and sorted(named - targets) == []
