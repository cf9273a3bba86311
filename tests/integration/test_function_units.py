# SPDX-License-Identifier: Apache-2.0
"""The units of `vcourier function apply` in the real quadlet and systemd of Debian 13: each argument and each variable of several lines reaches
podman as it is in the manifest. The podman there is a recorder: containers do not run in a container. `make interop` makes the root."""
import json
import random
import re
import shutil
import subprocess
import sys

import pytest
from test_function import Machine, service, trigger

from lab.process import ROOT, wait_until

sys.path.insert(0, str(ROOT / "tests/pages"))
import machine as debian  # noqa: E402

ROUNDS = 20
PIECES = [*"aB \"'\\$%{}\n\t\r\x01é日`;#=*~<>&|@-+!:", "${A}", "$A", "%n", "%%", "$$", "\\n", "\\x41", '"";"', "  ", "\U0001f600", "--"]
RECORDER = r"""
#include <stdio.h>
#include <string.h>
extern char **environ;
static void words(const char *path, char **word)
{
	FILE *out = fopen(path, "w");
	for (; *word != NULL; word++)
		fwrite(*word, 1, strlen(*word) + 1, out);
	fclose(out);
}
int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "run") != 0)
		return 0;
	words("/out/environ", environ);
	words("/out/new", argv);
	return rename("/out/new", "/out/argv");
}
"""


@pytest.fixture
def booted(tmp_path):
    archive = ROOT / "build/interop/podman.tar"
    if not archive.exists():
        pytest.skip("no root of Debian 13 with podman: make interop makes it")
    if debian.missing():
        pytest.skip(debian.missing())
    (tmp_path / "debian").mkdir()
    system = debian.Machine(tmp_path / "debian", tmp_path / "systemd.log", archive)
    source = tmp_path / "recorder.c"
    source.write_text(RECORDER)
    subprocess.run(["gcc", "-static", "-o", system.path / "usr/bin/podman", source], check=True)
    (system.path / "out").mkdir()
    try:
        yield system.boot()
    finally:
        system.close()


@pytest.fixture
def host(tmp_path):
    host = Machine(tmp_path / "host")
    yield host
    host.close()


def started(booted, host):
    """The unit in the booted system: the words and the variables that podman gets."""
    for directory in ("etc/containers/systemd", "etc/vcourier/secrets"):
        shutil.rmtree(booted.path / directory, ignore_errors=True)
        shutil.copytree(host.root / directory, booted.path / directory)
    (booted.path / "out/argv").unlink(missing_ok=True)
    unit = "vcourier-function-kn-echo.service"
    booted.run(f"systemctl daemon-reload && systemctl start --no-block {unit}")
    wait_until((booted.path / "out/argv").exists, 60, lambda: booted.journal(unit))
    booted.run(f"systemctl stop {unit}; systemctl reset-failed {unit} || true")
    argv, variables = ((booted.path / "out" / name).read_bytes().decode().split("\0")[:-1] for name in ("argv", "environ"))
    return argv, dict(v.split("=", 1) for v in variables)


def test_every_word_reaches_podman(booted, host):
    seed = random.randrange(10**6)
    dice = random.Random(seed)

    def word():
        return "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 12)))
    for i in range(ROUNDS):
        arguments, command = [word() for _ in range(dice.randint(1, 5))] + ["", ";"], [word(), word()]
        if i % 2:
            arguments, command = [a for a in arguments if a not in ("", ";")] or ["x"], None
        lines = {f"V{k}": word() + "\n" + word() for k in range(3)}
        workdir = "/" + word()
        host.apply(service(args=arguments, workingDir=workdir, env=[{"name": k, "value": v} for k, v in lines.items()],
                           **({"command": command} if command else {})), trigger())
        argv, variables = started(booted, host)
        after = argv[argv.index("registry.example/veba/kn-echo:1.4") + 1:]
        entrypoint = next((json.loads(a.split("=", 1)[1]) for a in argv if a.startswith("--entrypoint=")), None)
        assert (entrypoint, after) == ((command + arguments, []) if command else (None, arguments)), seed
        assert f"--workdir={workdir}" in argv and {k: variables.get(k) for k in lines} == lines, seed
        assert all(f"--env={k}" in argv for k in lines), seed


def test_what_systemd_makes_of_the_unit(booted, host):
    host.apply(service(), trigger(), options=["--egress", "10.1.0.0/16"])
    argv, _ = started(booted, host)
    unit = "vcourier-function-kn-echo.service"
    shown = dict(line.split("=", 1) for line in booted.run(
        f"systemctl show -p Restart,RestartUSec,IPAddressAllow,IPAddressDeny,WantedBy,LoadError {unit}").splitlines())
    assert shown["Restart"] == "always" and shown["RestartUSec"] == "5s" and "multi-user.target" in shown["WantedBy"], shown
    assert "10.1.0.0/16" in shown["IPAddressAllow"] and "0.0.0.0/0" in shown["IPAddressDeny"] and "::/0" in shown["IPAddressDeny"]
    verified = booted.run(f"systemd-analyze verify {unit} 2>&1 || true")
    assert not re.search(r"kn-echo.*(Unknown|Invalid|Failed to parse|ignoring)", verified), verified
    for words in (["--security-opt=no-new-privileges"], ["--cap-drop", "all"], ["--read-only"], ["--network=bridge"],
                  ["--publish", f"127.0.0.1:{host.port()}:8080"], ["--env-file", "/etc/vcourier/secrets/function@kn-echo/env"]):
        assert words == argv[argv.index(words[0]):][:len(words)], (words, argv)
