#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sbom.py PACKAGE.deb OUTPUT: what a Debian package runs with, as OUTPUT.spdx.json (SPDX 2.3) and OUTPUT.cdx.json (CycloneDX 1.5).
sbom.py ROOT OUTPUT: the same for the root of an image that compose/image.sh made; its name is that of the directory.

Runs where the package was built: versions and licences are those of the libraries that it was linked with there, with all that they depend
on, from dpkg's database and /usr/share/doc/*/copyright. SOURCE_DATE_EPOCH is the time of both documents."""
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

FIELDS = "${binary:Package}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\t${Depends}, ${Pre-Depends}\n"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def names(depends):
    """The first name of each alternative list is not always the installed one: all of them, list by list."""
    for group in filter(None, (g.strip() for g in depends.split(","))):
        yield [re.match(r"[^\s(:|]+", word.strip())[0] for word in group.split("|")]


def installed(arch):
    """{name: its row} of this architecture's packages."""
    found = {}
    for line in output("dpkg-query", "-W", "-f", FIELDS).splitlines():
        _, name, version, its, source, source_version, depends = line.split("\t")
        if its in (arch, "all"):
            found[name] = {"name": name, "version": version, "arch": its, "source": source, "sourceVersion": source_version, "depends": depends}
    return found


def closure(depends, packages):
    """The packages, sorted by name, and the direct names."""
    first = [next((n for n in group if n in packages), None) for group in names(depends)]
    seen, todo = {}, [n for n in first if n]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen[name] = packages[name]
            todo += [n for group in names(packages[name]["depends"]) for n in group if n in packages]
    return [seen[n] for n in sorted(seen)], sorted({n for n in first if n})


def licences(name):
    """The short names in Debian's copyright file, where it has the machine-readable form."""
    file = Path("/usr/share/doc") / name / "copyright"
    text = file.read_text(errors="replace") if file.exists() else ""
    return sorted(set(re.findall(r"^License: *(\S.*?)\s*$", text, re.M)))


def purl(p, release):
    """Scanners find vulnerabilities by the source package, where it has another name or version."""
    source = p.get("source", p["name"])
    other = f"{source}@{p['sourceVersion']}" if p.get("sourceVersion", p["version"]) != p["version"] else source
    upstream = f"&upstream={quote(other, safe='')}" if other != p["name"] else ""
    return f"pkg:deb/debian/{p['name']}@{quote(p['version'], safe='~')}?arch={p['arch']}&distro={release}{upstream}"


def spdx(own, packages, direct, made):
    def entry(p, ident):
        known = licences(p["name"])
        return {"SPDXID": ident, "name": p["name"], "versionInfo": p["version"], "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
                "licenseConcluded": "NOASSERTION", "licenseDeclared": p.get("licence", "NOASSERTION"), "copyrightText": "NOASSERTION",
                **({"licenseComments": "Debian's copyright file names: " + ", ".join(known)} if known else {}),
                "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl(p, made["release"])}]}

    def ident(p):
        return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", p["name"])
    root = {**entry(own, "SPDXRef-vcourier"), "checksums": [{"algorithm": "SHA256", "checksumValue": made["sha256"]}]}
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": made["name"],
            "documentNamespace": f"https://spdx.org/spdxdocs/{made['name']}-{made['uuid']}",
            "creationInfo": {"created": made["time"], "creators": ["Tool: vcourier-sbom"]},
            "packages": [root, *(entry(p, ident(p)) for p in packages)],
            "relationships": [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-vcourier"},
                              *({"spdxElementId": "SPDXRef-vcourier", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": ident(p)}
                                for p in packages if p["name"] in direct)]}


def cyclonedx(own, packages, direct, made):
    def component(p, kind):
        return {"type": kind, "bom-ref": purl(p, made["release"]), "name": p["name"], "version": p["version"], "purl": purl(p, made["release"]),
                "licenses": [{"license": {"name": name}} for name in ([p["licence"]] if "licence" in p else licences(p["name"]))]}
    root = {**component(own, "application"), "hashes": [{"alg": "SHA-256", "content": made["sha256"]}]}
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "serialNumber": f"urn:uuid:{made['uuid']}", "version": 1,
            "metadata": {"timestamp": made["time"], "component": root}, "components": [component(p, "library") for p in packages],
            "dependencies": [{"ref": root["bom-ref"], "dependsOn": [purl(p, made["release"]) for p in packages if p["name"] in direct]}]}


def of_image(root):
    """(name, packages): dpkg's records of the packages whose files are in the image."""
    packages = []
    for record in sorted((root / "var/lib/dpkg/status.d").iterdir()):
        fields = dict(re.findall(r"^([A-Z][A-Za-z-]*): (.*)$", record.read_text(), re.M))
        source, _, version = fields.get("Source", fields["Package"]).partition(" ")
        packages.append({"name": fields["Package"], "version": fields["Version"], "arch": fields["Architecture"],
                         "source": source, "sourceVersion": version.strip("()") or fields["Version"]})
    return f"vcourier-{root.name}", packages


def digest_of(subject):
    """SHA-256 of a file; of a directory: of its files' names and contents."""
    if subject.is_file():
        return hashlib.sha256(subject.read_bytes()).hexdigest()
    lines = [f"{path.relative_to(subject)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sorted(subject.rglob("*")) if path.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def main(path, stem):
    subject, digest = Path(path), digest_of(Path(path))
    release = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.M)[1]
    made = {"name": Path(stem).name, "release": release, "sha256": digest, "uuid": uuid.UUID(digest[:32]),
            "time": datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}
    if subject.is_dir():
        name, packages = of_image(subject)
        direct = [p["name"] for p in packages]
        version = (Path(__file__).resolve().parent.parent / "VERSION").read_text().strip()
        arch = next(p["arch"] for p in packages if p["arch"] != "all")
    else:
        name, version, arch, depends = (output("dpkg-deb", "-f", path, field).strip() for field in ("Package", "Version", "Architecture", "Depends"))
        packages, direct = closure(depends, installed(arch))
    own = {"name": name, "version": version, "arch": arch, "licence": "Apache-2.0"}
    for suffix, form in (("spdx", spdx), ("cdx", cyclonedx)):
        Path(f"{stem}.{suffix}.json").write_text(json.dumps(form(own, packages, direct, made), indent=1) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
