# SPDX-License-Identifier: Apache-2.0
"""Namespaces in which the commands of a page run, so that they find the ports and directories that the page names."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess

SIOCSIFFLAGS = 0x8914
IFF_UP, IFF_LOOPBACK, IFF_RUNNING = 0x1, 0x8, 0x40


def missing():
    """Why no namespace can be made here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True).returncode != 0:
        return "no namespaces can be made here"
    return None


def loopback_up():
    """Starts the loopback interface of this process's network namespace."""
    with socket.socket() as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP | IFF_LOOPBACK | IFF_RUNNING))


def instead(directory, other):
    """Another directory in place of one, for the processes of this mount namespace."""
    subprocess.run([shutil.which("mount"), "--bind", other, directory], check=True)
