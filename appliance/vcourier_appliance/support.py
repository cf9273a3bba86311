# SPDX-License-Identifier: Apache-2.0
"""The support bundle: the state of the appliance in one archive. Every secret that the appliance knows is replaced by ***."""
import io
import os
import re
import subprocess
import tarfile
import time
from pathlib import Path

SECRETS = ("etc/vcourier/secrets", "etc/vcourier/nats/secrets", "etc/vcourier/cli")
FILES = ("etc/vcourier/config.yaml", "etc/vcourier/console.yaml", "etc/vcourier/nats/nats.conf", "etc/vcourier-appliance/messages",
         "etc/vcourier-appliance/instances.json", "etc/nginx/nginx.conf", "etc/nftables.conf", "etc/systemd/network/10-appliance.network", "etc/hosts",
         "run/vcourier-appliance/status.txt")
COMMANDS = {
    "journal": ("journalctl", "--no-pager", "-b", "-n", "20000"),
    "units": ("systemctl", "--no-pager", "--all", "list-units"),
    "failed": ("systemctl", "--no-pager", "status", "vcourier-*", "nginx"),
    "status.json": ("vcourier", "status", "--json"),
    "readiness": ("vcourier", "check", "/etc/vcourier/config.yaml"),
    "addresses": ("ip", "addr"), "routes": ("ip", "route"), "disks": ("df", "-h"), "memory": ("free", "-m"), "packages": ("dpkg-query", "-W"),
    "resolver": ("resolvectl", "--no-pager", "status"), "clock": ("timedatectl", "--no-pager", "status"),
}
SHORTEST = 4  # a shorter secret would mask half of the text


def secrets(root):
    """The longest first, so that no secret is masked in part because another is a part of it."""
    found = set()
    for directory in SECRETS:
        for path in (root / directory).rglob("*"):
            if path.is_file() and path.suffix != ".conf":  # NATS's own list has the same passwords
                text = path.read_text(errors="replace").strip()
                found |= {text, *(line.strip() for line in text.splitlines())}
    return sorted((s for s in found if len(s) >= SHORTEST), key=len, reverse=True)


def masked(text, known):
    for secret in known:
        text = text.replace(secret, "***")
    return re.sub(r"(://)[^/@\s]+@", r"\1***@", text)  # the login of a proxy


def output(argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=60, check=False)
        return done.stdout + done.stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}\n"


def write(root=Path("/"), directory=Path("/root")):
    """Returns the path of the archive, which only root can read."""
    known = secrets(root)
    path = directory / time.strftime("support-%Y%m%d-%H%M%S.tar.gz")
    with tarfile.open(fileobj=os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"), mode="w:gz") as tar:
        texts = {name: output(argv) for name, argv in COMMANDS.items()}
        texts |= {file.replace("/", "_"): (root / file).read_text(errors="replace") for file in FILES if (root / file).is_file()}
        for name, text in texts.items():
            data = masked(text, known).encode()
            info = tarfile.TarInfo(f"support/{name}")
            info.size, info.mode = len(data), 0o600
            tar.addfile(info, io.BytesIO(data))
    return path
