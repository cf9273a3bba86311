#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""provenance.py DIST URL COMMIT LIST...: DIST/provenance.json, an in-toto statement with SLSA provenance 1.0 (https://slsa.dev/spec/v1.0/provenance)
about all files that DIST has so far: made from COMMIT of the repository at URL by `make release`, in Debian roots with the packages in each LIST.

A LIST has a line "NAME=VERSION" for each package and is named after the Debian release. There are no times in it, so that two builds are the same."""
import hashlib
import json
import sys
from pathlib import Path


def subjects(dist):
    for path in sorted(p for p in dist.rglob("*") if p.is_file()):
        yield {"name": str(path.relative_to(dist)), "digest": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}}


def dependencies(url, commit, lists):
    yield {"uri": f"git+{url}", "digest": {"gitCommit": commit}}
    for path in map(Path, lists):
        for line in sorted(path.read_text().splitlines()):
            name, version = line.split("=", 1)
            yield {"uri": f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?distro={path.name}"}


def main(dist, url, commit, *lists):
    statement = {
        "_type": "https://in-toto.io/Statement/v1", "subject": list(subjects(Path(dist))), "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {"buildType": f"{url}/release/release.sh", "externalParameters": {"command": "make release"},
                                "resolvedDependencies": list(dependencies(url, commit, lists))},
            "runDetails": {"builder": {"id": f"{url}/release/root.sh"}}}}
    (Path(dist) / "provenance.json").write_text(json.dumps(statement, indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
