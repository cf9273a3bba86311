# SPDX-License-Identifier: Apache-2.0
"""The version stands in one place, and what docs/stability.md promises stays."""
import re
import subprocess
import sys

from lab.output import output_keys
from lab.process import BUILD, ROOT

sys.path += [str(ROOT / "release"), str(ROOT / "tests")]
import tested  # noqa: E402
from interfaces import interfaces  # noqa: E402

VERSION = (ROOT / "VERSION").read_text().strip()
CHANGES = (ROOT / "CHANGELOG.md").read_text()
HISTORY = {"CHANGELOG.md", "VERSION", "release/interfaces.txt", "debian/changelog"}


def copies():
    """The files to which `make version` writes the version."""
    words = re.search(r"^version_copies := ((?:.*\\\n)*.*)$", (ROOT / "release/rules.mk").read_text(), re.M)[1].replace("\\\n", " ")
    patterns = [w.removesuffix(")") for w in words.split() if not w.startswith("$")]
    return {str(p.relative_to(ROOT)) for pattern in patterns for p in ROOT.glob(pattern)}


def mentions():
    """Files with this version as a word."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    files = [ROOT / f for f in listed] or [p for p in ROOT.rglob("*") if p.is_file() and "build" not in p.relative_to(ROOT).parts]
    word = re.compile(rf"(?<![\w.]){re.escape(VERSION)}(?![\w]|\.\d)".encode())
    return {str(f.relative_to(ROOT)) for f in files if f.is_file() and not f.is_symlink() and word.search(f.read_bytes())}


def test_the_version_is_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", VERSION)
    assert mentions() - HISTORY - copies() == set()


def test_copies_of_the_version_are_up_to_date():
    found = {name: re.findall(r"(?:image: vcourier-[a-z]+:|app.kubernetes.io/version: |^(?:version|appVersion): |[?]ref=v)\"?([^\s\"]+)", (ROOT / name).read_text(), re.M) for name in copies()}
    assert len(found) >= 2 and all(found.values()) and {v for versions in found.values() for v in versions} == {VERSION}, "make version"


def test_every_program_has_the_version():
    for program in ("vcourier", "vcourier-collector", "vcourier-dispatcher"):
        assert subprocess.run([BUILD / program, "--version"], capture_output=True, text=True).stdout == f"{program} {VERSION}\n"


def recorded():
    head, *lines = (ROOT / "release/interfaces.txt").read_text().splitlines()
    return re.search(r"Recorded for (\S+)", head)[1], set(lines)


def unannounced(gone):
    """Interfaces that no section of CHANGELOG.md above the recorded version's names."""
    since = recorded()[0]
    news = CHANGES.split(f"## [{since}]")[0].split("## [0.1.0]")[0]
    return sorted(line for line in gone if line not in news)


def test_no_interface_is_removed_without_notice():
    """To remove or rename one, name its line in CHANGELOG.md, for example `metric vcourier_up{peer}`."""
    gone = {line for line in recorded()[1] if not line.startswith("json ")} - set(interfaces(BUILD))
    assert len(recorded()[1]) > 800 and unannounced(gone) == []


def test_no_member_of_the_json_output_is_removed_without_notice(lab):
    gone = {line for line in recorded()[1] if line.startswith("json ")} - output_keys(lab)
    assert unannounced(gone) == []


def test_a_removed_interface_is_found():
    assert unannounced({"metric vcourier_up{peer}"}) == ["metric vcourier_up{peer}"]


def test_the_changelog_keeps_its_form():
    """https://keepachangelog.com/en/1.1.0/: newest first, a date for each version, each kind of changes once."""
    heads = re.findall(r"^## (.*)$", CHANGES, re.M)
    assert heads[0] == "[Unreleased]" and all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", h) for h in heads[1:])
    assert heads[1:] == sorted(heads[1:], key=lambda h: [int(n) for n in re.findall(r"\d+", h)], reverse=True)
    for section in CHANGES.split("\n## ")[1:]:
        kinds = re.findall(r"^### (.*)$", section, re.M)
        assert kinds and set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"} and len(set(kinds)) == len(kinds)
    assert [int(n) for n in re.findall(r"\d+", heads[1])] <= [int(n) for n in re.findall(r"\d+", VERSION)], "released, but VERSION is older"


def test_the_page_of_tested_versions(tmp_path, monkeypatch):
    """A column for each run; nats-server is the one that this machine's dpkg names."""
    monkeypatch.setattr(tested, "RECORDS", tmp_path)
    tested.record("bookworm", "2 passed, 0 failed")
    tested.record("interop", "passed")
    lines = tested.page().splitlines()
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "nats-server"], capture_output=True, text=True, check=True).stdout.split("-")[0]
    assert "| | bookworm | interop |" in lines and "| result | 2 passed, 0 failed | passed |" in lines
    assert f"| nats-server | {version} | {version} |" in lines and any(line.startswith("| cloudevents (npm) |  | 10.") for line in lines)
