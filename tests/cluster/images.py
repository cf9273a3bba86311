# SPDX-License-Identifier: Apache-2.0
"""Container images of programs on this machine, as OCI archives (https://github.com/opencontainers/image-spec), without an engine."""
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile

from lab.process import BUILD, ROOT

BIN = ROOT / "build/interop/bin"
VERSION = (ROOT / "VERSION").read_text().strip()
MEDIA = "application/vnd.oci.image."
# The images that docs/kubernetes.md and the manifests name, and those of the test: name: (entry point, programs, user)
IMAGES = {
    f"registry.example.com/vcourier-collector:{VERSION}": (["/bin/vcourier-collector"], [BUILD / "vcourier-collector"], "65532"),
    f"registry.example.com/vcourier-dispatcher:{VERSION}": (["/bin/vcourier-dispatcher"], [BUILD / "vcourier-dispatcher"], "65532"),
    "docker.io/library/nats:2.14-alpine": (["/bin/nats-server"], [BIN / "nats-server"], "65532"),
    "test.example.com/simulator:1": (["/bin/vcenter-sim"], [ROOT / "build/vcenter-sim"], "0"),
    "test.example.com/standins:1": (["/bin/standins"], [ROOT / "build/cluster/standins"], "0"),
    "test.example.com/coredns:1": (["/bin/coredns"], [BIN / "coredns"], "0"),
    "test.example.com/pause:1": (["/bin/pause"], [ROOT / "build/cluster/pause"], "65532"),
}


def owned_by_root(info):
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    return info


def layer_of(root):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path in sorted(root.rglob("*")):
            archive.add(path, path.relative_to(root).as_posix(), recursive=False, filter=owned_by_root)
    return raw.getvalue()


def write(archive, name, root, entry, user):
    """An image of one layer: the files below root."""
    blobs = {}

    def blob(data, kind):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": len(data)}
    layer = layer_of(root)
    config = {"architecture": "amd64", "os": "linux", "config": {"Entrypoint": entry, "User": user, "Env": ["PATH=/bin"]},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}
    manifest = {"schemaVersion": 2, "mediaType": f"{MEDIA}manifest.v1+json", "config": blob(json.dumps(config).encode(), "config.v1+json"),
                "layers": [blob(gzip.compress(layer, 1, mtime=0), "layer.v1.tar+gzip")]}
    top = {**blob(json.dumps(manifest).encode(), "manifest.v1+json"), "annotations": {"io.containerd.image.name": name}}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', **blobs,
             "index.json": json.dumps({"schemaVersion": 2, "mediaType": f"{MEDIA}index.v1+json", "manifests": [top]}).encode()}
    with tarfile.open(archive, "w") as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(data), 0o644
            tar.addfile(info, io.BytesIO(data))


def make(directory):
    """Writes the archives of all images to a directory, except those that are newer than their programs, and returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    archives = []
    for name, (entry, programs, user) in IMAGES.items():
        short = name.rpartition("/")[2].replace(":", "-")
        root, archive = directory / f"{short}.root", directory / f"{short}.tar"
        archives.append(archive)
        if archive.exists() and archive.stat().st_mtime > max(p.stat().st_mtime for p in programs):
            continue
        shutil.rmtree(root, ignore_errors=True)  # of a run that was stopped
        subprocess.run([ROOT / "compose/image.sh", root, *programs], check=True, capture_output=True)
        for program in programs:
            subprocess.run(["strip", root / "bin" / program.name], check=False, capture_output=True)
        write(archive.with_suffix(".part"), name, root, entry, user)
        archive.with_suffix(".part").rename(archive)
        shutil.rmtree(root)
    return archives
