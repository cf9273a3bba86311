# SPDX-License-Identifier: Apache-2.0
"""The appliance in QEMU, without KVM: its disks, the CD with its properties, a network in which it reaches two ports of this machine."""
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "appliance")]

from lab.process import Process, free_port, wait_until  # noqa: E402
from vcourier_appliance.environment import document  # noqa: E402

IMAGES = ROOT / "build/appliance"
ADDRESS, GATEWAY = "10.0.2.15", "10.0.2.2"
SERVICES = "10.0.2.100"  # where the guest finds ports of this machine; QEMU's network lets nothing else out
VCENTER_PORT, RECEIVER_PORT = 8989, 8080
FIRMWARE = Path("/usr/share/OVMF")
ROOT_ID = "6f3c1d52-7663-4f75-8269-657200000001"


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path, qemu):
        self.socket = socket.socket(socket.AF_UNIX)
        wait_until(lambda: self.socket.connect_ex(str(path)) == 0 or not qemu.running(), 60, "QEMU's control socket")
        assert qemu.running(), qemu.text()
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        while "return" not in (answer := json.loads(self.file.readline())):
            if "error" in answer:
                raise RuntimeError(answer["error"]["desc"])
        return answer["return"]


class Guest(Process):
    """firmware: UEFI with Secure Boot, signed shim and grub, disks on SATA (Debian's OVMF has no driver for PVSCSI). Otherwise the kernel is
    started directly, and the disks are on PVSCSI."""

    def __init__(self, directory, name, services, firmware=False):
        self.directory = directory / name
        self.directory.mkdir()
        self.ssh_port, self.https_port = free_port(), free_port()
        self.firmware, self.services = firmware, services
        super().__init__(name, self.arguments(directory / "store.qcow2"), directory)

    def arguments(self, store):
        self.new_disk("system", "-b", str(next(IMAGES.glob("vcourier-*.qcow2"))), "-F", "qcow2")
        if not store.exists():
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", store, "32G"], check=True)
        forwards = ",".join(f"guestfwd=tcp:{SERVICES}:{port}-cmd:socat - TCP4:127.0.0.1:{here}" for port, here in self.services)
        net = (f"user,id=net,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:{self.ssh_port}-{ADDRESS}:22,"
               f"hostfwd=tcp:127.0.0.1:{self.https_port}-{ADDRESS}:443,{forwards}")
        common = ["nice", "-n", "15", "qemu-system-x86_64", "-no-user-config", "-cpu", "max", "-smp", "2", "-m", "2048", "-display", "none", "-vga", "std",
                  "-machine", f"q35,accel=tcg{',smm=on' if self.firmware else ''}", "-serial", f"file:{self.directory}/serial.log",
                  "-qmp", f"unix:{self.directory}/qmp,server=on,wait=off", "-netdev", net, "-device", "vmxnet3,netdev=net,romfile=",
                  "-drive", f"if=none,id=system,format=qcow2,file={self.directory}/system.qcow2", "-drive", f"if=none,id=store,format=qcow2,file={store}",
                  "-drive", f"if=none,id=cd,media=cdrom,readonly=on,file={self.directory}/properties.iso", "-device", "ide-cd,drive=cd,bus=ide.0"]
        return common + (self.with_firmware() if self.firmware else self.without())

    def new_disk(self, name, *more):
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *more, self.directory / f"{name}.qcow2"], check=True)

    def with_firmware(self):
        shutil.copy(FIRMWARE / "OVMF_VARS_4M.ms.fd", self.directory / "vars.fd")  # with Microsoft's keys enrolled
        return ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}/OVMF_CODE_4M.secboot.fd",
                "-drive", f"if=pflash,format=raw,file={self.directory}/vars.fd", "-global", "driver=cfi.pflash01,property=secure,value=on",
                "-device", "ide-hd,drive=system,bus=ide.1,bootindex=0", "-device", "ide-hd,drive=store,bus=ide.2"]

    @staticmethod
    def without():
        return ["-device", "pvscsi,id=scsi", "-device", "scsi-hd,bus=scsi.0,scsi-id=0,drive=system", "-device", "scsi-hd,bus=scsi.0,scsi-id=1,drive=store",
                "-kernel", str(IMAGES / "boot/vmlinuz"), "-initrd", str(IMAGES / "boot/initrd.img"),
                "-append", f"root=UUID={ROOT_ID} ro console=ttyS0,115200 console=tty0 systemd.default_timeout_start_sec=1200 systemd.default_device_timeout_sec=1200"]

    def power_on(self, properties):
        cd = self.directory / "cd"
        cd.mkdir()
        (cd / "ovf-env.xml").write_text(document(properties))
        subprocess.run(["xorrisofs", "-quiet", "-r", "-V", "OVF ENV", "-o", self.directory / "properties.iso", cd], check=True, stderr=subprocess.DEVNULL)
        helper = self.directory / "askpass"
        helper.write_text(f"#!/bin/sh\necho '{properties['root_password']}'\n")
        helper.chmod(0o700)
        self.start()
        self.qmp = Qmp(self.directory / "qmp", self)
        return self

    def shell(self, command, timeout=900, data=b""):
        """The output of a command in the guest, which reads the data."""
        done = subprocess.run(["ssh", "-q", "-p", str(self.ssh_port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                               "-o", "ConnectTimeout=600", "root@127.0.0.1", command], capture_output=True, input=data, timeout=timeout,
                              env={**os.environ, "SSH_ASKPASS": str(self.directory / "askpass"), "SSH_ASKPASS_REQUIRE": "force"}, check=False)
        return (done.stdout + done.stderr).decode()

    def put(self, path, data):
        told = self.shell(f"cat > {path}", data=data)
        assert told == "", told

    def screenshot(self, name):
        self.qmp("screendump", filename=str(self.directory / f"{name}.png"), format="png")

    def pull_the_plug(self):
        self.qmp("quit")
        self.wait(60)
