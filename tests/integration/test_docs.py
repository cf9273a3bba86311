# SPDX-License-Identifier: Apache-2.0
"""Pages: every link, anchor, path and log line that they mention exists."""
import functools
import re

import pytest

from lab.process import ROOT

PAGES = sorted(p for folder in (".", "docs", "tests/data", "tests/vcenter") for p in (ROOT / folder).glob("*.md"))
# folders whose paths the pages name in code spans
FOLDERS = sorted(p.name for p in ROOT.iterdir() if p.is_dir() and p.name != "build" and not p.name.startswith("."))
CITING = ("lib", "collector", "dispatcher", "processors", "operator", "console", "web", "cli", "schemas", "compose", "k8s", "systemd", "tests")
SOURCES = ("*.c", "*.h", "*.py", "*.go", "*.sh", "*.yaml", "*.yml", "*.conf", "*.mk", "Dockerfile")


def prose(page):
    """The page without its code blocks."""
    return re.sub(r"^(```.*?^```|    .*?)$", "", page.read_text(), flags=re.M | re.S)


def slug(heading):
    """The anchor that GitHub gives a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


@functools.cache
def anchors(page):
    seen, found = {}, set()
    for heading in re.findall(r"^#{1,6} (.*)$", prose(page), re.M):
        name = slug(heading)
        seen[name] = seen.get(name, -1) + 1
        found.add(name if seen[name] == 0 else f"{name}-{seen[name]}")
    return found


def broken(page, path, anchor):
    target = page if path == "" else page.parent / path
    if not target.exists():
        return "no such file"
    return "no such heading" if anchor and target.suffix == ".md" and anchor not in anchors(target.resolve()) else None


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_and_anchors_of_a_page_exist(page):
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text())
    assert [(path, anchor, broken(page, path, anchor)) for path, anchor in links if broken(page, path, anchor)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_in_code_spans_exist(page):
    spans = re.findall(rf"`(?:\.\./)?((?:{'|'.join(FOLDERS)})/[\w./*@-]*)`", page.read_text())
    paths = [s for s in spans if not re.search(r"foo|NAME", s)]  # foo, NAME: placeholders
    assert [s for s in paths if page.name != "CHANGELOG.md" and not any(ROOT.glob(s.rstrip("/")))] == []


UNITS = {"ms": "ms", "s": "s", "minutes": "m", "min": "m", "h": "h", "days": "d", "kB": "kB", "MB": "MB", "KiB": "KiB", "MiB": "MiB", "GiB": "GiB"}


def test_defaults_that_pages_name_are_those_of_the_options():
    """`option` (30 s): the default, as the table of options has it."""
    reference = (ROOT / "docs/configuration.md").read_text()
    defaults = {}
    for name, default in re.findall(r"^\| `(?:[\w.\[\]]*\.)?(\w+)` \|[^|]*\| `([^`]*)` \|", reference, re.M):
        defaults.setdefault(name, set()).add(default)
    named = [(page.name, *found) for page in PAGES for found in re.findall(rf"`(?:[\w.]*\.)?(\w+)` \((\d+) ({'|'.join(UNITS)})\)", page.read_text())]
    assert len(named) >= 10
    assert [n for n in named if n[1] in defaults and n[2] + UNITS[n[3]] not in defaults[n[1]]] == []


def test_every_page_of_docs_is_linked_from_the_readme():
    links = re.findall(r"\]\((docs/[\w-]+\.md)", (ROOT / "README.md").read_text())
    assert {f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")} == set(links)


def test_pages_that_source_files_cite_exist():
    missing = []
    for source in sorted(p for folder in CITING for pattern in SOURCES for p in (ROOT / folder).rglob(pattern)):
        for path, anchor in re.findall(r"\b(docs/[a-z_-]+\.md)(?:#([\w-]+))?", source.read_text(errors="replace")):
            page = ROOT / path
            if path != "docs/foo.md" and (not page.exists() or (anchor and anchor not in anchors(page))):
                missing.append((str(source.relative_to(ROOT)), path, anchor))
    assert missing == []


def test_log_lines_in_runbooks_exist():
    """A code span of three words or more in a runbook is a command, a setting or a message of ours."""
    ours = "".join(p.read_text() for folder in ("lib", "collector", "dispatcher", "processors", "operator", "console", "cli") for p in (ROOT / folder).rglob("*.c"))
    ours = re.sub(r'"\s*\n\s*"', "", ours)
    spans = re.findall(r"`([^`\n]+)`", (ROOT / "docs/operations.md").read_text())
    messages = [s for s in spans if re.match(r"[a-z]+( [a-z,:]+){2,}", s) and not s.startswith(("vcourier ", "nats ", "nats-"))]
    patterns = {m: re.sub(r"URL|\b\d+", r"%\\w+", re.escape(m)) for m in messages}
    assert messages and [m for m, pattern in patterns.items() if not re.search(pattern, ours)] == []


def named_tests():
    """(file, name) of each test that the threat model names; * stands for all tests of the file."""
    text = (ROOT / "docs/security.md").read_text()
    return re.findall(r"`(test_\w+\.py)::([\w*]+)`", text) + re.findall(r"`(\w+_test\.c): (\w+)`", text)


def test_the_tests_of_the_threat_model_exist():
    sources = {p.name: p.read_text() for folder in ("integration", "unit") for p in (ROOT / "tests" / folder).glob("*test*.*")}
    missing = [(file, name) for file, name in named_tests() if not re.search(
        (rf"^def {name.replace('*', 'test_')}" + ("" if name == "*" else r"\(")) if file.endswith(".py") else rf"cmocka_unit_test\w*\({name}\b",
        sources.get(file, ""), re.M)]
    assert len(named_tests()) > 40 and missing == []


def test_every_party_of_the_threat_model_has_a_test():
    table = (ROOT / "docs/security.md").read_text().split("## Parties that are not trusted")[1].split("\n\n")[1]
    rows = table.splitlines()[2:]
    assert len(rows) >= 10 and [row for row in rows if "`" not in row.rsplit("|", 2)[1]] == []
