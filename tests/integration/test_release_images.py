# SPDX-License-Identifier: Apache-2.0
"""Images, lists of packages and provenance, as `make release` writes them."""
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from lab.process import BUILD, ROOT

VERSION = (ROOT / "VERSION").read_text().strip()
DOCKERFILE = ROOT / "compose/Dockerfile"


@pytest.fixture(name="images", scope="module")
def fixture_images(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    subprocess.run([ROOT / "compose/images.sh", root, BUILD], check=True, capture_output=True)
    return root


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    """A small root file system."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    (root / "bin/program").write_text("program")
    return root


def write(archive, image, roots, stage="collector"):
    subprocess.run([sys.executable, ROOT / "release/oci.py", DOCKERFILE, stage, image, archive, *[f"{a}={r}" for a, r in roots.items()]],
                   env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}, check=True)
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}


def blob(files, descriptor):
    """The bytes that a descriptor names, with their size and digest checked."""
    data = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
    assert len(data) == descriptor["size"] and descriptor["digest"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    return data


def test_an_image_of_two_architectures(tmp_path, root):
    """https://github.com/opencontainers/image-spec/blob/main/image-layout.md"""
    (tmp_path / "empty").mkdir()
    files = write(tmp_path / "a.tar", f"vcourier-collector:{VERSION}", {"amd64": root, "arm64": tmp_path / "empty"})
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    top, = json.loads(files["index.json"])["manifests"]
    assert top["annotations"] == {"io.containerd.image.name": f"docker.io/library/vcourier-collector:{VERSION}",
                                  "org.opencontainers.image.ref.name": VERSION}
    manifests = json.loads(blob(files, top))["manifests"]
    assert [m["platform"] for m in manifests] == [{"architecture": a, "os": "linux"} for a in ("amd64", "arm64")]
    for described in manifests:
        manifest = json.loads(blob(files, described))
        config = json.loads(blob(files, manifest["config"]))
        layer = tmp_path / "layer.tar.gz"
        layer.write_bytes(blob(files, manifest["layers"][0]))
        plain = subprocess.run(["gzip", "-dc", layer], capture_output=True, check=True).stdout
        assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(plain).hexdigest()}"] and config["created"] == "2023-11-14T22:13:20Z"
    docker, = json.loads(files["manifest.json"])
    assert docker["RepoTags"] == [f"vcourier-collector:{VERSION}"] and {docker["Config"], *docker["Layers"]} <= files.keys()


def test_an_image_starts_as_the_dockerfile_says(tmp_path, root):
    files = write(tmp_path / "a.tar", f"vcourier-collector:{VERSION}", {"amd64": root})
    config = json.loads(files[json.loads(files["manifest.json"])[0]["Config"]])["config"]
    assert config["User"] == "65532:65532" and config["Entrypoint"] == ["/bin/vcourier-listen", "/bin/vcourier-collector"] and config["StopSignal"] == "SIGTERM"
    assert config["ExposedPorts"] == {"8082/tcp": {}} and config["Labels"]["org.opencontainers.image.version"] == VERSION
    assert config["Healthcheck"] == {"Test": ["CMD", "/bin/vcourier-collector", "--health"], "Interval": 10**10, "Timeout": 5 * 10**9, "StartPeriod": 3 * 10**10}


def test_the_same_files_give_the_same_image(tmp_path, root):
    os.utime(root / "bin/program", (1, 1))
    write(tmp_path / "a.tar", "a:1", {"amd64": root})
    os.utime(root / "bin/program", (2, 2))
    write(tmp_path / "b.tar", "a:1", {"amd64": root})
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_the_same_images_everywhere(images):
    """compose/images.sh, the stages of compose/Dockerfile and release/release.sh."""
    made = {p.name for p in images.iterdir()}
    stages = set(re.findall(r"^COPY --from=build /image/(\w+) /$", DOCKERFILE.read_text(), re.M))
    released = set(re.search(r'^images="([\w ]+)"', (ROOT / "release/release.sh").read_text(), re.M)[1].split())
    assert made == stages == released and len(made) == 4


def test_the_packages_of_an_image(tmp_path, images):
    """Each library in the image belongs to a package in the list."""
    subprocess.run([sys.executable, ROOT / "release/sbom.py", images / "collector", tmp_path / "sbom"],
                   env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}, check=True)
    packages = {p["name"]: p["versionInfo"] for p in json.loads((tmp_path / "sbom.spdx.json").read_text())["packages"]}
    components = {c["name"]: c["version"] for c in json.loads((tmp_path / "sbom.cdx.json").read_text())["components"]}
    assert packages.pop("vcourier-collector") == VERSION and packages == components
    loaded = subprocess.run(["ldd", BUILD / "vcourier-collector"], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"=> (/\S+)", loaded):
        path = os.path.realpath(library)
        named = [subprocess.run(["dpkg-query", "-S", p], capture_output=True, text=True).stdout for p in (path, path.removeprefix("/usr"))]
        assert {owner.split(":")[0] for owner in named if owner} & packages.keys(), library


