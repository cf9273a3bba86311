# SPDX-License-Identifier: Apache-2.0
"""The compose stack without a container engine: its secrets, and what its images are built from. `make compose-test` runs the stack."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import PurePosixPath

import pytest
import yaml

from lab.natsserver import NatsServer
from lab.process import ROOT

sys.path.insert(0, str(ROOT / "tests/pages"))
from page import block  # noqa: E402

COMPOSE = ROOT / "compose"
NEEDED = {"nats": ["passwords.conf"], "collector": ["nats", "vcenter"], "dispatcher-knative": ["nats"],
          "dispatcher-openfaas": ["gateway", "nats"], "dispatcher-eventbridge": ["aws", "nats"], "dispatcher-functions": ["nats"], "cli": ["nats"], "console": ["nats", "nats-operator"],
          "vcenter": ["password"], "collector-webhook": ["nats", "webhook", "webhook-nsx", "webhook.crt", "webhook.key"],
          "collector-horizon": ["horizon", "nats"],
          "check": ["aws", "gateway", "horizon", "nats", "vcenter", "webhook", "webhook-nsx", "webhook.crt", "webhook.key"]}
GROUP = 65532  # of the containers


def first_start(directory, standins="1", users=COMPOSE / "nats" / "users.conf"):
    subprocess.run(["sh", COMPOSE / "secrets.sh", directory, users], check=True,
                   env={**os.environ, "STANDINS": standins, "VCENTER_NAME": "lab", "WEBHOOK_NAME": "alarms"})


def files(directory):
    return {p.name: p.read_text().strip() for p in directory.iterdir() if p.is_file()}


def test_passwords_are_made_at_the_first_start_and_kept(lab, tmp_path):
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "cli").write_text("mine\n")
    first_start(directory)
    made = files(directory)
    conf = made.pop("passwords.conf")
    assert made.pop("cli") == "mine"
    assert len(set(made.values())) == len(made) > 8 and all(len(p) == 32 for p in made.values())
    assert directory.stat().st_mode & 0o777 == 0o700
    first_start(directory)
    assert files(directory) == {**made, "cli": "mine", "passwords.conf": conf}
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "users.conf").write_text((COMPOSE / "nats" / "users.conf").read_text())
    (tmp_path / "nats" / "secrets").symlink_to(directory / "services" / "nats")
    bus = lab._keep(NatsServer(tmp_path, extra='include "users.conf"')).start()
    users = re.findall(r'user: "([^"]*)"', (COMPOSE / "nats" / "users.conf").read_text())
    assert "collector-lab" in users
    for user in users:
        bus.connect(user, files(directory)[user]).close()
        with pytest.raises(Exception, match="(?i)authorization"):
            bus.connect(user, "local").flush()


def test_each_service_sees_its_own_secrets_only(tmp_path):
    users = tmp_path / "users.conf"
    words = (COMPOSE / "nats" / "users.conf").read_text().splitlines()[0].split("users.py")[1].removesuffix("; do not edit.").split()
    users.write_text(subprocess.run([COMPOSE / "nats" / "users.py", *words, "--source", "alarms", "--source", "pod"], check=True, capture_output=True, text=True).stdout)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("webhook", "webhook-nsx", "webhook.crt", "webhook.key", "horizon"):
        (secrets / name).write_text("mine")
    first_start(secrets, users=users)
    services = {p.name: sorted(f.name for f in p.iterdir()) for p in (secrets / "services").iterdir()}
    assert (secrets / "services/collector-webhook/nats").read_text() == (secrets / "collector-alarms").read_text()
    assert services == NEEDED
    mounted = {}
    for file in ("compose.yaml", "compose.override.yaml"):
        for name, service in yaml.safe_load((COMPOSE / file).read_text())["services"].items():
            for volume in service.get("volumes", []):
                if "/secrets" in volume and name != "volume" and "secrets.sh" not in volume:
                    source = volume.replace("${SECRETS:-./local/secrets}", "SECRETS").split(":")[0]
                    mounted.setdefault(name, []).append(PurePosixPath(source))
    assert mounted == {name: [PurePosixPath("SECRETS/services") / name] for name in NEEDED}


def test_a_password_that_is_written_in_place_reaches_the_service(tmp_path):
    first_start(tmp_path)
    with open(tmp_path / "collector-lab", "w") as file:
        file.write("new")
    assert (tmp_path / "services/collector/nats").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_group_of_the_containers_reads_a_password(tmp_path, mode):
    """Other users do not: the programs warn of a password that they can read. The file is written with umask 077 or 022, or by secrets.sh."""
    tmp_path.chmod(0o755)
    (tmp_path / "vcenter").write_text("mine")
    (tmp_path / "vcenter").chmod(mode)
    first_start(tmp_path, standins="")
    for name in ("vcenter", "nats"):
        file = (tmp_path / "services/collector" / name).stat()
        wanted = (os.getuid(), GROUP, 0o640) if os.geteuid() == 0 else (os.getuid(), os.getgid(), file.st_mode & 0o777 | 0o004)
        assert (file.st_uid, file.st_gid, file.st_mode & 0o777) == wanted
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_all_services_but_that_of_the_secrets_run_in_the_group_that_reads_them():
    services = {name: service for file in ("compose.yaml", "compose.override.yaml")
                for name, service in yaml.safe_load((COMPOSE / file).read_text())["services"].items() if "image" in service}
    assert {service["user"] for name, service in services.items() if name != "volume"} == {f"{GROUP}:{GROUP}"}


def test_passwords_of_real_peers_are_not_made_up(tmp_path):
    first_start(tmp_path, standins="")
    assert not {"vcenter", "gateway", "aws", "webhook", "horizon"} & set(files(tmp_path))
    assert sorted(p.name for p in (tmp_path / "services/collector").iterdir()) == ["nats"]


def of_several(tmp_path, names):
    """A checkout with my.yaml, in which these vCenters are listed."""
    compose = tmp_path / "compose"
    shutil.copytree(COMPOSE, compose)
    (compose / "my.yaml").write_text(yaml.safe_dump({
        "eventProviders": [{"type": "vcenter", "name": n, "vcenter": {"address": f"{n}.example"}} for n in names] + [{"type": "webhook", "name": "hooks"}],
        "eventProcessors": [{"type": "knative", "name": "knative"}]}))
    return compose


def test_twelve_vcenters_are_a_list(tmp_path):
    """The commands of the page. A collector differs from that of one vCenter by its name, its NATS user and its secrets."""
    names = [f"vc{i}" for i in range(1, 13)]
    compose = of_several(tmp_path, names)
    docker = tmp_path / "docker"  # starts nothing: `make compose-test` has an engine
    docker.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >{tmp_path}/asked\n")
    docker.chmod(0o755)
    for number in (1, 2):
        subprocess.run(["sh", "-euc", block("docs/compose.md", "Several vCenters", number).text], cwd=compose, check=True,
                       env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["compose", "-f", "compose.yaml", "-f", "vcenters.yaml", "up", "-d", "nats", "dispatcher-knative", *[f"collector-{n}" for n in names]]
    written = yaml.safe_load((compose / "vcenters.yaml").read_text())["services"]
    one = yaml.safe_load((compose / "compose.yaml").read_text())["services"]["collector"]
    one.pop("build")
    assert sorted(written) == sorted(f"collector-{n}" for n in names)
    for name in names:
        text = json.dumps(one).replace("collector-${VCENTER_NAME:-lab}", f"collector-{name}").replace("${VCENTER_NAME:-lab}", name)
        assert written[f"collector-{name}"] == json.loads(text.replace("services/collector:", f"services/collector-{name}:"))
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in names:
        (secrets / f"vcenter-{name}").write_text(f"password of {name}")
    (secrets / "vcenter").write_text("from the time of one vCenter")
    first_start(secrets, standins="", users=compose / "nats/users.conf")
    for name in names:
        own = secrets / "services" / f"collector-{name}"
        assert files(own) == {"nats": files(secrets)[f"collector-{name}"], "vcenter": f"password of {name}"}
    assert "vcenter" not in files(secrets / "services/check"), "one password would be tried at all of them"
    if shutil.which("docker-compose"):
        shown = subprocess.run(["docker-compose", "-f", "compose.yaml", "-f", "vcenters.yaml", "config", "--services"], cwd=compose, check=True,
                               capture_output=True, text=True).stdout.split()
        assert set(asked[7:]) <= set(shown)


@pytest.mark.parametrize("names, said", [(["a b"], "cannot be a part"), (["webhook"], "are taken"), (["a", "a"], "is there twice"), ([], "no vCenter is in it")])
def test_names_that_cannot_be_services(tmp_path, names, said):
    done = subprocess.run(["./vcenters.py", "my.yaml"], cwd=of_several(tmp_path, names), capture_output=True, text=True)
    assert done.returncode == 1 and said in done.stderr and done.stdout == "" and "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["a: [", "- x", "eventProviders: [5]", "eventProviders: {a: b}", "eventProviders: [{type: vcenter}]", "5", ""])
def test_a_configuration_that_is_wrong(tmp_path, text):
    (tmp_path / "my.yaml").write_text(text)
    done = subprocess.run([COMPOSE / "vcenters.py", tmp_path / "my.yaml"], capture_output=True, text=True)
    assert done.returncode == 1 and "vcenters.py:" in done.stderr and "Traceback" not in done.stderr
    done = subprocess.run([COMPOSE / "vcenters.py", tmp_path / "none.yaml"], capture_output=True, text=True)
    assert done.returncode == 1 and "No such file" in done.stderr


def test_no_password_is_in_the_tree():
    """Not in a file of passwords, and not as the value of a password in compose files."""
    listed = subprocess.run(["git", "ls-files", "compose"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        assert [f for f in listed.stdout.split() if "secrets/" in f] == ["compose/local/secrets/.gitignore"]
    for file in [*COMPOSE.glob("*.yaml"), *COMPOSE.glob("local/*.yaml"), COMPOSE / "nats/users.conf"]:
        for key, value in re.findall(r"(\w*(?:PASSWORD|password|secretKey|token)\w*): *([^,\s}]+)", file.read_text()):
            assert value.startswith(("$", "/run/secrets/")), f"{file.name}: {key}: {value}"


def copied_for_images():
    """.dockerignore lists what is copied; what is missing there fails only in a container engine."""
    return {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}


def test_the_build_of_an_image_gets_every_folder_of_the_programs():
    folders = re.search(r"^folders\s*:=\s*(.*)$", (ROOT / "Makefile").read_text(), re.M)[1].replace("$(lib)", "lib").split()
    assert set(folders) | {"web", "docs/operations.md", "VERSION", "Makefile"} <= copied_for_images()  # of the page, the runbooks are compiled in


def test_the_build_of_an_image_links_what_the_images_contain(tmp_path):
    for name in copied_for_images():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    commands = subprocess.run(["make", "-n", "all"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    linked = set(re.findall(r"-o build/release/(vcourier[a-z-]*) ", commands))
    needed = set(re.findall(r"\$programs/(vcourier[a-z-]*)", (COMPOSE / "images.sh").read_text()))
    assert needed == linked, (needed, linked)


def test_every_variable_is_on_the_page():
    used = {v for file in COMPOSE.glob("*.yaml") for v in re.findall(r"\$\{([A-Z_]+)", file.read_text())}
    named = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/compose.md").read_text()))
    assert "CLI_IMAGE" in used and used - named == set()
