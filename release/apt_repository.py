#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""apt_repository.py DIRECTORY RELEASE=PACKAGE.deb...: the layout of an apt archive (https://wiki.debian.org/DebianRepository/Format),
without signatures: pool/, dists/RELEASE/Release, main/binary-ARCH/Packages. SOURCE_DATE_EPOCH is the date of the Release files."""
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path


def control(deb):
    return subprocess.run(["dpkg-deb", "-f", deb], capture_output=True, text=True, check=True).stdout.strip()


def field(deb, name):
    return subprocess.run(["dpkg-deb", "-f", deb, name], capture_output=True, text=True, check=True).stdout.strip()


def paragraph(deb, path):
    data = deb.read_bytes()
    return f"{control(deb)}\nFilename: {path}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"


def release_file(folder, codename, architectures):
    date = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc).strftime("%a, %d %b %Y %H:%M:%S UTC")
    lines = ["Origin: vcourier", "Label: vcourier", f"Suite: {codename}", f"Codename: {codename}", f"Date: {date}",
             f"Architectures: {' '.join(architectures)}", "Components: main", "SHA256:"]
    for file in sorted(p for p in folder.rglob("Packages*")):
        data = file.read_bytes()
        lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {file.relative_to(folder)}")
    (folder / "Release").write_text("\n".join(lines) + "\n")


def main(directory, entries):
    root = Path(directory)
    found = {}
    for codename, deb in (entry.split("=", 1) for entry in entries):
        target = root / "pool/main/v/vcourier" / Path(deb).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(deb, target)
        found.setdefault(codename, {}).setdefault(field(deb, "Architecture"), []).append(target)
    for codename, by_arch in found.items():
        for arch, debs in by_arch.items():
            folder = root / "dists" / codename / "main" / f"binary-{arch}"
            folder.mkdir(parents=True)
            text = "\n".join(paragraph(deb, deb.relative_to(root)) for deb in sorted(debs))
            (folder / "Packages").write_text(text)
            (folder / "Packages.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
        release_file(root / "dists" / codename, codename, sorted(by_arch))


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
