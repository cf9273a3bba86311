#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the interfaces of this tree that docs/stability.md promises to keep, one line each, sorted.

    release/interfaces.py [BUILD] > release/interfaces.txt

BUILD is the folder of the programs, build/release. The lines come from the tables that the programs are made of: manual pages, JSON
Schema, AsyncAPI, lib/bus/protocol.h, docs/operations.md, and the log calls. `json` lines need programs that run: a test adds them.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("lib", "collector", "dispatcher", "processors", "cli")
METRIC = re.compile(r"`(\w+)(?:\{([\w, ]+)\})?`")


def options(schema, path=""):
    """config bus.urls; alternatives of one key are merged, elements of a list are written []."""
    for key, value in schema.get("properties", {}).items():
        yield f"config {path}{key}"
        yield from options(value, f"{path}{key}.")
    for alternative in schema.get("anyOf", []) + schema.get("oneOf", []):
        yield from options(alternative, path)
        for word in alternative.get("enum", []):
            yield f"config {path.rstrip('.')} = {word}"
    if isinstance(schema.get("items"), dict):
        yield from options(schema["items"], path.rstrip(".") + "[].")


def commands(build):
    """command vcourier tail --count, -n N; and the meaning of each exit status."""
    def manual(*page):
        return subprocess.run([build / "vcourier", "manual", *page], capture_output=True, text=True, check=True).stdout
    for page in manual().split():
        if page.endswith(".5"):
            continue
        text = re.sub(r"\\f[BIR]", "", manual("--date", "1970-01-01", page).replace("\\-", "-"))
        name = re.search(r"^\.SH SYNOPSIS\n(.*?)(?: \[OPTIONS\]| COMMAND|$)", text, re.M)[1]
        yield f"command {name}"
        yield from (f"command {name} {line}" for line in re.findall(r"^\.TP\n((?:-\w, )?--[a-z].*)$", text, re.M))
        statuses = text.partition(".SH EXIT STATUS\n")[2].partition(".SH")[0]
        yield from (f"command {name} exit {status}" for status in re.findall(r"^\.TP\n(\d+)$", statuses, re.M))


def metrics():
    """metric vcourier_up{peer}; a test compares the tables of this page with what the processes export."""
    section = (ROOT / "docs/operations.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    for table in re.findall(r"(?:^\|.*\n)+", section, re.M):
        head, _, *rows = table.splitlines()
        prefix = re.search(r"`(vcourier_\w*)`", head)[1]
        for row in rows:
            yield from (f"metric {prefix}{m[1]}" + (f"{{{m[2]}}}" if m[2] else "") for m in METRIC.finditer(row.split("|")[1]))


def bus():
    """Streams, subjects, buckets and headers."""
    for file in ("lib/bus/protocol.h", "lib/event/subject.h"):
        for name, value in re.findall(r'^#define (\w+) "([^"]+)"', (ROOT / file).read_text(), re.M):
            kind = next((k for k in ("header", "stream", "bucket") if k in name.lower()), "subject")
            if not name.startswith("HEADER_PREFIX") and (kind != "header" or value.startswith("Vcourier-")):
                yield f"{kind} {value}"
    api = json.loads((ROOT / "schemas/asyncapi.json").read_text())
    yield from (f"subject {channel['address']}" for channel in api["channels"].values())


def attributes(schema):
    """attribute eventclass: of the CloudEvents."""
    for definition in schema["definitions"].values():
        yield from (f"attribute {name}" for name in definition.get("properties", {}) if name == "data" or name.islower())


def logs():
    """log LEVEL MESSAGE, and log field KEY."""
    for folder in PRODUCT:
        for file in sorted((ROOT / folder).rglob("*.c")):
            text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
            yield from (f"log {m[1]} {m[2]}" for m in re.finditer(r'\blog_(info|warn|error)\(\s*"([^"]+)"', text))
            yield from (f"log field {key}" for key in re.findall(r'\bL_(?:STR|INT|MS|BOOL)\(\s*"(\w+)"', text))


def units():
    """The files by which an installation is driven."""
    yield from (f"unit {p.name}" for p in (ROOT / "systemd").glob("*.service"))


def keys(value, path=""):
    """The paths of the members of a JSON value; the elements of a list are written []."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield f"{path}{key}"
            yield from keys(member, f"{path}{key}.")
    elif isinstance(value, list):
        for element in value:
            yield from keys(element, path.rstrip(".") + "[].")


def interfaces(build):
    schema = json.loads((ROOT / "schemas/config.schema.json").read_text())
    event = json.loads((ROOT / "schemas/event.schema.json").read_text())
    return sorted({*options(schema), *commands(Path(build)), *metrics(), *bus(), *attributes(event), *logs(), *units()})


if __name__ == "__main__":
    if len(sys.argv) > 2 or sys.argv[1:] and sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    print("\n".join(interfaces(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release")))
