# SPDX-License-Identifier: Apache-2.0
"""The OVA: its descriptor as govmomi reads and imports it, its manifest, its archive."""
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "appliance"))

from vcourier_appliance import properties  # noqa: E402

OVF = "{http://schemas.dmtf.org/ovf/envelope/1}"
DISK = b"KDMV" + bytes(508) + b"# Disk DescriptorFile\nversion=1\nCID=%s\nparentCID=ffffffff\n" + bytes(1000) + b"data" * 20000


def build(directory, cid=b"12345678"):
    directory.mkdir()
    disks = [directory / "disk.vmdk", directory / "store.vmdk"]
    for disk in disks:
        disk.write_bytes(DISK % cid)
    subprocess.run([ROOT / "appliance/ovf.py", "9.8.7", *disks, directory], check=True)
    return directory / "vcourier-9.8.7.ova"


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    with tarfile.open(build(tmp_path_factory.mktemp("ova") / "out")) as tar:
        return {m.name: (m, tar.extractfile(m).read()) for m in tar.getmembers()}


def test_the_archive_has_the_order_of_the_standard(members):
    assert list(members) == ["vcourier-9.8.7.ovf", "vcourier-9.8.7.mf", "vcourier-9.8.7-disk1.vmdk", "vcourier-9.8.7-disk2.vmdk"]
    assert all((m.uid, m.gid, m.mode, m.isfile()) == (0, 0, 0o644, True) for m, _ in members.values())


def test_the_manifest_has_the_sums(members):
    sums = dict(re.findall(r"^SHA256\((.+)\)= ([0-9a-f]{64})$", members["vcourier-9.8.7.mf"][1].decode(), re.M))
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, (_, data) in members.items() if not name.endswith(".mf")}


def test_the_same_disk_gives_the_same_bytes(tmp_path):
    """qemu-img writes a random CID into each disk."""
    one, two = build(tmp_path / "a", b"00c0ffee"), build(tmp_path / "b", b"deadbeef")
    assert one.read_bytes() == two.read_bytes()
    other = tmp_path / "a/disk.vmdk"
    assert re.search(rb"\nCID=(?!00c0ffee|00000000|ffffffff)[0-9a-f]{8}\nparentCID=ffffffff\n", other.read_bytes())


def test_references_of_the_descriptor(members):
    root = ElementTree.fromstring(members["vcourier-9.8.7.ovf"][1])
    files = list(root.iter(OVF + "File"))
    for file in files:
        assert int(file.get(OVF + "size")) == len(members[file.get(OVF + "href")][1])
    disks = {d.get(OVF + "diskId"): d.get(OVF + "fileRef") for d in root.iter(OVF + "Disk")}
    assert disks == dict(zip(("system", "store"), (file.get(OVF + "id") for file in files)))
    hosts = [e.text.removeprefix("ovf:/disk/") for e in root.iter() if e.tag.endswith("HostResource")]
    assert sorted(hosts) == ["store", "system"]
    (version,) = root.iter(OVF + "Version")
    assert version.text == "9.8.7"
    for hardware in root.iter(OVF + "Item"):
        assert [e.tag for e in hardware] == sorted(e.tag for e in hardware), "the schema is a sequence"


def test_govmomi_reads_and_imports_it(members, tmp_path):
    if not shutil.which("go", path="/usr/bin"):
        pytest.skip("golang-go is not installed")
    subprocess.run(["make", "-s", "build/ovf-import"], cwd=ROOT, check=True)
    file = tmp_path / "vcourier.ovf"
    file.write_bytes(members["vcourier-9.8.7.ovf"][1])
    out = json.loads(subprocess.run([ROOT / "build/ovf-import", file], check=True, capture_output=True, text=True).stdout)
    assert out["Problems"] is None and out["Files"] == ["vcourier-9.8.7-disk1.vmdk", "vcourier-9.8.7-disk2.vmdk"]
    assert (out["Name"], out["Transport"], out["GuestID"]) == ("vcourier", "com.vmware.guestInfo iso", "other4xLinux64Guest")
    assert (out["CPUs"], out["MemoryMB"]) == (2, 2048)
    assert sorted(out["Devices"]) == ["ParaVirtualSCSIController", "VirtualDisk", "VirtualDisk", "VirtualVmxnet3"]
    shown = {p["Key"].removeprefix("guestinfo."): p for p in out["Properties"]}
    assert list(shown) == list(properties.PROPERTIES) and all(p["Configurable"] for p in shown.values())
    assert {key for key, p in shown.items() if p["Password"]} == {key for key in properties.PROPERTIES if properties.is_secret(key)}


# The keys of VEBA 0.8's form, from its own descriptor.
VEBA = """hostname ipaddress netmask gateway dns domain ntp http_proxy https_proxy proxy_username proxy_password no_proxy root_password enable_ssh
    endpoint_username endpoint_password vcenter_server vcenter_username vcenter_password vcenter_disable_tls_verification vcenter_checkpointing_age
    vcenter_checkpointing_period horizon horizon_server horizon_domain horizon_username horizon_password horizon_disable_tls_verification webhook
    webhook_username webhook_password custom_tls_private_key custom_tls_ca_cert syslog_server_hostname syslog_server_port syslog_server_protocol
    syslog_server_format pod_network_cidr""".split()


def test_the_properties_of_veba_are_known():
    assert not [key for key in VEBA if key not in properties.PROPERTIES | properties.EARLIER and key not in properties.WITHOUT_EFFECT]


def test_labels_and_defaults():
    for key, known in properties.PROPERTIES.items():
        assert known.label and re.fullmatch("[a-z0-9_]+", key)
        assert properties.check(known, known.default) == known.default, "a default passes its own check"
