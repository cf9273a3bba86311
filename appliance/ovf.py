#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""ovf.py VERSION SYSTEM.vmdk STORE.vmdk DIRECTORY: writes vcourier-VERSION.ovf and vcourier-VERSION.ova. The same disks give the same bytes.

The descriptor is OVF 1.1 (DMTF DSP0243), the archive ustar in the order of the standard: descriptor, manifest, disks. STORE is empty;
OVF allows a disk without a file, but not all of its readers do."""
import hashlib
import os
import re
import sys
import tarfile
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.dont_write_bytecode = True

from vcourier_appliance.properties import CATEGORIES  # noqa: E402

CPUS, MEMORY_MIB, DISK_MIB, STORE_MIB = 2, 2048, 8192, 32768  # disks grow as they are used (thin)
NETWORK = "VM Network"
# ResourceType of CIM_ResourceAllocationSettingData (DMTF DSP0004)
CPU, MEMORY, SCSI, ETHERNET, DISK = 3, 4, 6, 10, 17
NAMESPACES = {"ovf": "http://schemas.dmtf.org/ovf/envelope/1",
              "rasd": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData",
              "vssd": "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData",
              "vmw": "http://www.vmware.com/schema/ovf"}
STREAM_OPTIMIZED = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"


def item(number, kind, name, **fields):
    """The schema wants the elements of an Item in alphabetical order."""
    fields |= {"ElementName": name, "InstanceID": number, "ResourceType": kind}
    return "\n".join(["      <Item>", *(f"        <rasd:{key}>{escape(str(fields[key]))}</rasd:{key}>" for key in sorted(fields)), "      </Item>"])


def hardware():
    return "\n".join((
        item(1, CPU, f"{CPUS} virtual CPUs", AllocationUnits="hertz * 10^6", VirtualQuantity=CPUS),
        item(2, MEMORY, f"{MEMORY_MIB} MB of memory", AllocationUnits="byte * 2^20", VirtualQuantity=MEMORY_MIB),
        item(3, SCSI, "SCSI controller 0", Address=0, ResourceSubType="VirtualSCSI"),
        item(4, DISK, "System disk", AddressOnParent=0, HostResource="ovf:/disk/system", Parent=3),
        item(5, DISK, "Store of the events", AddressOnParent=1, HostResource="ovf:/disk/store", Parent=3),
        item(6, ETHERNET, "Network adapter 1", AddressOnParent=7, AutomaticAllocation="true", Connection=NETWORK, ResourceSubType="VmxNet3")))


def property_element(known):
    attributes = {"key": f"guestinfo.{known.key}", "type": "boolean" if known.kind == "boolean" else "string", "userConfigurable": "true",
                  "value": known.default.lower() if known.kind == "boolean" else known.default}
    if known.kind.startswith("secret"):
        attributes["password"] = "true"
    rules = [f"ValueMap{{{', '.join(chr(34) + c + chr(34) for c in known.choices)}}}"] if known.choices else []
    rules += ["MinLen(1)"] if known.required else []
    if rules:
        attributes["qualifiers"] = ", ".join(rules)
    shown = " ".join(f"ovf:{key}={quoteattr(value)}" for key, value in attributes.items())
    return f"      <Property {shown}>\n        <Label>{escape(known.label)}</Label>\n      </Property>"


def product(version):
    lines = ["    <ProductSection>", "      <Info>The appliance and its properties</Info>", "      <Product>vcourier appliance</Product>",
             f"      <Version>{escape(version)}</Version>"]
    for category, properties in CATEGORIES:
        lines += [f"      <Category>{escape(category)}</Category>", *map(property_element, properties)]
    return "\n".join([*lines, "    </ProductSection>"])


def descriptor(version, files):
    """files: the name and the bytes of the file of each disk, system and store."""
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return f'''<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="{NAMESPACES['ovf']}" {names}>
  <References>
    <File ovf:href={quoteattr(files[0][0])} ovf:id="file1" ovf:size="{files[0][1]}"/>
    <File ovf:href={quoteattr(files[1][0])} ovf:id="file2" ovf:size="{files[1][1]}"/>
  </References>
  <DiskSection>
    <Info>The disk of the system, and an empty one for the store of the events</Info>
    <Disk ovf:capacity="{DISK_MIB}" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="system" ovf:fileRef="file1" ovf:format="{STREAM_OPTIMIZED}"/>
    <Disk ovf:capacity="{STORE_MIB}" ovf:capacityAllocationUnits="byte * 2^20" ovf:diskId="store" ovf:fileRef="file2" ovf:format="{STREAM_OPTIMIZED}"/>
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
    <Network ovf:name="{NETWORK}">
      <Description>From here the appliance reaches vCenter and the backend, and browsers reach the appliance</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="vcourier">
    <Info>vCenter events to functions, Knative, OpenFaaS and AWS EventBridge</Info>
    <Name>vcourier</Name>
    <OperatingSystemSection ovf:id="101" vmw:osType="other4xLinux64Guest">
      <Info>Debian 13</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection ovf:transport="com.vmware.guestInfo iso">
      <Info>Virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>vcourier</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-14</vssd:VirtualSystemType>
      </System>
{hardware()}
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
      <vmw:Config ovf:required="false" vmw:key="bootOptions.efiSecureBootEnabled" vmw:value="true"/>
    </VirtualHardwareSection>
{product(version)}
  </VirtualSystem>
</Envelope>
'''


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fix_content_id(vmdk):
    """qemu-img writes a random CID into the text at the beginning of a disk; one made of the rest makes the disk reproducible."""
    with open(vmdk, "r+b") as file:
        head = file.read(64 * 1024)
        found = re.search(rb"\nCID=([0-9a-f]{8})\n", head)
        if not found:
            raise SystemExit(f"ovf.py: {vmdk}: has no CID")
        file.seek(0)
        file.write(head[:found.start(1)] + b"00000000" + head[found.end(1):])
        file.flush()
        digest = sha256(vmdk)[:8].encode()
        # ffffffff means "no content"
        file.seek(found.start(1))
        file.write(b"fffffffe" if digest == b"ffffffff" else digest)


def archive(path, members, when):
    """members: (name, file). All belong to root and have one time."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, file in members:
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = file.stat().st_size, 0o644, when
            with open(file, "rb") as data:
                tar.addfile(info, data)


def write(version, disks, directory):
    name = f"vcourier-{version}"
    ovf, manifest = directory / f"{name}.ovf", directory / f"{name}.mf"
    named = [(f"{name}-disk{number}.vmdk", disk) for number, disk in enumerate(disks, 1)]
    ovf.write_text(descriptor(version, [(file, disk.stat().st_size) for file, disk in named]))
    manifest.write_text("".join(f"SHA256({file})= {sha256(path)}\n" for file, path in ((ovf.name, ovf), *named)))
    archive(directory / f"{name}.ova", ((ovf.name, ovf), (manifest.name, manifest), *named), int(os.environ.get("SOURCE_DATE_EPOCH", "0")))
    manifest.unlink()


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    for vmdk in sys.argv[2:4]:
        fix_content_id(vmdk)
    write(sys.argv[1], [Path(vmdk) for vmdk in sys.argv[2:4]], Path(sys.argv[4]))
