# SPDX-License-Identifier: Apache-2.0
"""systemd units, `make install` and the Debian package."""
import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
UNITS = sorted((ROOT / "systemd").glob("*.service"))
PROGRAMS = ["vcourier", "vcourier-collector", "vcourier-dispatcher", "vcourier-console"]


def systemd_analyze(*arguments):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True,
                          env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_EMOJI": "0"})


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_exposure_is_at_most_1_5(unit):
    run = systemd_analyze("security", "--offline=true", "--threshold=15", "--no-pager", unit)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", run.stdout)
    assert run.returncode == 0 and level and float(level[1]) <= 1.5, run.stdout + run.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda u: u.name)
def test_systemd_knows_every_key_of_the_unit(unit):
    run = systemd_analyze("verify", "--man=no", "--recursive-errors=no", unit)
    wrong = [line for line in run.stderr.splitlines() if re.search(r"Unknown|Failed to parse|Invalid|ignoring", line)]
    assert wrong == []


def secrets_of(instance):
    """The directory whose files systemd passes to vcourier-<instance>."""
    kind, name = instance.split("@")
    text = (ROOT / "systemd" / f"vcourier-{kind}@.service").read_text()
    (given,) = re.findall(r"^LoadCredential=(.*)$", text, re.M)
    assert not re.findall(r"^(?:LoadCredentialEncrypted|SetCredential|ImportCredential)\w*=", text, re.M)
    return Path(given.removeprefix("secrets:").replace("%i", name))


def test_an_instance_gets_its_own_secrets_only():
    directories = [secrets_of(i) for i in ("collector@a", "collector@b", "dispatcher@a", "dispatcher@kn")]
    assert len(set(directories)) == 4
    for one in directories:
        assert one.parent == Path("/etc/vcourier/secrets") and "%" not in str(one)
    for unit in UNITS:  # the parent directory belongs to root: no user or group of a unit can read it
        assert "/etc/vcourier/secrets" not in re.sub(r"^(LoadCredential=|#).*$", "", unit.read_text(), flags=re.M)


def upgrade(script, root, **environment):
    """Runs the part of postinst for secrets of earlier releases, below another root directory."""
    text = script.read_text()
    part = text[text.index("cd /etc/vcourier/secrets"):text.index("cd /\n")]
    part = part.replace("/etc/", f"{root}/etc/")
    return subprocess.run(["sh", "-e", "-c", part], capture_output=True, text=True, check=True,
                          env={**os.environ, **environment}).stderr


def test_an_upgrade_keeps_enabled_instances_running(tmp_path):
    """Earlier releases passed all secrets to every instance. Enabled instances get copies, and existing directories stay."""
    secrets, wants = tmp_path / "etc/vcourier/secrets", tmp_path / "etc/systemd/system/multi-user.target.wants"
    script = ROOT / "debian/postinst"
    (secrets / "dispatcher@kn").mkdir(parents=True)
    assert upgrade(script, tmp_path) == "", "no instance is enabled"
    wants.mkdir(parents=True)
    for name in ("collector@vc1", "dispatcher@kn"):
        (wants / f"vcourier-{name}.service").symlink_to("/lib/systemd/system/vcourier.service")
    (secrets / "collector-vc1").write_text("x")
    assert upgrade(script, tmp_path).count("vcourier/secrets/collector@vc1 has copies") == 1
    assert [p.name for p in (secrets / "collector@vc1").iterdir()] == ["collector-vc1"]
    assert list((secrets / "dispatcher@kn").iterdir()) == []
    assert (secrets / "collector@vc1").stat().st_mode & 0o077 == 0
    assert upgrade(script, tmp_path) == "", "once"


