#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scan.py [--source URL] LIST.cdx.json...: the known vulnerabilities of the Debian packages in the CycloneDX lists of a release.

The comparison is debsecan's (Debian's package of that name), with the data of Debian's security tracker, or of a copy of it at URL. debsecan takes a
database of dpkg, so each list is written as one. Exit status: 0 when no vulnerability has a correction in Debian, 1 when one has (build the release again),
69 when there are no data."""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, unquote

FIXED, UNAVAILABLE = 1, 69  # 69: EX_UNAVAILABLE of sysexits(3)


def debian(purl):
    """(name, version, qualifiers) of a package of Debian, or None."""
    path, _, query = purl.partition("?")
    if not path.startswith("pkg:deb/debian/"):
        return None
    name, _, version = path.removeprefix("pkg:deb/debian/").partition("@")
    return unquote(name), unquote(version), {key: values[0] for key, values in parse_qs(query).items()}


def record(name, version, qualifiers):
    """As dpkg writes it. Vulnerabilities are those of the source package."""
    source, _, source_version = qualifiers.get("upstream", "").partition("@")
    source = f"Source: {source}{f' ({source_version})' if source_version else ''}\n" if source else ""
    return f"Package: {name}\nStatus: install ok installed\nArchitecture: {qualifiers.get('arch', 'all')}\n{source}Version: {version}\n"


def scan(path, source):
    listed = json.loads(path.read_text())
    if not isinstance(listed, dict):
        raise ValueError("not a CycloneDX list")
    packages = list(filter(None, (debian(c.get("purl", "")) for c in listed.get("components", []))))
    suites = {qualifiers.get("distro", "") for _, _, qualifiers in packages}
    if len(suites) != 1:
        sys.exit(f"scan: {path}: packages of one Debian release are expected, found: {' '.join(sorted(suites)) or 'none'}")
    with tempfile.NamedTemporaryFile("w", prefix="scan-") as status:
        status.write("\n".join(record(*package) for package in packages))
        status.flush()
        command = ["debsecan", "--suite", suites.pop(), "--status", status.name, *(["--source", source] if source else [])]
        try:
            run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        except FileNotFoundError:
            sys.exit("scan: debsecan is not installed: apt-get install debsecan")
    if run.returncode != 0:
        print(f"scan: {path}: nothing was compared, because debsecan has no data (see above)", file=sys.stderr)
        return UNAVAILABLE
    fixed = [line for line in run.stdout.splitlines() if "(fixed" in line]
    print(f"scan: {path.name}: {len(packages)} packages, {len(run.stdout.splitlines())} known vulnerabilities, {len(fixed)} of them corrected in Debian")
    print(run.stdout, end="")
    return FIXED if fixed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lists", nargs="+", type=Path, metavar="LIST.cdx.json")
    parser.add_argument("--source", metavar="URL", help="where the data are: URL/RELEASE, as debsecan(1) says")
    options = parser.parse_args()
    results = set()
    for path in options.lists:
        try:
            results.add(scan(path, options.source))
        except (OSError, ValueError) as why:
            sys.exit(f"scan: {path}: {why}")
        if UNAVAILABLE in results:
            break
    sys.exit(max(results))


if __name__ == "__main__":
    main()
