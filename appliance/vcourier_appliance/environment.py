# SPDX-License-Identifier: Apache-2.0
"""Where the properties come from: VMware's guestinfo, a CD, or a file."""
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

OVF = "{http://schemas.dmtf.org/ovf/environment/1}"
SIZE_MAX = 4 * 1024 * 1024  # VMware allows 64 KiB for each value
PREFIX = "guestinfo."
VARIABLE = "guestinfo.ovfEnv"

from .properties import is_secret  # noqa: E402


class Unreadable(Exception):
    pass


def parse(text):
    """{key: value} of an OVF environment, or of lines guestinfo.KEY=VALUE, which ovftool takes with --prop: before them."""
    if len(text) > SIZE_MAX:
        raise Unreadable(f"longer than {SIZE_MAX} bytes")
    if not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return lines(text)
    if "<!DOCTYPE" in text:  # no OVF environment has one, and entities can grow without a bound
        raise Unreadable("has a document type")
    try:
        root = ElementTree.fromstring(text.lstrip("\ufeff \t\r\n"))
    except (ElementTree.ParseError, ValueError) as error:
        raise Unreadable(f"is not XML: {error}") from error
    return {p.get(OVF + "key", "").removeprefix(PREFIX): p.get(OVF + "value", "") for p in root.iter(OVF + "Property")}


def lines(text):
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip().removeprefix("--prop:")
        if not line or line.startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not re.fullmatch(r"[\w.]+", key.strip()):
            raise Unreadable(f"line {number} is not KEY=VALUE")
        value = value.strip()
        if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]:
            value = value[1:-1]
        found[key.strip().removeprefix(PREFIX)] = value
    return found


def from_file(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return parse(file.read(SIZE_MAX + 1))
    except UnicodeDecodeError as error:
        raise Unreadable("is not UTF-8") from error
    except OSError as error:
        raise Unreadable(error.strerror) from error


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout


def from_guestinfo():
    """None where there is no VMware, or no environment."""
    try:
        text = run("vmtoolsd", "--cmd", f"info-get {VARIABLE}")
    except (OSError, subprocess.SubprocessError):
        return None
    return parse(text) if text.strip() else None


def from_cd():
    """None without a CD that has ovf-env.xml."""
    for device in sorted(Path("/dev").glob("sr*")):
        with tempfile.TemporaryDirectory() as place:
            try:
                run("mount", "-o", "ro,nosuid,nodev,noexec", "-t", "iso9660", str(device), place)
            except (OSError, subprocess.SubprocessError):
                continue
            try:
                if (Path(place) / "ovf-env.xml").exists():
                    return from_file(Path(place) / "ovf-env.xml")
            finally:
                run("umount", place)
    return None


def find():
    """(properties, where they are). Both None when there are none."""
    for where, read in (("guestinfo", from_guestinfo), ("CD", from_cd)):
        found = read()
        if found is not None:
            return found, where
    return None, None


def document(properties):
    root = ElementTree.Element(OVF + "Environment")
    section = ElementTree.SubElement(root, OVF + "PropertySection")
    for key, value in properties.items():
        ElementTree.SubElement(section, OVF + "Property", {OVF + "key": PREFIX + key, OVF + "value": value})
    return ElementTree.tostring(root, encoding="unicode")


def remove_secrets(properties):
    """Takes the secrets out of guestinfo. False when the virtual machine does not allow that."""
    public = {key: "" if is_secret(key) else value for key, value in properties.items()}
    try:
        run("vmtoolsd", "--cmd", f"info-set {VARIABLE} {document(public)}")
        return from_guestinfo() == public
    except (OSError, subprocess.SubprocessError, Unreadable):
        return False
