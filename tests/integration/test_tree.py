# SPDX-License-Identifier: Apache-2.0
"""The rules of HACKING.md that a compiler cannot see."""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("lib", "schemas", "collector", "processors", "dispatcher", "cli")
FILES = []
if shutil.which("git"):
    FILES = [ROOT / f for f in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()]
if not FILES:  # an archive without git
    FILES = [f for folder in (*PRODUCT, "tests", "compose", "k8s", "docs", "systemd") for f in (ROOT / folder).rglob("*") if f.is_file()]
SOURCES = [f for f in FILES if f.suffix in (".c", ".h") and f.relative_to(ROOT).parts[0] in PRODUCT]

# who may include a library's headers: it can be replaced there
LIBRARIES = {
    "nats/": r"lib/bus/bus\w*\.[ch]$",
    "curl/": r"lib/http/http\w*\.[ch]$",
    "yaml.h": r"lib/config/config_tree\.c$",
    "microhttpd.h": r"lib/daemon/status\w*\.c$",
    "libxml/": r"collector/(soap|normalize\w*|scalar|members)\.[ch]$",
}
BANNED = r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|atol|system|popen|tmpnam|mktemp)\s*\("


def named(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("header", LIBRARIES)
def test_each_library_has_one_user(header):
    users = [named(f) for f in SOURCES if re.search(rf"#include <{re.escape(header)}", f.read_text())]
    assert users and not [u for u in users if not re.search(LIBRARIES[header], u)]


def test_files_are_short():
    assert not [named(f) for f in SOURCES if f.suffix == ".c" and f.read_text().count("\n") > 400]


def test_functions_are_short():
    """From the brace in column 0 to the next: our format puts no other there."""
    long = []
    for f in SOURCES:
        for body in re.finditer(r"^(\w+)\([^;{]*\)\n\{\n(.*?)^\}", f.read_text(), re.M | re.S):
            if body[2].count("\n") > 60:
                long.append(f"{named(f)}: {body[1]}: {body[2].count(chr(10))} lines")
    assert not long


def test_no_banned_functions():
    found = [f"{named(f)}: {m[1]}" for f in SOURCES for m in re.finditer(BANNED, re.sub(r"/\*.*?\*/", "", f.read_text(), flags=re.S))]
    assert not found


def test_licence_in_each_source():
    missing = [named(f) for f in FILES if f.suffix in (".c", ".h", ".go") and "SPDX-License-Identifier: Apache-2.0" not in f.read_text()[:300]]
    assert not missing


def test_no_marks_of_unfinished_work():
    words = "TO" + "DO|FIX" + "ME"
    found = [named(f) for f in FILES if f.suffix in (".c", ".h", ".go", ".py", ".sh", ".mk") and re.search(rf"\b({words})\b", f.read_text())]
    assert not found
