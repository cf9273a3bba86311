# SPDX-License-Identifier: Apache-2.0
"""release/scan.py: the vulnerabilities of what a release runs with, by the real debsecan. Its data are served here, in the form of Debian's security tracker."""
import os
import platform
import shutil
import subprocess
import zlib

import pytest

from lab.process import ROOT, free_port
from lab.receiver import Answer

pytestmark = pytest.mark.skipif(not shutil.which("debsecan"), reason="debsecan is not installed")

# CVE-2099-0001: in libthing up to 1.2-3; the binary package has another name and version. CVE-2099-0002: in other, not corrected.
DATA = """VERSION 1
CVE-2099-0001,,a heap overflow
CVE-2099-0002,,a slow loop

thing,0,SHRF,1.2-4,
other,1,S ? ,,

thing,libthing5
other,other
"""


@pytest.fixture()
def tracker(lab):
    """The URL of a copy of the tracker's data for trixie."""
    return lab.receiver(lambda request: Answer(200, body=zlib.compress(DATA.encode())) if request.path == "/trixie" else Answer(404)).url


def sbom(tmp_path, record):
    """The list that release/sbom.py writes for an image with this record of dpkg, as if it were built on trixie."""
    status = tmp_path / "image/var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    (status / "record").write_text(f"Status: install ok installed\nArchitecture: amd64\n{record}\n")
    subprocess.run([ROOT / "release/sbom.py", tmp_path / "image", tmp_path / "sbom"], env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}, check=True)
    path = tmp_path / "sbom.cdx.json"
    path.write_text(path.read_text().replace(f"distro={platform.freedesktop_os_release()['VERSION_CODENAME']}", "distro=trixie"))
    return path


def scan(*arguments):
    return subprocess.run([ROOT / "release/scan.py", *map(str, arguments)], capture_output=True, text=True, timeout=60)


RECORDS = [  # a record, the vulnerabilities found, the exit status
    ("Package: libthing5\nSource: thing (1.2-3)\nVersion: 1:5.0+b1", ["CVE-2099-0001 libthing5 (fixed"], 1),
    ("Package: libthing5\nSource: thing (1.2-4)\nVersion: 1:5.0+b1", [], 0),
    ("Package: other\nVersion: 3~rc1-1", ["CVE-2099-0002 other"], 0),
    ("Package: unknown\nVersion: 1", [], 0),
]


@pytest.mark.parametrize("record,found,status", RECORDS, ids=range(len(RECORDS)))
def test_vulnerabilities_by_source_package(tmp_path, tracker, record, found, status):
    run = scan("--source", tracker, sbom(tmp_path, record))
    lines = run.stdout.splitlines()
    assert run.returncode == status and len(lines) == 1 + len(found), run.stdout + run.stderr
    assert all(line.startswith(start) for line, start in zip(lines[1:], found))
    assert f"1 packages, {len(found)} known vulnerabilities, {status} of them corrected in Debian" in lines[0]


def test_without_data_nothing_is_called_good(tmp_path, tracker):
    path = sbom(tmp_path, "Package: other\nVersion: 1")
    for source in (f"http://127.0.0.1:{free_port()}", f"{tracker}/missing"):
        run = scan("--source", source, path)
        assert run.returncode == 69 and "debsecan has no data" in run.stderr and run.stdout == "", run.stderr


def test_a_list_that_is_none(tmp_path):
    for text, why in (("{", "Expecting"), ("{}", "packages of one Debian release are expected, found: none"), ("[]", "not a CycloneDX list")):
        (tmp_path / "x.json").write_text(text)
        run = scan(tmp_path / "x.json")
        assert run.returncode == 1 and why in run.stderr and "Traceback" not in run.stderr, run.stderr
    assert "No such file" in scan(tmp_path / "none").stderr
