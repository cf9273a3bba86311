# SPDX-License-Identifier: Apache-2.0
"""What `make release` makes from a package: an archive that apt reads, and lists of what the package runs with. `make release-test` runs all of it."""
import json
import os
import re
import shutil
import subprocess

import pytest

from lab.process import ROOT

EPOCH = "1700000000"


@pytest.fixture(scope="module")
def deb():
    if not shutil.which("dh"):
        pytest.skip("debhelper is not installed")
    run = subprocess.run(["make", "-s", "deb"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return ROOT / run.stdout.split()[-1]


def tool(name, *arguments):
    subprocess.run([ROOT / "release" / name, *map(str, arguments)], check=True, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH})


def apt(root, command, *arguments):
    """apt with a state of its own, and this archive alone."""
    state = root / "state"
    for folder in ("lists/partial", "cache/archives/partial", "etc/preferences.d"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    (state / "sources.list").write_text(f"deb [trusted=yes] file:{root}/archive bookworm main\n")
    options = {"Dir::State": state, "Dir::State::status": state / "status", "Dir::State::lists": state / "lists", "Dir::Cache": state / "cache",
               "Dir::Etc": state / "etc", "Dir::Etc::sourcelist": state / "sources.list", "Dir::Etc::sourceparts": "-", "APT::Sandbox::User": "root"}
    run = subprocess.run([command, *[f"-o{k}={v}" for k, v in options.items()], *arguments], capture_output=True, text=True)
    assert run.returncode == 0 and not re.search(r"^[WE]:", run.stderr, re.M), run.stdout + run.stderr
    return run.stdout


def test_apt_reads_the_archive(deb, tmp_path):
    """apt compares each size and sum on the way to the package."""
    tool("apt_repository.py", tmp_path / "archive", f"bookworm={deb}")
    apt(tmp_path, "apt-get", "update")
    version = deb.name.split("_")[1]
    assert f"Candidate: {version}" in apt(tmp_path, "apt-cache", "policy", "vcourier")
    shown = apt(tmp_path, "apt-cache", "show", "vcourier")
    assert f"SHA256: {subprocess.check_output(['sha256sum', deb], text=True).split()[0]}" in shown
    assert (tmp_path / "archive" / re.search(r"^Filename: (.*)$", shown, re.M)[1]).read_bytes() == deb.read_bytes()


def test_the_bills_of_materials_have_what_the_programs_load(deb, tmp_path):
    """ldd of the packaged programs is the independent source."""
    tool("sbom.py", deb, tmp_path / "sbom")
    spdx, cyclonedx = (json.loads((tmp_path / f"sbom.{form}.json").read_text()) for form in ("spdx", "cdx"))
    names = {p["name"] for p in spdx["packages"]}
    assert names - {"vcourier"} == {c["name"] for c in cyclonedx["components"]}
    subprocess.run(["dpkg-deb", "-x", deb, tmp_path / "root"], check=True)
    loaded = subprocess.check_output(["ldd", tmp_path / "root/usr/bin/vcourier-collector"], text=True)
    for library in re.findall(r"=> (/\S+)", loaded):
        owner = subprocess.run(["dpkg", "-S", os.path.realpath(library)], capture_output=True, text=True).stdout.split(":")[0]
        assert owner in names or not owner, library
    curl = next(p for p in spdx["packages"] if p["name"].startswith("libcurl4"))
    assert "curl" in curl["licenseComments"] and curl["externalRefs"][0]["referenceLocator"].startswith("pkg:deb/debian/libcurl4")
    assert spdx["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    identifiers = {p["SPDXID"] for p in spdx["packages"]} | {"SPDXRef-DOCUMENT"}
    assert {r[k] for r in spdx["relationships"] for k in ("spdxElementId", "relatedSpdxElement")} <= identifiers


def test_the_same_package_gives_the_same_files(deb, tmp_path):
    for copy in ("a", "b"):
        (tmp_path / copy).mkdir()
        tool("apt_repository.py", tmp_path / copy / "apt", f"bookworm={deb}")
        tool("sbom.py", deb, tmp_path / copy / "sbom")
    assert subprocess.run(["diff", "-r", tmp_path / "a", tmp_path / "b"], capture_output=True, text=True).stdout == ""
