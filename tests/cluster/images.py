# SPDX-License-Identifier: Apache-2.0
"""Container images of programs on this machine, as OCI archives (https://github.com/opencontainers/image-spec), without an engine."""
import shutil
import subprocess
import sys

from lab.process import BUILD, ROOT

sys.path.append(str(ROOT / "release"))
import oci  # noqa: E402

LISTEN = BUILD / "vcourier-listen"
BIN = ROOT / "build/interop/bin"
VERSION = (ROOT / "VERSION").read_text().strip()
# The images that docs/kubernetes.md and the manifests name, and those of the test: name: (entry point, programs, user)
IMAGES = {
    f"registry.example.com/vcourier-collector:{VERSION}": (["/bin/vcourier-listen", "/bin/vcourier-collector"], [BUILD / "vcourier-collector", LISTEN], "65532"),
    f"registry.example.com/vcourier-dispatcher:{VERSION}": (["/bin/vcourier-listen", "/bin/vcourier-dispatcher"], [BUILD / "vcourier-dispatcher", LISTEN], "65532"),
    f"registry.example.com/vcourier-console:{VERSION}": (["/bin/vcourier-console"], [BUILD / "vcourier-console"], "65532"),
    f"registry.example.com/vcourier-cli:{VERSION}": (["/bin/vcourier"], [BUILD / "vcourier"], "65532"),
    "docker.io/library/nats:2.14-alpine": (["/bin/nats-server"], [BIN / "nats-server"], "65532"),
    "test.example.com/simulator:1": (["/bin/vcenter-sim"], [ROOT / "build/vcenter-sim"], "0"),
    "test.example.com/standins:1": (["/bin/standins"], [ROOT / "build/cluster/standins"], "0"),
    "test.example.com/coredns:1": (["/bin/coredns"], [BIN / "coredns"], "0"),
    "test.example.com/pause:1": (["/bin/pause"], [ROOT / "build/cluster/pause"], "65532"),
}


def make(directory, more=()):
    """Writes the archives of all images to a directory, except those that are newer than their programs, and returns their paths."""
    directory.mkdir(parents=True, exist_ok=True)
    archives = []
    for name, (entry, programs, user) in {**IMAGES, **dict(more)}.items():
        short = name.rpartition("/")[2].replace(":", "-")
        root, archive = directory / f"{short}.root", directory / f"{short}.tar"
        archives.append(archive)
        if archive.exists() and archive.stat().st_mtime > max(p.stat().st_mtime for p in programs):
            continue
        shutil.rmtree(root, ignore_errors=True)  # of a run that was stopped
        subprocess.run([ROOT / "compose/image.sh", root, *programs], check=True, capture_output=True)
        for program in programs:
            subprocess.run(["strip", root / "bin" / program.name], check=False, capture_output=True)
        oci.write(archive.with_suffix(".part"), name, {"Entrypoint": entry, "User": user, "Env": ["PATH=/bin"]}, {"amd64": root})
        archive.with_suffix(".part").rename(archive)
        shutil.rmtree(root)
    return archives
