#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tested.py record RUN [RESULT]: writes the versions of what this machine has to build/tested/RUN.json, with the result of a test run.
tested.py page: docs/tested.md from all files of build/tested, a column for each run.

tests/run.py, tests/debian/run.sh, `make interop`, `make cluster-test` and `make cluster-test-projects` record."""
import json
import platform
import re
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "build/tested"
# name in the table: the Debian package, without the digits that its name ends with
PACKAGES = {"nats-server": "nats-server", "NATS C client": "libnats", "libcurl": "libcurl", "libxml2": "libxml", "cJSON": "libcjson",
            "libyaml": "libyaml-0-", "OpenSSL": "libssl", "libmicrohttpd": "libmicrohttpd", "glibc": "libc", "gcc": "gcc", "clang": "clang",
            "govmomi (simulator)": "golang-github-vmware-govmomi-dev", "NATS Go client": "golang-github-nats-io-go-nats-dev", "Go": "golang-go",
            "nginx": "nginx", "Prometheus": "prometheus", "systemd": "systemd", "Chromium": "chromium", "docker": "docker.io"}


def installed():
    """{package: version without Debian's revision}; of t64 and other forms of a library, and of several versions, the last."""
    out = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n"], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in out.splitlines():
        status, name, version = line.split(" ")
        if status == "installed":
            name = re.sub(r"(?<=[a-z-])[\d.]*(t64|n?gnutls)?$", "", name) if name.startswith("lib") and not name.endswith("-dev") else name
            found[name] = re.sub(r"^\d+:|-[^-]*$", "", version)
    return found


def versions():
    packages = installed()
    debian = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.M)[1]
    return {"system": debian, "architecture": platform.machine(),
            **{name: packages[package] for name, package in PACKAGES.items() if package in packages}}


def interop():
    """What the tests run against beside Debian's packages: the versions are pinned in these files."""
    pinned = {}
    for file in ("tests/interop/package.json", "tests/interop/n8n/package.json"):
        pinned |= json.loads((ROOT / file).read_text())["dependencies"]
    python = dict(line.split("==", 1) for line in (ROOT / "tests/interop/requirements.txt").read_text().split() if "==" in line)
    go = dict(re.findall(r"^\t(\S+\.\S+/\S+) (v\S+)$", (ROOT / "tests/interop/go/go.mod").read_text(), re.M))
    go |= re.findall(r"call gobuild,(\S+) (v\S+)", (ROOT / "tests/interop/rules.mk").read_text())
    return {f"{name} ({registry})": version for registry, versions in (("npm", pinned), ("PyPI", python), ("Go", go)) for name, version in versions.items()}


def kubernetes(*more):
    rules = "".join(path.read_text() for path in ROOT.glob("tests/*/rules.mk"))
    return {name: re.search(rf"^{name} := v?(\S+)$", rules, re.M)[1] for name in ("kubernetes", "coredns", *more)}


def projects():
    return kubernetes("knative_eventing", "keda", "contour", "envoy")


def record(run, result=""):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    more = {"interop": interop, "cluster": kubernetes, "projects": projects}.get(run, dict)()
    RECORDS.mkdir(parents=True, exist_ok=True)
    entry = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d"), "commit": commit or "no repository", "result": result, **versions(), **more}
    (RECORDS / f"{run}.json").write_text(json.dumps(entry, indent=1) + "\n")


def page():
    """The rows in the order in which the first run names them."""
    runs = {path.stem: json.loads(path.read_text()) for path in sorted(RECORDS.glob("*.json"))}
    rows = list(dict.fromkeys(key for entry in runs.values() for key in entry))
    lines = [f"| {row} | " + " | ".join(str(entry.get(row, "")) for entry in runs.values()) + " |" for row in rows]
    return "\n".join(["# Tested versions", "", "`make tested` writes this page from what test runs recorded in `build/tested`: a column for each run.",
                      "`bookworm` and `trixie` are `make test` or `make unit` on that Debian release; `cluster` is `make cluster-test`, `interop` is `make interop`,",
                      "`projects` is `make cluster-test-projects`.", "",
                      "| | " + " | ".join(runs) + " |", "|---" * (len(runs) + 1) + "|", *lines]) + "\n"


def main(verb, *arguments):
    if verb == "record":
        record(*arguments)
    else:
        (ROOT / "docs/tested.md").write_text(page())


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("record", "page"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