def test_an_upgrade_that_fails_half_way_is_repeated(tmp_path):
    """An instance never has only some of the secrets: the directory appears when all are copied."""
    secrets, wants = tmp_path / "etc/vcourier/secrets", tmp_path / "etc/systemd/system/multi-user.target.wants"
    secrets.mkdir(parents=True)
    wants.mkdir(parents=True)
    (wants / "vcourier-collector@vc1.service").symlink_to("/lib/systemd/system/vcourier.service")
    (secrets / "a").write_text("x")
    (tmp_path / "cp").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "cp").chmod(0o755)
    with pytest.raises(subprocess.CalledProcessError):
        upgrade(ROOT / "debian/postinst", tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert not (secrets / "collector@vc1").exists()
    upgrade(ROOT / "debian/postinst", tmp_path)
    assert sorted(p.name for p in secrets.iterdir()) == ["a", "collector@vc1"]
    assert [p.name for p in (secrets / "collector@vc1").iterdir()] == ["a"]


def test_a_purge_removes_what_the_program_wrote(tmp_path):
    """The containers of functions end, and their units go; so do links to instances that are gone. What others made stays."""
    def file(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path
    units, wants = "etc/containers/systemd/", "etc/systemd/system/multi-user.target.wants/"
    ours = [file(f"{units}vcourier-function-{name}.container", f"# Written by `vcourier function apply`; `vcourier function rm {name}` removes it.\n")
            for name in ("a", "b")] + [file("etc/vcourier/secrets/function@a/env", "x")]
    others = [file(f"{units}vcourier-function-mine.container", "[Container]\n# Written by `vcourier function apply`\n"),
              file(f"{units}web.container", "[Container]\n"), file("lib/own.service", "[Service]\n"),
              file("var/lib/vcourier-nats/stream", "data")]
    (tmp_path / wants).mkdir(parents=True)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    for instance, target in (("collector@gone", "no.service"), ("dispatcher@own", "own.service")):
        (tmp_path / wants / f"vcourier-{instance}.service").symlink_to(tmp_path / "lib" / target)
    called = tmp_path / "called"
    file("bin/deb-systemd-invoke", f'#!/bin/sh\necho "$@" >>{called}\nexit 1\n').chmod(0o755)
    script = (ROOT / "debian/postrm").read_text()
    for directory in ("/etc/", "/run/", "/var/lib/"):
        script = script.replace(f" {directory}", f" {tmp_path}{directory}")
    said = {action: subprocess.run(["sh", "-c", script, "postrm", action], capture_output=True, text=True, check=True,
                                   env={"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}).stderr for action in ("remove", "upgrade")}
    assert all(path.exists() for path in ours) and not called.exists() and said == {"remove": "", "upgrade": ""}
    for expected in (["stop vcourier-function-a.service vcourier-function-b.service", "daemon-reload"], []):
        out = subprocess.run(["sh", "-c", script, "postrm", "purge"], capture_output=True, text=True, check=True,
                             env={"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}).stderr
        assert (called.read_text().splitlines() if called.exists() else []) == expected
        assert ("podman image ls" in out) == bool(expected) and "the events of NATS stay in" in out
        called.unlink(missing_ok=True)
    assert not any(path.exists() for path in ours) and all(path.exists() for path in others)
    assert [link.name for link in (tmp_path / wants).iterdir()] == ["vcourier-dispatcher@own.service"]


def make(*arguments):
    """Runs make and returns its output. A lock allows one at a time, because tests run in several processes."""
    with open(ROOT / "build" / "make.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = subprocess.run(["make", "--no-print-directory", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The package, unpacked."""
    for tool in ("dpkg-buildpackage", "dh"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    deb = ROOT / make("deb").split()[-1]
    root = tmp_path_factory.mktemp("deb")
    subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
    subprocess.run(["dpkg-deb", "-e", deb, root / "DEBIAN"], check=True)
    return root


def test_the_package_contains_the_programs_and_they_run(package):
    for program in PROGRAMS:
        run = subprocess.run([package / "usr/bin" / program, "--version"], capture_output=True, text=True)
        assert run.returncode == 0 and (ROOT / "VERSION").read_text().strip() in run.stdout, program
    subprocess.run([package / "usr/bin/vcourier-nats-users", "--vcenter", "x"], check=True, stdout=subprocess.DEVNULL)


def test_the_package_names_its_libraries(package):
    control = (package / "DEBIAN/control").read_text()
    for library in (r"libnats3\.\d+", r"libcurl4(t64)?", "libxml2", "libyaml-0-2", "libc6"):  # depends on the Debian release
        assert re.search(rf"^Depends:.*\b{library}\b", control, re.M), library
    for script in ("preinst", "postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", package / "DEBIAN" / script], check=True)
    assert [p.name for p in (package / "etc").rglob("*") if p.is_file()] == ["cli.yaml"], "postinst sets the permissions: nothing is secret before"


def test_the_package_has_the_alerts_as_a_plain_rules_file(package):
    envelope = yaml.safe_load((ROOT / "k8s/components/monitoring/prometheusrule.yaml").read_text())
    rules = yaml.safe_load((package / "usr/share/vcourier/prometheus-rules.yaml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            page, _ = rule["annotations"]["runbook_url"].removeprefix("file://").split("#")
            assert (package / page.lstrip("/")).is_file(), "the runbook is installed"
            rule["annotations"]["runbook_url"] = rule["annotations"]["runbook_url"].replace("file:///usr/share/doc/vcourier", "https://vcourier.example")
    assert rules == envelope["spec"]


def test_the_package_has_the_dashboard(package):
    dashboard = ROOT / "k8s/components/grafana/vcourier.json"
    assert (package / "usr/share/vcourier/grafana-dashboard.json").read_bytes() == dashboard.read_bytes()


def test_installed_units_start_installed_programs(package):
    assert len(list(package.glob("**/lib/systemd/system/vcourier-*.service"))) == len(UNITS)
    for unit in package.glob("**/lib/systemd/system/vcourier-[cd]*.service"):
        program = re.search(r"^ExecStart=(\S+)", unit.read_text(), re.M)[1]
        assert os.access(package / program.lstrip("/"), os.X_OK), program


def test_installed_documentation_has_no_dead_links(package):
    pages = [p for p in (package / "usr/share/doc/vcourier").rglob("*.md")]
    assert {"README.md", "systemd.md"} <= {p.name for p in pages}
    dead = [(p.name, path) for p in pages for path in re.findall(r"\]\((?!https?:)([^)#]+)", p.read_text()) if not (p.parent / path).exists()]
    assert dead == []
    for unit in package.glob("**/lib/systemd/system/vcourier-*.service"):
        for path in re.findall(r"file:(\S+)", unit.read_text()):
            assert (package / path.lstrip("/")).is_file(), f"{unit.name}: {path}"


def test_install_uses_prefix_and_destdir(tmp_path):
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/v")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["etc", "opt"]
    unit = (tmp_path / "opt/v/lib/systemd/system/vcourier-collector@.service").read_text()
    assert "ExecStart=/opt/v/bin/vcourier-collector " in unit
