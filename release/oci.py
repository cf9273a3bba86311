#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""oci.py DOCKERFILE STAGE NAME:TAG ARCHIVE ARCHITECTURE=ROOT...: an image of one layer for each architecture, without an engine.

STAGE is the last stage of the image in DOCKERFILE: its USER, LABEL, EXPOSE, STOPSIGNAL, HEALTHCHECK and ENTRYPOINT count. ROOT is a directory with the
files. The archive is an OCI layout (https://github.com/opencontainers/image-spec) for podman, skopeo and containerd; the manifest.json in it is for
docker load, with the first architecture. The same files give the same bytes. SOURCE_DATE_EPOCH is the time of all of them, by default 0."""
import gzip
import hashlib
import io
import json
import os
import re
import shlex
import sys
import tarfile
from datetime import datetime, timezone
from pathlib import Path

MEDIA = "application/vnd.oci.image."
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
NANOSECONDS = {"s": 10**9, "m": 60 * 10**9}


def health(words):
    """HEALTHCHECK [--interval=10s ...] CMD [...]"""
    options, command = words.split("CMD", 1)
    keys = {"interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod"}
    times = {keys[k]: int(n) * NANOSECONDS[unit] for k, n, unit in re.findall(r"--([a-z-]+)=(\d+)([sm])", options)}
    return {"Test": ["CMD", *json.loads(command)], **times}


def stage_config(dockerfile, stage, version):
    """What a stage of a Dockerfile says about the image: https://github.com/moby/docker-image-spec"""
    text = re.sub(r"\\\n\s*", " ", Path(dockerfile).read_text().replace("$VERSION", version))
    body = re.search(rf"^FROM \S+ AS {re.escape(stage)}\n(.*?)(?=^FROM |\Z)", text, re.M | re.S)
    if body is None:
        sys.exit(f"{dockerfile}: no stage {stage}")
    config = {"Env": ["PATH=/bin"]}
    for word, rest in re.findall(r"^([A-Z]+) (.*)$", body[1], re.M):
        if word == "LABEL":
            config["Labels"] = dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "EXPOSE":
            config["ExposedPorts"] = {f"{rest}/tcp": {}}
        elif word == "HEALTHCHECK":
            config["Healthcheck"] = health(rest)
        elif word == "ENTRYPOINT":
            config["Entrypoint"] = json.loads(rest)
        elif word in ("USER", "STOPSIGNAL"):
            config[{"USER": "User", "STOPSIGNAL": "StopSignal"}[word]] = rest
        elif word not in ("ARG", "COPY"):
            sys.exit(f"{dockerfile}: {word} in the stage {stage} is not known here")
    return config


def add_file(tar, path, data):
    info = tarfile.TarInfo(path)
    info.size, info.mode, info.mtime = len(data), 0o644, EPOCH
    tar.addfile(info, io.BytesIO(data))


def owned_by_root(info):
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mtime = EPOCH
    return info


def layer_of(root):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path in sorted(root.rglob("*")):
            archive.add(path, path.relative_to(root).as_posix(), recursive=False, filter=owned_by_root)
    return raw.getvalue()


class Blobs(dict):
    """The blobs of a layout, by their paths in the archive."""

    def add(self, data, kind):
        """The descriptor of a blob: https://github.com/opencontainers/image-spec/blob/main/descriptor.md"""
        data = data if isinstance(data, bytes) else json.dumps(data, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        self[f"blobs/sha256/{digest}"] = data
        return {"mediaType": MEDIA + kind, "digest": f"sha256:{digest}", "size": len(data)}

    def add_image(self, architecture, root, config):
        """The descriptor of the manifest of one architecture, and the entry of docker's manifest.json without its tags."""
        layer = layer_of(root)
        created = datetime.fromtimestamp(EPOCH, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        image = self.add({"architecture": architecture, "os": "linux", "created": created, "config": config,
                          "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}, "config.v1+json")
        packed = self.add(gzip.compress(layer, 9, mtime=0), "layer.v1.tar+gzip")
        manifest = self.add({"schemaVersion": 2, "mediaType": f"{MEDIA}manifest.v1+json", "config": image, "layers": [packed]}, "manifest.v1+json")
        paths = [f"blobs/{part['digest'].replace(':', '/')}" for part in (image, packed)]
        return {**manifest, "platform": {"architecture": architecture, "os": "linux"}}, {"Config": paths[0], "Layers": paths[1:]}


def write(archive, name, config, roots):
    """roots: {architecture: directory}. name: with a tag, and with a registry or not."""
    blobs = Blobs()
    images = [blobs.add_image(architecture, Path(root), config) for architecture, root in roots.items()]
    manifests = [manifest for manifest, _ in images]
    top = manifests[0] if len(manifests) == 1 else blobs.add(
        {"schemaVersion": 2, "mediaType": f"{MEDIA}index.v1+json", "manifests": manifests}, "index.v1+json")
    full = name if "/" in name else f"docker.io/library/{name}"
    notes = {"io.containerd.image.name": full, "org.opencontainers.image.ref.name": name.rpartition(":")[2]}
    with tarfile.open(archive, "w") as tar:
        add_file(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        for path, data in sorted(blobs.items()):
            add_file(tar, path, data)
        add_file(tar, "index.json", json.dumps({"schemaVersion": 2, "mediaType": f"{MEDIA}index.v1+json",
                                                "manifests": [{**top, "annotations": notes}]}, sort_keys=True).encode())
        add_file(tar, "manifest.json", json.dumps([{**images[0][1], "RepoTags": [name]}], sort_keys=True).encode())


def main(dockerfile, stage, name, archive, *roots):
    write(archive, name, stage_config(dockerfile, stage, name.rpartition(":")[2]), dict(root.split("=", 1) for root in roots))


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(*sys.argv[1:])
