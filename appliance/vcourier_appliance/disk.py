# SPDX-License-Identifier: Apache-2.0
"""The data disk: what has to survive a new image. A blank disk is taken at the first boot; without one, all is on the disk of the system."""
import json
import shutil
import subprocess
from pathlib import Path

from .target import STATE

LABEL = "vcourier-data"
PLACE = Path("/data")
USED = Path(f"{STATE}/disk")  # exists once a data disk was used; then nothing starts without one, because the store would be empty
SMALLEST = 1 << 30
# where each directory of the disk appears. What the image has there is copied when the directory is new.
DIRECTORIES = (("nats", "/var/lib/private/vcourier-nats"), ("vcourier", "/etc/vcourier"), ("appliance", "/etc/vcourier-appliance"),
               ("containers", "/var/lib/containers"), ("units", "/etc/containers/systemd"))


class Failed(Exception):
    pass


def run(*argv, accept=(0,)):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, check=False)
    if done.returncode not in accept:
        raise Failed(f"{argv[0]}: {(done.stderr or done.stdout).strip()[-200:] or done.returncode}")
    return done.stdout.strip()


def is_blank(disk):
    """A whole disk on which nothing was ever written, as far as blkid and wipefs can tell."""
    return (disk["type"] == "disk" and not disk["ro"] and disk["size"] >= SMALLEST and not disk.get("children")
            and not disk["fstype"] and not disk["pttype"] and not any(disk["mountpoints"]))


def find():
    """The device; None without one."""
    labelled = run("blkid", "-L", LABEL, accept=(0, 2))
    if labelled:
        return labelled
    disks = json.loads(run("lsblk", "--json", "--bytes", "--output", "PATH,TYPE,SIZE,RO,FSTYPE,PTTYPE,MOUNTPOINTS"))["blockdevices"]
    blank = [d["path"] for d in disks if is_blank(d) and run("wipefs", "--no-act", d["path"]) == ""]
    if not blank or USED.exists():
        return None
    run("mkfs.ext4", "-q", "-m", "0", "-L", LABEL, blank[0])
    return blank[0]


def attach(name, place):
    """A power cut while a directory is copied leaves one with another name."""
    source = PLACE / name
    if not source.exists():
        new = PLACE / f"{name}.new"
        shutil.rmtree(new, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
        run("cp", "-a", place, new)
        run("sync", "-f", new)
        new.rename(source)
    place.mkdir(parents=True, exist_ok=True)
    run("mount", "--bind", source, place)


def use(device):
    run("e2fsck", "-p", device, accept=(0, 1, 2))
    PLACE.mkdir(exist_ok=True)
    run("mount", "-o", "noatime,nodev", device, PLACE)
    run("resize2fs", device, accept=(0, 1))  # the disk may have grown
    Path("/var/lib/private").mkdir(mode=0o700, exist_ok=True)
    for name, place in DIRECTORIES:
        attach(name, Path(place))
    USED.parent.mkdir(mode=0o700, exist_ok=True)
    USED.write_text(device + "\n")


def main(_options):
    try:
        device = find()
        if device:
            use(device)
        elif USED.exists():
            raise Failed(f"no disk has the label {LABEL}, but one was used before: attach it")
    except (Failed, OSError, ValueError) as error:
        print(f"data disk: {error}")
        return 1
    print(f"data disk: {device or 'none, the store is on the disk of the system'}")
    return 0