def test_licences_and_release_of_an_image(images):
    """Scanners find no vulnerability in an image that does not name its Debian release."""
    for image in images.iterdir():
        assert (image / "etc/os-release").read_text() == Path("/etc/os-release").read_text() and (image / "etc/debian_version").exists()
        documents, referred = image / "usr/share/doc", set()
        for record in (image / "var/lib/dpkg/status.d").iterdir():
            text = (documents / record.name / "copyright").read_text()
            assert text == Path(f"/usr/share/doc/{record.name}/copyright").read_text()
            referred |= set(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", text))
        assert {"GPL-2", "LGPL-2.1"} <= referred
        missing = {name for name in referred if Path("/usr/share/common-licenses", name).exists() and not (image / "usr/share/common-licenses" / name).is_file()}
        assert not missing and (documents / "vcourier/LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_a_scanner_finds_the_packages(tmp_path, images):
    """trivy, without its database of vulnerabilities: the release, the packages of our list, no secret, licences."""
    trivy = shutil.which("trivy", path=f"{ROOT / 'build/interop/bin'}:{os.environ['PATH']}")
    if not trivy:
        pytest.skip("trivy is not here (make build/interop/bin/trivy)")

    def scan(root):
        write(tmp_path / "a.tar", f"vcourier-collector:{VERSION}", {"amd64": root})
        run = subprocess.run([trivy, "image", "--input", tmp_path / "a.tar", "--cache-dir", tmp_path / "cache", "--offline-scan", "--skip-db-update", "--skip-java-db-update",
                              "--scanners", "secret,license", "--list-all-pkgs", "--format", "json", "--quiet"], capture_output=True, text=True, timeout=240)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def version(p):
        return "".join((f"{p['Epoch']}:" if "Epoch" in p else "", p["Version"], f"-{p['Release']}" if "Release" in p else ""))
    subprocess.run([sys.executable, ROOT / "release/sbom.py", images / "collector", tmp_path / "sbom"], env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}, check=True)
    listed = json.loads((tmp_path / "sbom.cdx.json").read_text())["components"]
    found = scan(images / "collector")
    system = found["Metadata"]["OS"]
    assert system["Family"] == "debian" and system["Name"].startswith(platform.freedesktop_os_release()["VERSION_ID"])
    packages = next(r for r in found["Results"] if r["Class"] == "os-pkgs")["Packages"]
    assert {p["Name"]: version(p) for p in packages} == {c["name"]: c["version"] for c in listed}
    assert not any(r.get("Secrets") for r in found["Results"]) and any(r.get("Licenses") for r in found["Results"])
    (tmp_path / "leak/etc").mkdir(parents=True)
    subprocess.run(["openssl", "genrsa", "-traditional", "-out", tmp_path / "leak/etc/key.pem", "2048"], check=True, capture_output=True)
    assert any(r.get("Secrets") for r in scan(tmp_path / "leak")["Results"])  # it does look


def test_provenance_names_each_file(tmp_path):
    """https://slsa.dev/spec/v1.0/provenance"""
    dist = tmp_path / "dist"
    (dist / "apt").mkdir(parents=True)
    (dist / "apt/a.deb").write_bytes(b"package")
    (tmp_path / "trixie").write_text("gcc=4:14.2.0-1\nlibnats3.10=3.10.1-1+b1\n")
    subprocess.run([sys.executable, ROOT / "release/provenance.py", dist, "https://git.example/v", "0" * 40, tmp_path / "trixie"], check=True)
    statement = json.loads((dist / "provenance.json").read_text())
    assert statement["subject"] == [{"name": "apt/a.deb", "digest": {"sha256": hashlib.sha256(b"package").hexdigest()}}]
    build = statement["predicate"]["buildDefinition"]
    assert build["resolvedDependencies"] == [{"uri": "git+https://git.example/v", "digest": {"gitCommit": "0" * 40}},
                                             {"uri": "pkg:deb/debian/gcc@4%3A14.2.0-1?distro=trixie"},
                                             {"uri": "pkg:deb/debian/libnats3.10@3.10.1-1%2Bb1?distro=trixie"}]
