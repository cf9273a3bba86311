# SPDX-License-Identifier: Apache-2.0
"""The files of the appliance, or of another root directory. A file is replaced as a whole, and only if it would change."""
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
from pathlib import Path

STATE = "/var/lib/vcourier-appliance"
UNITS = "/etc/systemd/system/multi-user.target.wants"


def printable(text):
    """A text of others for a terminal, as lib/base/printable.h: without controls (C0, DEL, C1, bidirectional) and line separators."""
    return re.sub("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", "?", text)


class Target:
    def __init__(self, root="/"):
        self.root = Path(root)
        self.live = self.root == Path("/")
        self.changed = []   # paths, in the order of the changes
        self.messages = []  # (property or "", text)
        self.complete = True  # no section failed

    def tell(self, key, text):
        key, text = printable(key), printable(text.replace("\n", " "))
        if (key, text) not in self.messages:
            self.messages.append((key, text))

    def at(self, path):
        return self.root / str(path).lstrip("/")

    def ids(self, owner, group):
        """Numbers from the target's own lists of users and groups."""
        def find(file, name):
            for line in self.at(file).read_text().splitlines():
                fields = line.split(":")
                if fields[0] == name:
                    return int(fields[2])
            raise LookupError(f"{file} has no {name}")
        return (0 if owner == "root" else find("/etc/passwd", owner)), (0 if group == "root" else find("/etc/group", group))

    def directory(self, path, mode=0o755, group="root"):
        place = self.at(path)
        if not place.is_dir():
            self.directory(place.parent.relative_to(self.root)) if not place.parent.is_dir() else None
            place.mkdir()
        self.own(place, mode, "root", group)

    def own(self, place, mode, owner, group):
        uid, gid = self.ids(owner, group)
        state = place.stat()
        if state.st_mode & 0o7777 != mode:
            place.chmod(mode)
        if os.geteuid() == 0 and (state.st_uid, state.st_gid) != (uid, gid):
            os.chown(place, uid, gid)

    def write(self, path, text, mode=0o644, group="root"):
        """The owner is root. The new file is on the disk before it takes the place of the old one. Where that fails, the old one
        stays."""
        place = self.at(path)
        if not place.parent.is_dir():
            self.directory("/" + str(place.parent.relative_to(self.root)))
        data = text.encode()
        if place.is_file() and not place.is_symlink() and place.read_bytes() == data:
            self.own(place, mode, "root", group)
            return
        new = place.with_name(f".{place.name}.new")
        new.unlink(missing_ok=True)
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self.own(new, mode, "root", group)
            new.rename(place)
        except OSError as error:
            new.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(path)) from None
        self.changed.append(str(path))

    def secret(self, path, text, mode=0o600, group="root"):
        """Writes a secret; one that is not given leaves the file as it is. Returns whether there is one now."""
        if text:
            self.write(path, text, mode, group)
        return self.at(path).is_file()

    def remove(self, path):
        if self.at(path).is_symlink() or self.at(path).exists():
            self.at(path).unlink()
            self.changed.append(str(path))

    def enable(self, unit, wanted=True, package="/usr/lib/systemd/system"):
        """As `systemctl enable` does it; a template is the file of its instances."""
        link = f"{UNITS}/{unit}"
        if not wanted:
            return self.remove(link)
        name, at, rest = unit.partition("@")
        file = f"{package}/{name}@.{rest.rpartition('.')[2]}" if at else f"{package}/{unit}"
        self.directory(UNITS)
        place = self.at(link)
        if not place.is_symlink() or os.readlink(place) != file:
            place.unlink(missing_ok=True)
            place.symlink_to(file)
            self.changed.append(link)
        return None

    def run(self, *argv, text=None, cwd=None):
        """What the program prints. Raises CalledProcessError or OSError."""
        return subprocess.run([str(a) for a in argv], input=text, capture_output=True, text=True, check=True, cwd=cwd, timeout=120).stdout

    def set_password(self, name, password, there, action):
        """Runs the action if the password differs from the one of the last time, or its result is not there. Hashes of passwords have
        random salts, so files do not tell."""
        path = f"{STATE}/passwords.json"
        self.directory(STATE, 0o700)
        known = {}
        try:
            known = json.loads(self.at(path).read_text())
            salt, digest = bytes.fromhex(known[name]["salt"]), known[name]["scrypt"]
        except (OSError, ValueError, KeyError, TypeError):  # the first time, or a broken file
            known, salt, digest = known if isinstance(known, dict) else {}, secrets.token_bytes(16), ""
        new = hashlib.scrypt(password.encode(), salt=salt, n=1 << 14, r=8, p=1).hex()
        if there and hmac.compare_digest(digest, new):
            return
        action()  # before the digest is stored: a power cut repeats both
        self.write(path, json.dumps({**known, name: {"salt": salt.hex(), "scrypt": new}}), 0o600)
